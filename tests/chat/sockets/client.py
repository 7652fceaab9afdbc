"""A client of both sockets inside this process, and what its people do over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from accounts import tokens
from accounts.authentication import by_membership
from accounts.models import User
from irisx.asgi import application
from tests.chat.conftest import Chat
from tests.conftest import ApiClient

Frame = dict[str, Any]


class Socket:
    """A client of the wire protocol."""

    def __init__(self, path: str) -> None:
        self._communicator = WebsocketCommunicator(application, f"/ws/v1/{path}")

    async def open(self, **auth: Any) -> "Socket":
        connected, _ = await self._communicator.connect()
        assert connected
        if auth:
            await self.send("auth", id="1", **auth)
        return self

    async def send(self, type: str, **fields: Any) -> None:
        await self._communicator.send_to(text_data=orjson.dumps({"v": 1, "type": type, **fields}).decode())

    async def send_text(self, text: str) -> None:
        await self._communicator.send_to(text_data=text)

    async def receive(self) -> Frame:
        """Return the next frame."""
        output = await self._communicator.receive_output(timeout=5)
        assert output["type"] == "websocket.send", output
        frame: Frame = orjson.loads(output["text"])
        return frame

    async def next(self, type: str) -> Frame:
        """Return the next frame of a type, passing over others."""
        while (frame := await self.receive())["type"] != type:
            pass
        return frame

    async def next_event(self, conversation_id: str, *, after: int) -> Frame:
        """Return the next event a client applies: later doorbells of what it has already are passed over."""
        while True:
            frame = await self.next("event")
            if frame["conversation_id"] == conversation_id and frame["seq"] > after:
                return frame

    async def closed_with(self) -> int:
        return (await self.until_closed())[1]

    async def until_closed(self) -> tuple[str, int]:
        """Return all that is heard before the server closes, and the code it closes with."""
        heard = ""
        while True:
            output = await self._communicator.receive_output(timeout=8)
            if output["type"] == "websocket.close":
                return heard, int(output["code"])
            heard += output["text"]

    async def heard(self) -> list[Frame]:
        """Return what comes until it is silent, but for pings: they come when they are due."""
        found: list[Frame] = []
        while not await self._communicator.receive_nothing(timeout=0.3):
            found.append(await self.receive())
        return [frame for frame in found if frame["type"] != "ping"]

    async def hears_nothing_of(self, conversation_id: str) -> bool:
        """Take what comes until it is silent; say that none of it named the conversation."""
        heard: list[str] = []
        while not await self._communicator.receive_nothing(timeout=0.3):
            heard.append((await self._communicator.receive_output())["text"])
        return not any(conversation_id in text for text in heard)

    async def close(self) -> None:
        """Say goodbye; a socket whose answer never came was given up already."""
        with suppress(asyncio.CancelledError, TimeoutError):
            await self._communicator.disconnect()

    async def lose(self) -> None:
        """Lose the connection, as uvicorn tells of it."""
        await self._communicator.send_input({"type": "websocket.disconnect", "code": 1005})
        await self._communicator.wait()


Opener = Callable[..., Awaitable[Socket]]


@sync_to_async
def ticket_of(user: User) -> str:
    return tokens.issue_ticket(by_membership(user))


@sync_to_async
def post(client: ApiClient, path: str, body: Frame) -> Any:
    return client.post(path, body)


async def say(chat: Chat, client: ApiClient, text: str, id: str) -> None:
    body = {"conversation_id": chat.conversation_id, "client_message_id": id, "text": text}
    assert (await post(client, "/v1/chat/message/send", body)).status_code == 201
