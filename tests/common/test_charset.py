"""A charset a client names changes nothing: through the whole ASGI application."""

import httpx
import pytest

from irisx.asgi import application
from tests import factories

FORM = b'--B\r\nContent-Disposition: form-data; name="conversation_id"\r\n\r\ncc_x\r\n--B--\r\n'


@pytest.fixture
def key(committed_db: None) -> str:
    return factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona").api_key


async def ask(method: str, path: str, key: str, type: str, content: bytes = b"") -> httpx.Response:
    transport = httpx.ASGITransport(application)  # type: ignore[arg-type] # Channels' router has its own types
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": type}
        return await client.request(method, path, headers=headers, content=content)


@pytest.mark.parametrize("charset", ["idna", "hex", "undefined", "utf-16", '"no; such"', "utf-8"])
async def test_a_form_is_read_as_utf8(key: str, charset: str) -> None:
    answer = await ask("POST", "/v1/chat/attachments", key, f"multipart/form-data; Charset={charset}; boundary=B", FORM)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/file")


async def test_too_many_fields_in_an_address_are_refused_with_a_charset_too(key: str) -> None:
    path = f"/v1/chat/search?q=ab{'&a' * 1001}"
    answer = await ask("GET", path, key, "application/json; charset=utf-8")
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")
