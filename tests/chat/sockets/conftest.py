"""A chat in the committed database, and openers of its sockets that close what they opened."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests import factories
from tests.chat.conftest import Chat, start_chat
from tests.chat.sockets.client import Opener, Socket


@pytest.fixture
def chat(committed_db: None) -> Chat:
    return start_chat(factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona"))


@pytest.fixture
async def visitor() -> AsyncIterator[Opener]:
    async for opener in _opener("visitor"):
        yield opener


@pytest.fixture
async def agent() -> AsyncIterator[Opener]:
    async for opener in _opener("agent"):
        yield opener


async def _opener(path: str) -> AsyncIterator[Opener]:
    opened: list[Socket] = []

    async def open(**auth: Any) -> Socket:
        opened.append(await Socket(path).open(**auth))
        return opened[-1]

    yield open
    for socket in opened:
        await socket.close()
