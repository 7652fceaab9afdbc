"""Files: typed by their content, shown to whom they are for, sent once, gone when nobody sends them."""

from typing import Any

from chat.models import Attachment
from tests.assertions import rows
from tests.chat.conftest import Chat
from tests.chat.files import picture, upload
from tests.conftest import ApiClient


def send(client: ApiClient, chat: Chat, attachment_id: str, client_message_id: str = "f1", **more: Any) -> Any:
    body = {
        "conversation_id": chat.conversation_id,
        "client_message_id": client_message_id,
        "attachment_id": attachment_id,
    }
    return client.post("/v1/chat/message/send", {**body, **more})


class TestUploading:
    def test_answers_what_the_file_is_and_a_link_that_opens_it(self, chat: Chat) -> None:
        content = picture()
        answer = upload(chat.visitor, chat, content)
        assert answer.status_code == 201, answer.content
        file = answer.json()
        assert (file["file_name"], file["size"], file["content_type"]) == ("bike.png", len(content), "image/png")
        assert (file["is_image"], file["width"], file["height"]) == (True, 3, 2)
        opened = ApiClient().get(file["url"])
        assert b"".join(opened.streaming_content) == content
        assert opened["Content-Type"] == "image/png"
        assert opened["Content-Disposition"].startswith("inline; ")
        assert len(rows(Attachment)) == 1


class TestSending:
    def test_the_message_carries_it(self, chat: Chat) -> None:
        file = upload(chat.visitor, chat, picture()).json()
        answer = send(chat.visitor, chat, file["id"])
        assert answer.status_code == 201, answer.content
        message = answer.json()["event"]["payload"]["message"]
        assert (message["message_type"], message["text"]) == ("image", "")
        assert message["attachment"] == {
            key: file[key] for key in ("id", "file_name", "size", "content_type", "is_image")
        }
