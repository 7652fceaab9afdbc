"""Two companies × two visitors: a file opens for its conversation's people, by links of their own, and for nobody else."""

from pathlib import Path
from typing import Any

import pytest

from chat.models import Attachment
from tests import factories
from tests.assertions import count
from tests.chat.conftest import Chat, start_chat
from tests.chat.files import picture, upload
from tests.conftest import ApiClient


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def files(acme: factories.Company, globex: factories.Company) -> dict[str, tuple[Chat, str]]:
    """Let each of four visitors send a file."""
    chats = {f"{company.tenant.name} {n}": start_chat(company) for company in (acme, globex) for n in (1, 2)}
    return {name: (chat, sent(chat.visitor, chat, name)) for name, chat in chats.items()}


def sent(client: ApiClient, chat: Chat, name: str) -> str:
    file = upload(client, chat, picture(), name=f"{name}.png").json()
    body = {
        "conversation_id": chat.conversation_id,
        "client_message_id": name.replace(" ", "-"),
        "attachment_id": file["id"],
    }
    assert client.post("/v1/chat/message/send", body).status_code == 201
    return str(file["id"])


def test_every_visitor_and_company_opens_its_own_alone(files: dict[str, tuple[Chat, str]]) -> None:
    for owner, (theirs, id) in files.items():
        for asker, (chat, _) in files.items():
            by_visitor = chat.visitor.get(f"/v1/chat/attachments/{id}")
            assert by_visitor.status_code == (200 if asker == owner else 404), (asker, owner)
            by_agent = chat.agent.get(f"/v1/chat/attachments/{id}")
            assert by_agent.status_code == (200 if chat.tenant_id == theirs.tenant_id else 404), (asker, owner)


def test_a_link_opens_its_file_alone_and_cannot_be_made_another(files: dict[str, tuple[Chat, str]]) -> None:
    links = {
        name: chat.visitor.get(f"/v1/chat/attachments/{id}").json()["url"].rpartition("/")[2]
        for name, (chat, id) in files.items()
    }
    assert {ApiClient().get(f"/files/{token}").status_code for token in links.values()} == {200}
    for mine in links.values():
        for other in set(links.values()) - {mine}:
            mixed = f"{mine.partition(':')[0]}:{other.partition(':')[2]}"
            assert ApiClient().get(f"/files/{mixed}").status_code == 404


def test_nobody_sends_or_uploads_into_anothers_conversation(files: dict[str, tuple[Chat, str]]) -> None:
    before = count(Attachment)
    for owner, (theirs, id) in files.items():
        for asker, (chat, _) in files.items():
            if asker == owner:
                continue
            assert upload(chat.visitor, theirs, picture()).status_code == 404
            body = {"conversation_id": theirs.conversation_id, "client_message_id": "x", "attachment_id": id}
            assert chat.visitor.post("/v1/chat/message/send", body).status_code == 404
            own = {"conversation_id": chat.conversation_id, "client_message_id": "y", "attachment_id": id}
            assert chat.visitor.post("/v1/chat/message/send", own).status_code == 404
    assert count(Attachment) == before


def test_a_private_files_link_never_reaches_a_visitor(files: dict[str, tuple[Chat, str]]) -> None:
    chat, _ = files["Acme 1"]
    file = upload(chat.agent, chat, picture()).json()
    note = {"client_message_id": "n1", "text": "Look", "attachment_id": file["id"]}
    assert chat.agent.post(f"/v1/chat/conversation/{chat.conversation_id}/note", note).status_code == 201
    for someone, _ in files.values():
        assert someone.visitor.get(f"/v1/chat/attachments/{file['id']}").status_code == 404
    events = chat.visitor.get(f"/v1/chat/conversation/{chat.conversation_id}/events").content.decode()
    assert file["id"] not in events
