"""Files for tests, made here, and their upload."""

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image

from tests.chat.conftest import Chat
from tests.conftest import ApiClient


def picture(format: str = "PNG", size: tuple[int, int] = (3, 2), **options: Any) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, "teal").save(content, format, **options)
    return content.getvalue()


def upload(client: ApiClient, chat: Chat, content: bytes, name: str = "bike.png", **extra: Any) -> Any:
    form = {"conversation_id": chat.conversation_id, "file": SimpleUploadedFile(name, content)}
    body = encode_multipart(BOUNDARY, form)
    return client.generic("POST", "/v1/chat/attachments", body, content_type=MULTIPART_CONTENT, **extra)
