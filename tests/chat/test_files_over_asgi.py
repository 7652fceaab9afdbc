"""Files through the whole ASGI application, as a server runs it: taken in, handed out in pieces, refused when too large."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from chat.models import Attachment
from irisx.asgi import application
from tests import factories
from tests.assertions import count
from tests.chat.conftest import Chat, start_chat


@pytest.fixture
def chat(committed_db: None, settings: Any, tmp_path: Path) -> Chat:
    settings.MEDIA_ROOT = tmp_path
    return start_chat(factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona"))


async def test_a_file_goes_in_and_comes_out_in_pieces(chat: Chat) -> None:
    content = bytes(range(256)) * 2000
    headers = {"Authorization": f"Bearer {chat.visitor_token}"}
    transport = httpx.ASGITransport(application)  # type: ignore[arg-type] # Channels' router has its own types
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        form = {"data": {"conversation_id": chat.conversation_id}, "files": {"file": ("list.bin", content)}}
        answer = await client.post("/v1/chat/attachments", headers=headers, **form)  # type: ignore[arg-type] # a form
        assert answer.status_code == 201, answer.content
        url = answer.json()["url"]
        opened = await client.get(url)
        assert (opened.status_code, opened.content) == (200, content)
        part = await client.get(url, headers={"Range": "bytes=100000-300000"})
        assert (part.status_code, part.content) == (206, content[100_000:300_001])
        assert part.headers["Content-Range"] == f"bytes 100000-300000/{len(content)}"


async def test_a_body_larger_than_any_file_is_refused_while_it_arrives(chat: Chat, settings: Any) -> None:
    settings.IRISX_UPLOAD_MOST_MB = 1
    headers = {"Authorization": f"Bearer {chat.visitor_token}", "Content-Type": "multipart/form-data; boundary=x"}
    sent = 0

    async def flood() -> Any:
        nonlocal sent
        for _ in range(64):
            sent += 1024 * 1024
            yield bytes(1024 * 1024)
            await asyncio.sleep(0)

    transport = httpx.ASGITransport(application)  # type: ignore[arg-type] # Channels' router has its own types
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post("/v1/chat/attachments", headers=headers, content=flood())
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert sent <= 4 * 1024 * 1024
    assert await asyncio.to_thread(count, Attachment) == 0
