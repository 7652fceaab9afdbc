"""Every frame of both sockets, sent by whoever it is not for: refused, nothing of the company's is said, no row changes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.permissions import ROLE_PERMISSIONS, Role
from chat.consumers import AgentConsumer, VisitorConsumer
from tests.chat.sockets.client import Frame, Socket
from tests.matrix.world import MARK, World, build, snapshot

NAMES_IT = {"conversation_id": "{conversation}"}


@dataclass(frozen=True)
class Spoken:
    """A frame's fields; who may send it of those signed in; whether it names a conversation."""

    fields: Frame
    needs: str = ""

    @property
    def is_about_one(self) -> bool:
        return "conversation_id" in self.fields


BOTH = {
    "events.get": Spoken({**NAMES_IT, "after_seq": 0}),
    "read": Spoken({**NAMES_IT, "seq": 1}),
    "delivered": Spoken({**NAMES_IT, "seq": 1}),
    "pong": Spoken({}),
}
FRAMES = {
    "visitor": {
        **BOTH,
        "message.send": Spoken({**NAMES_IT, "client_message_id": "f1", "text": "Hello"}),
        "typing": Spoken({**NAMES_IT, "is_typing": True}),
        "page": Spoken({"url": "https://shop.example/", "title": "Shop"}),
    },
    "agent": {
        **BOTH,
        "message.send": Spoken({**NAMES_IT, "client_message_id": "f1", "text": "Hello"}, "chat.reply"),
        "typing": Spoken({**NAMES_IT, "is_typing": True}, "chat.reply"),
        "subscribe": Spoken({**NAMES_IT, "after_seq": 0}),
        "unsubscribe": Spoken(NAMES_IT),
        "presence": Spoken({"status": "away"}, "presence"),
    },
}
# Letting go of what one never followed is answered like letting go: it says nothing of whether it is there.
ANSWERED_ALIKE = {"unsubscribe"}
STRANGERS = {"visitor": ["other visitor", "outsider visitor"], "agent": ["outsider owner"]}
NOT_SIGNED_IN = ["anonymous", "forged"]
REFUSED = {"visitor": NOT_SIGNED_IN, "agent": [*NOT_SIGNED_IN, "finance", "suspended person", "suspended tenant"]}


def test_every_frame_has_an_entry() -> None:
    assert FRAMES["visitor"].keys() == VisitorConsumer.handlers.keys()
    assert FRAMES["agent"].keys() == AgentConsumer.handlers.keys()


@pytest.fixture
def world(committed_db: None, tmp_path: Any, settings: Any) -> World:
    settings.MEDIA_ROOT = tmp_path
    return build()


@pytest.fixture
async def opened() -> AsyncIterator[list[Socket]]:
    sockets: list[Socket] = []
    yield sockets
    for socket in sockets:
        await socket.close()


async def _signed_in(world: World, side: str, caller: str, sockets: list[Socket]) -> Socket:
    sockets.append(await Socket(side).open(**await _auth(world, side, caller)))
    return sockets[-1]


async def _auth(world: World, side: str, caller: str) -> Frame:
    if caller in NOT_SIGNED_IN:
        return {} if caller == "anonymous" else {"visitor_token": "vt_forged", "ticket": "wt_forged"}
    if side == "visitor":
        return {"visitor_token": world.callers[caller]().defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")}
    return {"ticket": await _ticket(world, caller)}


@sync_to_async
def _ticket(world: World, caller: str) -> str:
    answer = world.callers[caller]().post("/v1/auth/ticket", {}, content_type="application/json")
    return str(answer.json().get("ticket", "wt_refused"))


async def _answers(socket: Socket, type: str, fields: Frame) -> list[Frame]:
    """Send a frame, and return what came before the answer to the next one."""
    await socket.send(type, id="asked", **fields)
    await socket.send("no.such", id="after")
    found = []
    while (frame := await socket.receive()).get("id") != "after":
        found.append(frame)
    return found


def _filled(spoken: Spoken, world: World) -> Frame:
    return {
        name: value.format(**world.objects) if isinstance(value, str) else value
        for name, value in spoken.fields.items()
    }


@pytest.mark.parametrize("side", FRAMES)
async def test_strangers(side: str, world: World, opened: list[Socket]) -> None:
    """Another visitor of the company, and everybody of another one: the conversation is not there."""
    sent = 0
    for caller in STRANGERS[side]:
        socket = await _signed_in(world, side, caller, opened)
        await socket.next("ready")
        before = await sync_to_async(snapshot)(world.acme.tenant)
        for type, spoken in FRAMES[side].items():
            if type == "page" and caller == "other visitor":
                continue  # their own page, in their own row
            frames = await _answers(socket, type, _filled(spoken, world))
            sent += 1
            assert MARK not in str(frames), (caller, type)
            problems = [frame["problem"]["status"] for frame in frames if frame["type"] == "problem"]
            expected = [404] if spoken.is_about_one and type not in ANSWERED_ALIKE else []
            assert problems == expected, (caller, type, frames)
        assert await sync_to_async(snapshot)(world.acme.tenant) == before, caller
    print(f"frames: {side}: {sent} sent by strangers")


async def test_a_role_that_may_not(world: World, opened: list[Socket]) -> None:
    """Whoever may look and not answer is told so for each frame that needs more."""
    socket = await _signed_in(world, "agent", "read_only", opened)
    await socket.next("ready")
    before = await sync_to_async(snapshot)(world.acme.tenant)
    refused = {type: spoken for type, spoken in FRAMES["agent"].items() if spoken.needs}
    assert not {spoken.needs for spoken in refused.values()} & ROLE_PERMISSIONS[Role.READ_ONLY]
    for type, spoken in refused.items():
        [answer] = await _answers(socket, type, _filled(spoken, world))
        assert answer["problem"]["status"] == 403, type
    assert await sync_to_async(snapshot)(world.acme.tenant) == before


@pytest.mark.parametrize(
    ("side", "caller"),
    [(side, caller) for side, callers in REFUSED.items() for caller in callers],
)
async def test_whoever_is_not_let_in_is_not_heard(side: str, caller: str, world: World, opened: list[Socket]) -> None:
    """Before and after a refused sign-in no frame is taken: the socket closes."""
    before = await sync_to_async(snapshot)(world.acme.tenant)
    socket = await _signed_in(world, side, caller, opened)
    for type, spoken in FRAMES[side].items():
        await socket.send(type, id="asked", **_filled(spoken, world))
    heard, code = await socket.until_closed()
    assert code in {4001, 4003}, code
    assert MARK not in heard
    assert await sync_to_async(snapshot)(world.acme.tenant) == before


@pytest.mark.parametrize("side", FRAMES)
async def test_cursors_of_anothers_conversation_bring_nothing(side: str, world: World, opened: list[Socket]) -> None:
    for caller in STRANGERS[side]:
        auth = await _auth(world, side, caller)
        opened.append(await Socket(side).open(**auth, cursors={world.objects["conversation"]: 0}))
        ready = await opened[-1].next("ready")
        assert MARK not in str([ready, *await _answers(opened[-1], "pong", {})])
