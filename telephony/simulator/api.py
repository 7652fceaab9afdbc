"""The api commands our client, and the usual ones, send."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import orjson

from telephony.simulator import life, originate
from telephony.simulator.channel import Channel, Hangup
from telephony.simulator.switch import VERSION, Switch

NO_CHANNEL = "-ERR No such channel!\n"
Api = Callable[[Switch, str], Awaitable[str]]


async def run(switch: Switch, line: str) -> str:
    """Execute `NAME ARGUMENTS` and return the switch's words."""
    name, _, argument = line.strip().partition(" ")
    command = APIS.get(name.lower())
    if command is None:
        return f"-ERR {name} Command not found!\n"
    return await command(switch, argument.strip())


async def _originate(switch: Switch, argument: str) -> str:
    try:
        return await life.begin(switch, originate.read(argument))
    except originate.Refused as refused:
        return str(refused)


async def _uuid_kill(switch: Switch, argument: str) -> str:
    uuid, _, cause = argument.partition(" ")
    channel = _alive(switch, uuid)
    if channel is None:
        return NO_CHANNEL
    channel.end(Hangup(cause.strip() or "NORMAL_CLEARING"))
    return "+OK\n"


async def _hupall(switch: Switch, argument: str) -> str:
    cause, _, pair = argument.partition(" ")
    name, _, value = pair.partition(" ")
    for channel in list(switch.channels.values()):
        if not name or channel.variables.get(name) == value:
            channel.end(Hangup(cause or "MANAGER_REQUEST"))
    return f"+OK hangup all channels with cause {cause or 'MANAGER_REQUEST'}\n"


async def _uuid_exists(switch: Switch, argument: str) -> str:
    return "true" if _alive(switch, argument) else "false"


async def _uuid_dump(switch: Switch, argument: str) -> str:
    uuid, _, kind = argument.partition(" ")
    channel = _alive(switch, uuid)
    if channel is None:
        return NO_CHANNEL
    headers = switch.stamped("CHANNEL_DATA") | channel.headers(with_variables=True)
    if kind == "json":
        return orjson.dumps(headers).decode()
    return "".join(f"{name}: {value}\n" for name, value in headers.items())


async def _uuid_getvar(switch: Switch, argument: str) -> str:
    uuid, _, name = argument.partition(" ")
    channel = _alive(switch, uuid)
    return channel.variables.get(name, "_undef_") if channel else NO_CHANNEL


async def _uuid_setvar(switch: Switch, argument: str) -> str:
    uuid, name, value = [*argument.split(" ", 2), "", ""][:3]
    channel = _alive(switch, uuid)
    if channel is None:
        return NO_CHANNEL
    channel.variables[name] = value
    return "+OK\n"


async def _uuid_answer(switch: Switch, argument: str) -> str:
    if _alive(switch, argument) is None:
        return NO_CHANNEL
    switch.lives[argument].answer()
    return "+OK\n"


async def _uuid_bridge(switch: Switch, argument: str) -> str:
    """Connect two channels (trace uuid-bridge-two-parked-legs); one of them must have been answered."""
    first, _, second = argument.partition(" ")
    one, other = _alive(switch, first), _alive(switch, second)
    if one is None or other is None or not (one.answered_us or other.answered_us):
        return "-ERR Invalid uuid\n"
    one.bridged_with, other.bridged_with = other.uuid, one.uuid
    switch.publish("CHANNEL_BRIDGE", one.headers(with_variables=True) | {"Other-Leg-Unique-ID": other.uuid})
    return f"+OK {other.uuid}\n"


async def _uuid_broadcast(switch: Switch, argument: str) -> str:
    uuid, _, rest = argument.partition(" ")
    channel = _alive(switch, uuid)
    if channel is None:
        return NO_CHANNEL
    channel.heard.append(rest.rpartition(" ")[0])
    return "+OK Message sent\n"


async def _uuid_break(switch: Switch, argument: str) -> str:
    return "+OK\n" if _alive(switch, argument.partition(" ")[0]) else NO_CHANNEL


async def _show(switch: Switch, argument: str) -> str:
    what, _, rest = argument.partition(" ")
    if what not in {"channels", "calls"}:
        return "-USAGE: channels|calls [count] [as json]\n"
    rows = [channel.row() for channel in switch.shown.values()]
    if rest.startswith("count"):
        return orjson.dumps({"row_count": len(rows)}).decode() if "json" in rest else f"\n{len(rows)} total.\n"
    if "as json" in rest:
        # With rows it ends without a newline, without any it holds a space: both as recorded.
        return orjson.dumps({"row_count": len(rows), "rows": rows}).decode() if rows else '{"row_count": 0}\n'
    lines = [",".join(row.values()) for row in rows]
    head = [",".join(rows[0])] if rows else []
    return "\n".join([*head, *lines, "", f"{len(rows)} total.", ""])


async def _status(switch: Switch, argument: str) -> str:
    return (
        f"UP {switch.uptime()}\n"
        "FreeSWITCH (Version 1.10.12-release git a88d069 2024-08-02 21:02:27Z 64bit) is ready\n"
        f"{switch.sessions} session(s) since startup\n"
        f"{len(switch.channels)} session(s) - peak 0, last 5min 0 \n"
        "0 session(s) per Sec out of max 100, peak 0, last 5min 0 \n"
        "500 session(s) max\nmin idle cpu 0.00/99.00\nCurrent Stack Size/Max 240K/8192K\n"
    )


async def _msleep(switch: Switch, argument: str) -> str:
    await asyncio.sleep(int(argument) / 1000 if argument.isdigit() else 0)
    return "+OK"


async def _global_getvar(switch: Switch, argument: str) -> str:
    return {"core_uuid": switch.core_uuid, "domain": "127.0.0.1"}.get(argument, "-ERR no reply\n")


def _constant(text: Callable[[], str]) -> Api:
    async def answer(switch: Switch, argument: str) -> str:
        return text()

    return answer


def _alive(switch: Switch, uuid: str) -> Channel | None:
    channel = switch.channels.get(uuid)
    return channel if channel and channel.is_alive else None


APIS: dict[str, Api] = {
    "create_uuid": _constant(lambda: str(uuid4())),
    "global_getvar": _global_getvar,
    "hostname": _constant(lambda: "fs1"),
    "hupall": _hupall,
    "msleep": _msleep,
    "originate": _originate,
    "show": _show,
    "status": _status,
    "strepoch": _constant(lambda: str(int(time.time()))),
    "uuid_answer": _uuid_answer,
    "uuid_break": _uuid_break,
    "uuid_bridge": _uuid_bridge,
    "uuid_broadcast": _uuid_broadcast,
    "uuid_dump": _uuid_dump,
    "uuid_exists": _uuid_exists,
    "uuid_getvar": _uuid_getvar,
    "uuid_kill": _uuid_kill,
    "uuid_setvar": _uuid_setvar,
    "version": _constant(lambda: f"FreeSWITCH Version {VERSION} (git a88d069 2024-08-02 21:02:27Z 64bit)\n"),
}
