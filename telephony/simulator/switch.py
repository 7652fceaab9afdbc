"""The switch itself: its channels, its event sequence, and everyone who listens."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

from telephony.simulator.carrier import Plan
from telephony.simulator.channel import Channel
from telephony.simulator.chaos import Chaos
from telephony.simulator.clock import gmt, now_us, stamp

VERSION = "1.10.12-release+git~20240802T210227Z~a88d069d6f~64bit"
SHOW_LAG_SECONDS = 0.25
ORIGINS = {
    "CHANNEL_STATE": ("switch_channel.c", "switch_channel_perform_set_running_state", 2408),
    "CHANNEL_CREATE": ("switch_core_state_machine.c", "switch_core_session_run", 626),
    "CHANNEL_OUTGOING": ("switch_core_session.c", "switch_core_session_outgoing_channel", 768),
    "CHANNEL_ORIGINATE": ("switch_core_state_machine.c", "switch_core_session_run", 632),
    "CHANNEL_PROGRESS": ("switch_channel.c", "switch_channel_perform_mark_ring_ready_value", 3505),
    "CHANNEL_PROGRESS_MEDIA": ("switch_channel.c", "switch_channel_perform_mark_pre_answered", 3560),
    "CHANNEL_ANSWER": ("switch_channel.c", "switch_channel_perform_mark_answered", 3846),
    "CHANNEL_CALLSTATE": ("switch_channel.c", "switch_channel_perform_set_callstate", 301),
    "CHANNEL_EXECUTE": ("switch_core_session.c", "switch_core_session_exec", 2944),
    "CHANNEL_EXECUTE_COMPLETE": ("switch_core_session.c", "switch_core_session_exec", 2967),
    "CHANNEL_PARK": ("switch_ivr.c", "switch_ivr_park", 1002),
    "CHANNEL_UNPARK": ("switch_ivr.c", "switch_ivr_park", 1213),
    "CHANNEL_BRIDGE": ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", 1689),
    "CHANNEL_HANGUP": ("switch_channel.c", "switch_channel_perform_hangup", 3445),
    "CHANNEL_HANGUP_COMPLETE": ("switch_core_state_machine.c", "switch_core_session_reporting_state", 943),
    "CHANNEL_DESTROY": ("switch_core_session.c", "switch_core_session_perform_destroy", 1584),
    "CHANNEL_DATA": ("mod_commands.c", "uuid_dump_function", 6468),
    "BACKGROUND_JOB": ("mod_event_socket.c", "api_exec", 1572),
    "HEARTBEAT": ("switch_core.c", "send_heartbeat", 95),
    "DTMF": ("switch_channel.c", "switch_channel_dequeue_dtmf", 677),
    "CUSTOM": ("mod_event_socket.c", "parse_command", 2275),
}


class Answering(Protocol):
    """The life of a channel, as far as commands touch it."""

    def answer(self) -> None:
        """Answer a channel that came in; a repeat changes nothing."""


Listener = Callable[[dict[str, str], str], None]


@dataclass(slots=True)
class Switch:
    """All the state of one simulated switch; `pace` stretches the carrier's times, 0.1 makes them ten times shorter.

    `telephones` are the registered users of its directory, and what each does when it rings.
    """

    pace: float = 1.0
    telephones: dict[str, Plan] = field(default_factory=dict)
    gateways: frozenset[str] = frozenset({"carrier", "deadcarrier"})
    heartbeat_seconds: float = 20.0
    core_uuid: str = field(default_factory=lambda: str(uuid4()))
    started_us: int = field(default_factory=now_us)
    lives: dict[str, Answering] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    shown: dict[str, Channel] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)
    clients: set[asyncio.StreamWriter] = field(default_factory=set)
    chaos: Chaos = field(default_factory=Chaos)
    sessions: int = 0
    sequence: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def publish(self, name: str, headers: dict[str, str], body: str = "") -> None:
        """Give an event the next sequence number and hand it to every listener."""
        full = self.stamped(name) | headers
        for listener in list(self.listeners):
            listener(full, body)

    def stamped(self, name: str) -> dict[str, str]:
        """Return the headers every event begins with."""
        self.sequence += 1
        moment = now_us()
        file, function, line = ORIGINS[name]
        return {
            "Event-Name": name,
            "Core-UUID": self.core_uuid,
            "FreeSWITCH-Hostname": "fs1",
            "FreeSWITCH-Switchname": "fs1",
            "FreeSWITCH-IPv4": "127.0.0.1",
            "FreeSWITCH-IPv6": "::1",
            "Event-Date-Local": stamp(moment),
            "Event-Date-GMT": gmt(moment),
            "Event-Date-Timestamp": str(moment),
            "Event-Calling-File": file,
            "Event-Calling-Function": function,
            "Event-Calling-Line-Number": str(line),
            "Event-Sequence": str(self.sequence),
        }

    def crash(self) -> None:
        """Come back as a new process: every call is gone without a word, every client cut off, the Core-UUID another."""
        for task in list(self.tasks):
            task.cancel()
        for gone in (self.channels, self.shown, self.lives):
            gone.clear()
        for writer in list(self.clients):
            writer.transport.abort()
        self.core_uuid, self.started_us = str(uuid4()), now_us()
        self.sessions = self.sequence = 0

    def show_soon(self, channel: Channel) -> None:
        """List a new channel."""
        self.shown[channel.uuid] = channel

    def forget_later(self, channel: Channel) -> None:
        """Take a gone channel off the list with the lag a real switch has."""
        loop = asyncio.get_running_loop()
        loop.call_later(SHOW_LAG_SECONDS, self._forget, channel)

    def _forget(self, channel: Channel) -> None:
        if self.shown.get(channel.uuid) is channel:
            del self.shown[channel.uuid]

    def heartbeat(self) -> None:
        """Say that the switch lives."""
        uptime = now_us() - self.started_us
        self.publish(
            "HEARTBEAT",
            {
                "Event-Info": "System Ready",
                "Up-Time": self.uptime(),
                "FreeSWITCH-Version": VERSION,
                "Uptime-msec": str(uptime // 1000),
                "Session-Count": str(len(self.channels)),
                "Max-Sessions": "500",
                "Session-Per-Sec": "100",
                "Session-Per-Sec-Last": "0",
                "Session-Per-Sec-Max": "0",
                "Session-Per-Sec-FiveMin": "0",
                "Session-Since-Startup": str(self.sessions),
                "Session-Peak-Max": str(len(self.channels)),
                "Session-Peak-FiveMin": str(len(self.channels)),
                "Idle-CPU": "99.000000",
            },
        )

    def uptime(self) -> str:
        """Return the uptime in the switch's words."""
        rest, micro = divmod(now_us() - self.started_us, 1000)
        rest, milli = divmod(rest, 1000)
        rest, seconds = divmod(rest, 60)
        rest, minutes = divmod(rest, 60)
        days, hours = divmod(rest, 24)
        return (
            f"0 years, {days} days, {hours} hours, {minutes} minutes, {seconds} seconds, {milli} milliseconds,"
            f" {micro} microseconds"
        )

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background, kept alive until it is done."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
