"""Where files are kept: a folder, or a bucket by one setting."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.storage import storages

from irisx import values
from tests.chat.conftest import Chat
from tests.chat.files import picture, upload
from tests.conftest import ApiClient

URL = "s3://AKIA1:se%2Fcret@minio.example:9000/files?region=eu-central-1&prefix=acme&scheme=http"


class TestTheSetting:
    def test_says_everything_a_bucket_needs(self) -> None:
        found = values.storage(URL)
        assert (found["access_key"], found["secret_key"]) == ("AKIA1", "se/cret")
        assert (found["endpoint_url"], found["bucket_name"]) == ("http://minio.example:9000", "files")
        assert (found["region_name"], found["location"], found["addressing_style"]) == ("eu-central-1", "acme", "path")
        assert values.storage("s3://a:b@s3.example/files")["endpoint_url"] == "https://s3.example"
        assert values.storage("") == {}

    @pytest.mark.parametrize(
        ("addressing", "origin"),
        [("path", "http://minio.example:9000"), ("virtual", "http://files.minio.example:9000")],
    )
    def test_says_where_pictures_come_from(self, addressing: str, origin: str) -> None:
        assert values.bucket_origin(values.storage(f"{URL}&addressing={addressing}")) == origin

    @pytest.mark.parametrize(
        "url",
        [
            "https://a:b@s3.example/files",
            "s3://s3.example/files",
            "s3://a@s3.example/files",
            "s3://a:b@s3.example",
            "s3://a:b@s3.example/",
            "s3://a:b@s3.example/files/more",
            "s3://a:b@s3.example:port/files",
            "s3://a:b@s3.example/files?regoin=x",
            "s3://a:b@s3.example/files?scheme=ftp",
            "s3://a:b@s3.example/files?addressing=both",
        ],
    )
    def test_is_refused_when_it_cannot_be_right(self, url: str) -> None:
        with pytest.raises(ValueError, match="s3://key:secret@endpoint"):
            values.storage(url)


class TestLimits:
    def test_replace_the_defaults_by_name(self) -> None:
        found = values.limits("visitor-writes=5/10, ip-starts=1/2")
        assert (found["visitor-writes"], found["ip-starts"]) == ((5, 10), (1, 2))
        assert found["widget-starts"] == values.LIMITS["widget-starts"]
        assert values.limits("") == values.LIMITS

    @pytest.mark.parametrize(
        "text", ["x", "visitor-writes=5", "visitor-writes=0/1", "unknown=1/1", "visitor-writes=-1/1"]
    )
    def test_are_refused_when_they_cannot_be_right(self, text: str) -> None:
        with pytest.raises(ValueError, match="per-minute"):
            values.limits(text)


class TestABucket:
    """Presigned links are made without asking the bucket; its connection is never opened here."""

    @pytest.fixture
    def bucket(self, settings: Any) -> None:
        settings.STORAGES = {
            **settings.STORAGES,
            "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": values.storage(URL)},
        }
        settings.IRISX_STORAGE_IS_REMOTE = True

    def opened(self, url: str) -> tuple[Any, dict[str, list[str]]]:
        answer = ApiClient().get(url)
        assert answer.status_code == 302, answer.content
        return answer, parse_qs(urlsplit(answer["Location"]).query)

    def stored(self, chat: Chat, content: bytes, settings: Any) -> str:
        """Take a file in by the folder, so that only its link is the bucket's."""
        before = settings.STORAGES
        settings.STORAGES = {**before, "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
        url = upload(chat.visitor, chat, content, name="grüße.png").json()["url"]
        settings.STORAGES = before
        return str(url)

    def test_is_built_by_the_setting(self, bucket: None) -> None:
        storage = storages["default"]
        assert (type(storage).__name__, storage.bucket_name, storage.location) == ("S3Storage", "files", "acme")

    def test_hands_out_a_picture_for_a_minute(self, bucket: None, chat: Chat, settings: Any) -> None:
        answer, query = self.opened(self.stored(chat, picture(), settings))
        address = urlsplit(answer["Location"])
        assert (address.scheme, address.netloc) == ("http", "minio.example:9000")
        assert address.path.startswith(f"/files/acme/attachments/{chat.tenant_id.hex}/")
        assert (query["X-Amz-Expires"], query["X-Amz-Algorithm"]) == (["60"], ["AWS4-HMAC-SHA256"])
        assert query["response-content-type"] == ["image/png"]
        assert query["response-content-disposition"] == [
            "inline; filename=\"grue.png\"; filename*=UTF-8''gr%C3%BC%C3%9Fe.png"
        ]
        assert answer["Cache-Control"] == "private, no-store"

    def test_hands_out_anything_else_as_a_download(self, bucket: None, chat: Chat, settings: Any) -> None:
        _, query = self.opened(self.stored(chat, b"<svg onload='alert(1)'/>", settings))
        assert query["response-content-type"] == ["application/octet-stream"]
        assert query["response-content-disposition"][0].startswith("attachment; ")

    def test_gives_no_link_to_whom_the_file_is_not_for(self, bucket: None, chat: Chat, settings: Any) -> None:
        url = self.stored(chat, picture(), settings)
        chat.agent.post(f"/v1/chat/visitors/{chat.visitor_id}/block")
        assert ApiClient().get(url).status_code == 403
