"""Never lost, never twice, in order: whatever dies, forgets, drops, doubles or delays.

The short form is part of every run of the tests; `make chaos` (CHAOS=long) runs it longer, with 200 writers in one conversation
and the pings 25 seconds apart.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from accounts import tokens
from accounts.authentication import by_membership
from tests import factories
from tests.chaos.clients import Client, Frame
from tests.chaos.theatre import Theatre, theatre
from tests.chat.conftest import Chat, start_chat
from tests.local.waiting import eventually_async

IS_LONG = os.environ.get("CHAOS") == "long"
PING_SECONDS = 25.0 if IS_LONG else 1.5
CONVERSATIONS = 4
WRITERS = 200 if IS_LONG else 24
MESSAGES = 60 if IS_LONG else 12
PAUSE_SECONDS = 2.0 if IS_LONG else 0.6
REPAIRED_WITHIN_SECONDS = 30

pytestmark = pytest.mark.timeout(900 if IS_LONG else 200)  # 40 s on a machine of one's own


@dataclass(frozen=True)
class Play:
    """The stage, the conversations on it, and how their people sign in."""

    stage: Theatre
    chats: list[Chat]
    ticket: Callable[[], Frame]

    def visitor(self, number: int, chat: Chat, clock_minutes: float = 0.0) -> Client:
        return Client(
            f"visitor{number}",
            "visitor",
            self.stage.ports,
            lambda: {"visitor_token": chat.visitor_token},
            chat.visitor_token,
            [chat.conversation_id],
            clock_minutes,
        )

    def agent(self, number: int, chats: list[Chat], clock_minutes: float = 0.0) -> Client:
        ids = [chat.conversation_id for chat in chats]
        key = chats[0].company.api_key
        return Client(f"agent{number}", "agent", self.stage.ports, self.ticket, key, ids, clock_minutes)


@pytest.fixture
def play(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    company = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
    chats = [start_chat(company) for _ in range(CONVERSATIONS)]
    bob = by_membership(company.agent)
    with theatre(ping_seconds=PING_SECONDS, processes=2) as stage:
        monkeypatch.setattr(tokens, "client", lambda: stage.valkey)

        def ticket() -> Frame:
            try:
                return {"ticket": tokens.issue_ticket(bob)}
            except redis.RedisError as error:
                raise OSError("no ticket while Valkey is away") from error

        yield Play(stage, chats, ticket)


async def test_every_client_ends_with_the_same_log(play: Play) -> None:
    began = datetime.now(tz=UTC)
    clocks = [-5.0, 5.0, 0.0]
    visitors = [
        play.visitor(n, chat, clocks[n % 3]) for n, chat in enumerate(chat for chat in play.chats for _ in range(2))
    ]
    agents = [play.agent(n, play.chats, clocks[n]) for n in range(3)]
    crowd = [play.agent(100 + n, play.chats[:1], clocks[n % 3]) for n in range(WRITERS // 2)]
    crowd += [play.visitor(100 + n, play.chats[0], clocks[n % 3]) for n in range(WRITERS // 2)]
    clients = [*visitors, *agents, *crowd]
    running = [asyncio.create_task(client.run()) for client in clients]
    try:
        sent = await _act(play, visitors, agents, crowd)
        await _wait_for_the_same_log(play, clients, sent)
    finally:
        for client in clients:
            client.is_stopped = True
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    _check(play, clients, sent, began)


async def _act(play: Play, visitors: list[Client], agents: list[Client], crowd: list[Client]) -> list[str]:
    """Write all the time while one thing after the other breaks; return the ids of all messages."""
    sent: list[str] = []
    play.stage.faults(on=True)
    writing = asyncio.create_task(_write(play, [*visitors, *agents], sent))
    for number, client in enumerate(crowd):
        id = f"crowd-{number}"
        client.write(play.chats[0].conversation_id, id, f"all at once {number}")
        sent.append(id)
    for fault in (_die_between_commit_and_publish, _forget_everything, _restart_valkey, _restart_postgres, _kill_web):
        await asyncio.sleep(PAUSE_SECONDS)
        await fault(play, visitors, sent)
    sent.append(await _send_five_times_at_once(play, play.chats[1]))
    await writing
    play.stage.faults(on=False)
    return sent


async def _write(play: Play, clients: list[Client], sent: list[str]) -> None:
    for round in range(MESSAGES):
        for number, client in enumerate(clients):
            id = f"m-{number}-{round}"
            client.write(random.choice(client.conversations), id, f"line {round} of {client.name}")
            sent.append(id)
        await asyncio.sleep(PAUSE_SECONDS / 2)


async def _die_between_commit_and_publish(play: Play, visitors: list[Client], sent: list[str]) -> None:
    id = f"die-{len(sent)}"
    visitors[0].write(visitors[0].conversations[0], id, "These are my last words")
    sent.append(id)
    died = play.stage.folder / f"{id}.died"
    assert await eventually_async(died.exists, seconds=30), "no process died of it"
    assert await eventually_async(play.stage.raise_the_dead)


async def _forget_everything(play: Play, visitors: list[Client], sent: list[str]) -> None:
    play.stage.valkey.flushall()


async def _restart_valkey(play: Play, visitors: list[Client], sent: list[str]) -> None:
    await asyncio.to_thread(play.stage.restart, "valkey", with_signal=signal.SIGKILL)


async def _restart_postgres(play: Play, visitors: list[Client], sent: list[str]) -> None:
    await asyncio.to_thread(play.stage.restart, "postgres")


async def _kill_web(play: Play, visitors: list[Client], sent: list[str]) -> None:
    play.stage.parts["web1"].stop(signal.SIGKILL)
    play.stage.parts["web1"].begin()


async def _send_five_times_at_once(play: Play, chat: Chat) -> str:
    """Five tabs send the very same message together; each is told of the one that was stored."""
    tabs = [play.visitor(200 + n, chat) for n in range(5)]
    running = [asyncio.create_task(tab.run()) for tab in tabs]
    assert await eventually_async(lambda: all(tab.connections for tab in tabs), seconds=60)
    for tab in tabs:
        tab.write(chat.conversation_id, "the-same", "Five times the same")
    assert await eventually_async(lambda: all("the-same" in tab.acknowledged for tab in tabs), seconds=60)
    assert len({tab.acknowledged["the-same"] for tab in tabs}) == 1
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return "the-same"


async def _wait_for_the_same_log(play: Play, clients: list[Client], sent: list[str]) -> None:
    """Wait until nothing is left to be sent, then 30 seconds at most until all know everything."""
    empty = await eventually_async(lambda: not any(client.outbox for client in clients), seconds=120)
    assert empty, "\n".join([*(_state(client) for client in clients if client.outbox), *play.stage.last_lines()])
    calm = time.monotonic()
    heads = {chat.conversation_id: _truth(play, chat) for chat in play.chats}

    def all_know() -> bool:
        return all(len(client.logs[id]) >= len(heads[id][_side(client)]) for client in clients for id in client.logs)

    assert await eventually_async(all_know, seconds=REPAIRED_WITHIN_SECONDS), _missing(clients, heads)
    print(
        f"all {len(clients)} clients know all {len(sent)} messages {time.monotonic() - calm:.1f} s after the last fault"
    )


def _check(play: Play, clients: list[Client], sent: list[str], began: datetime) -> None:
    for chat in play.chats:
        truth = _truth(play, chat)
        for client in clients:
            if chat.conversation_id in client.conversations:
                assert _ids(client.logs[chat.conversation_id]) == truth[_side(client)], client.name
    rows = [row for chat in play.chats for row in play.stage.log(str(chat.key))]
    stored = [row[2] for row in rows if row[2]]
    assert sorted(stored) == sorted(sent)
    for chat in play.chats:
        numbers = [row[0] for row in play.stage.log(str(chat.key))]
        assert numbers == list(range(1, len(numbers) + 1))
    late = datetime.now(tz=UTC) + timedelta(seconds=1)
    own = [row[3] for row in rows if row[2]]
    assert all(began <= at <= late for at in own)  # clients' clocks are five minutes wrong, and nobody asked them
    assert [client.refusals for client in clients if client.refusals] == []


def _state(client: Client) -> str:
    refusals = [frame["problem"]["code"] for frame in client.refusals[-3:]]
    return f"{client.name}: {len(client.outbox)} to send, closes {client.closes[-4:]}, refusals {refusals}"


def _truth(play: Play, chat: Chat) -> dict[str, list[str | None]]:
    log = play.stage.log(str(chat.key))
    return {"agent": [row[2] for row in log], "visitor": [row[2] for row in log if row[1] is not None]}


def _side(client: Client) -> str:
    return client.path


def _ids(log: list[Frame]) -> list[str | None]:
    return [entry["payload"].get("message", {}).get("client_message_id") for entry in log]


def _missing(clients: list[Client], heads: dict[str, dict[str, list[Any]]]) -> list[str]:
    return [
        f"{client.name} {id}: {len(log)} of {len(heads[id][_side(client)])}, closes {client.closes[-5:]}"
        for client in clients
        for id, log in client.logs.items()
        if len(log) < len(heads[id][_side(client)])
    ]
