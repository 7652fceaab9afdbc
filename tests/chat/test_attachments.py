"""Files: typed by their content, shown to whom they are for, sent once, gone when nobody sends them."""

import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, Membership, Tenant
from accounts.tenancy import system_access, tenant_scope
from chat.attachments import objects
from chat.attachments.contents import Content, look_at
from chat.attachments.links import file_url, read_link
from chat.attachments.names import clean_name, disposition
from chat.attachments.services import sweep_unsent
from chat.ledgers import Message
from chat.models import Attachment, Widget
from common.errors import NotFound
from tests import factories
from tests.assertions import count, rows
from tests.chat.conftest import Chat, start_chat
from tests.chat.files import picture, upload
from tests.conftest import ApiClient

SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


def send(client: Client, chat: Chat, attachment_id: str, client_message_id: str = "f1", **more: Any) -> Any:
    body = {
        "conversation_id": chat.conversation_id,
        "client_message_id": client_message_id,
        "attachment_id": attachment_id,
    }
    return client.post("/v1/chat/message/send", {**body, **more}, content_type="application/json")


def note(chat: Chat, attachment_id: str) -> Any:
    body = {"client_message_id": "n1", "attachment_id": attachment_id}
    return chat.agent.post(f"/v1/chat/conversation/{chat.conversation_id}/note", body)


def uploaded(chat: Chat, client: ApiClient | None = None, **more: Any) -> Any:
    answer = upload(client or chat.visitor, chat, more.pop("content", picture()), **more)
    assert answer.status_code == 201, answer.content
    return answer.json()


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def stored_bytes() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def change_widget(chat: Chat, **fields: Any) -> None:
    with tenant_scope(chat.tenant_id):
        Widget.objects.for_tenant(chat.tenant_id).update(**fields)


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    """Keep each test's files apart."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


class TestContent:
    @pytest.mark.parametrize(
        ("format", "type"),
        [
            ("PNG", "image/png"),
            ("JPEG", "image/jpeg"),
            ("GIF", "image/gif"),
            ("WEBP", "image/webp"),
            ("AVIF", "image/avif"),
        ],
    )
    def test_an_image_is_measured(self, format: str, type: str) -> None:
        assert look_at(io.BytesIO(picture(format, (30, 20)))) == Content(type, 30, 20)

    def test_a_turned_photo_is_as_wide_as_it_is_shown(self) -> None:
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
        assert look_at(io.BytesIO(picture("JPEG", (30, 20), exif=exif))) == Content("image/jpeg", 20, 30)

    @pytest.mark.parametrize(
        ("content", "type"),
        [
            (b"Hello, world", "text/plain"),
            ("Grüße".encode(), "text/plain"),
            (SVG, "text/plain"),
            (b"<!doctype html><script>alert(1)</script>", "text/plain"),
            (b"<?xml version='1.0'?><a/>", "text/plain"),
            (b"\xef\xbb\xbf<html>", "text/plain"),
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "application/pdf"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "video/mp4"),
            (b"MZ" + bytes(100), "application/octet-stream"),
            (b"\xff\xfe<\0h\0t\0m\0l\0>\0", "application/octet-stream"),
            (b"PK\x03\x04 not an archive", "application/octet-stream"),
            (picture()[:40], "application/octet-stream"),
            (picture("TIFF"), "image/tiff"),
        ],
    )
    def test_whatever_is_no_image_browsers_draw_has_no_size(self, content: bytes, type: str) -> None:
        assert look_at(io.BytesIO(content)) == Content(type)

    @pytest.mark.parametrize(
        ("member", "ending"), [("word/document.xml", "wordprocessingml.document"), ("a.txt", "zip")]
    )
    def test_an_archive_is_what_it_holds(self, member: str, ending: str) -> None:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr(member, "x")
        assert look_at(content).type.endswith(ending)

    def test_an_image_with_a_page_behind_it_is_an_image(self) -> None:
        assert look_at(io.BytesIO(picture("GIF") + b"<script>alert(1)</script>")).type == "image/gif"

    def test_a_bomb_is_measured_and_not_unpacked(self) -> None:
        bomb = picture("PNG", (12_000, 12_000))
        assert len(bomb) < 1_000_000
        assert look_at(io.BytesIO(bomb)) == Content("application/octet-stream")


class TestNames:
    @pytest.mark.parametrize(
        ("given", "clean"),
        [
            ("bike.png", "bike.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\Dana\\a.txt", "a.txt"),
            ("evil\u202egnp.exe", "evilgnp.exe"),
            ("a\x00b\nc\x7f.txt", "abc.txt"),
            ('"quoted";\r\nX: y.txt', "_quoted_;X_ y.txt"),
            ("...", "file"),
            ("", "file"),
            ("grüße 🚲.pdf", "grüße 🚲.pdf"),
            ("x" * 300 + ".jpeg", "x" * 115 + ".jpeg"),
        ],
    )
    def test_are_cleaned(self, given: str, clean: str) -> None:
        assert clean_name(given) == clean

    def test_go_out_in_ascii_and_in_full(self) -> None:
        header = disposition('grüße "1".pdf', is_inline=False)
        assert header == "attachment; filename=\"grue _1_.pdf\"; filename*=UTF-8''gr%C3%BC%C3%9Fe%20%221%22.pdf"
        assert disposition("日本", is_inline=True) == "inline; filename=\"file\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC"


class TestUploading:
    def test_answers_what_the_file_is_and_a_link_that_opens_it(self, chat: Chat) -> None:
        content = picture()
        file = uploaded(chat, content=content)
        assert (file["file_name"], file["size"], file["content_type"]) == ("bike.png", len(content), "image/png")
        assert (file["is_image"], file["width"], file["height"]) == (True, 3, 2)
        opened = ApiClient().get(file["url"])
        assert body_of(opened) == content
        assert opened["Content-Type"] == "image/png"
        assert opened["Content-Disposition"].startswith("inline; ")
        assert opened["X-Content-Type-Options"] == "nosniff"
        assert opened["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert opened["Cross-Origin-Resource-Policy"] == "same-origin"
        assert opened["Cache-Control"] == "private, max-age=600"

    def test_is_stored_under_a_key_that_says_nothing(self, chat: Chat, media: Path) -> None:
        uploaded(chat, name="dana-passport.png")
        [stored] = rows(Attachment)
        assert stored.storage_key.startswith(f"attachments/{chat.tenant_id.hex}/")
        assert "dana" not in stored.storage_key
        assert (media / stored.storage_key).read_bytes() == picture()

    @pytest.mark.parametrize("content", [SVG, b"<html><script>alert(1)</script>", b"MZ" + bytes(50)])
    def test_what_could_run_is_a_download_whatever_its_name(self, chat: Chat, content: bytes) -> None:
        file = uploaded(chat, content=content, name="innocent.png")
        assert file["is_image"] is False
        opened = ApiClient().get(file["url"])
        assert opened["Content-Type"] == "application/octet-stream"
        assert opened["Content-Disposition"].startswith("attachment; ")
        assert body_of(opened) == content

    def test_refuses_what_is_larger_than_the_widget_allows(self, chat: Chat) -> None:
        change_widget(chat, max_file_size_mb=1)
        answer = upload(chat.visitor, chat, bytes(1024 * 1024 + 1))
        assert answer.status_code == 413
        assert (answer["Content-Type"], answer.json()["code"]) == ("application/problem+json", "too-large")
        assert count(Attachment) == 0
        assert stored_bytes() == []
        assert upload(chat.visitor, chat, bytes(1024 * 1024)).status_code == 201

    def test_refuses_a_visitors_where_the_widget_takes_none(self, chat: Chat) -> None:
        change_widget(chat, allow_file_upload=False)
        answer = upload(chat.visitor, chat, picture())
        assert (answer.status_code, answer.json()["code"]) == (403, "uploads-off")
        assert stored_bytes() == []
        assert upload(chat.agent, chat, picture()).status_code == 201

    def test_refuses_an_empty_one_and_none(self, chat: Chat) -> None:
        assert upload(chat.visitor, chat, b"").status_code == 422
        answer = chat.visitor.post(
            "/v1/chat/attachments",
            '--x\r\nContent-Disposition: form-data; name="conversation_id"\r\n\r\n'
            + chat.conversation_id
            + "\r\n--x--\r\n",
            content_type="multipart/form-data; boundary=x",
        )
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/file")
        assert chat.visitor.post("/v1/chat/attachments", {"file": "x"}).status_code == 415
        assert count(Attachment) == 0

    @pytest.mark.parametrize("body", [b"", b"--x", b"--x\r\nContent-Disposition: form-data", b"\xff" * 100])
    def test_a_broken_form_is_refused(self, chat: Chat, body: bytes) -> None:
        answer = chat.visitor.generic("POST", "/v1/chat/attachments", body, "multipart/form-data; boundary=x")
        assert answer.status_code in {400, 422}

    def test_a_storage_that_takes_nothing_leaves_no_row(self, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*args: object, **kwargs: object) -> str:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(FileSystemStorage, "_save", full)
        answer = upload(chat.visitor, chat, picture())
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert count(Attachment) == 0

    def test_a_storage_that_is_away_leaves_a_row_for_the_sweep(self, chat: Chat, settings: Any, tmp_path: Path) -> None:
        (tmp_path / "a-file").write_text("not a folder")
        settings.MEDIA_ROOT = tmp_path / "a-file"
        assert upload(chat.visitor, chat, picture()).status_code == 503
        [left] = rows(Attachment)
        assert chat.visitor.get(f"/v1/chat/attachments/at_{left.pk.hex}").status_code == 404
        settings.MEDIA_ROOT = tmp_path
        assert sweep_unsent(now=timezone.now()) == 1

    def test_an_agent_signed_in_by_session_uploads(self, chat: Chat, signed_in: Any) -> None:
        client = signed_in(chat.company.agent)
        file = upload(client, chat, picture())
        assert file.status_code == 201, file.content
        assert send(client, chat, file.json()["id"]).status_code == 201


class TestSending:
    def test_the_message_carries_it(self, chat: Chat) -> None:
        file = uploaded(chat)
        answer = send(chat.visitor, chat, file["id"])
        assert answer.status_code == 201, answer.content
        message = answer.json()["event"]["payload"]["message"]
        assert (message["message_type"], message["text"]) == ("image", "")
        assert message["attachment"] == {k: file[k] for k in ("id", "file_name", "size", "content_type", "is_image")}
        [stored] = rows(Message)
        [attachment] = rows(Attachment)
        assert (attachment.message_id, stored.storage_key) == (stored.pk, attachment.storage_key)

    def test_a_text_goes_with_a_file(self, chat: Chat) -> None:
        file = uploaded(chat, content=b"a list", name="list.txt")
        message = send(chat.visitor, chat, file["id"], text="See here").json()["event"]["payload"]["message"]
        assert (message["message_type"], message["text"]) == ("file", "See here")

    def test_the_same_again_answers_the_stored_one(self, chat: Chat) -> None:
        file, other = uploaded(chat), uploaded(chat)
        first = send(chat.visitor, chat, file["id"])
        again = send(chat.visitor, chat, file["id"])
        assert (again.status_code, again.json()) == (200, first.json())
        assert send(chat.visitor, chat, other["id"]).status_code == 409
        assert send(chat.visitor, chat, file["id"], text="more").status_code == 409
        without = {"conversation_id": chat.conversation_id, "client_message_id": "f1", "text": "x"}
        assert chat.visitor.post("/v1/chat/message/send", without).status_code == 409
        assert count(Message) == 1

    def test_a_file_goes_into_one_message(self, chat: Chat) -> None:
        file = uploaded(chat)
        send(chat.visitor, chat, file["id"])
        again = send(chat.visitor, chat, file["id"], "f2")
        assert (again.status_code, again.json()["code"]) == (409, "attachment-sent")
        assert count(Message) == 1

    def test_only_its_uploader_sends_it_and_only_there(self, chat: Chat) -> None:
        elsewhere = start_chat(chat.company)
        file = uploaded(chat)
        for client, where in ((chat.agent, chat), (elsewhere.visitor, elsewhere), (elsewhere.visitor, chat)):
            assert send(client, where, file["id"]).status_code == 404
        assert send(chat.visitor, chat, f"at_{uuid4().hex}").status_code == 404
        assert send(chat.visitor, chat, "at_nonsense").status_code == 404
        assert count(Message) == 0
        assert [row.message_id for row in rows(Attachment)] == [None]

    def test_a_refused_message_leaves_the_file_unsent(self, chat: Chat) -> None:
        file = uploaded(chat)
        assert send(chat.visitor, chat, file["id"], text="x" * 5001).status_code == 422
        assert [row.message_id for row in rows(Attachment)] == [None]

    def test_a_blank_text_needs_a_file(self, chat: Chat) -> None:
        body = {"conversation_id": chat.conversation_id, "client_message_id": "b1", "attachment_id": None}
        answer = chat.visitor.post("/v1/chat/message/send", body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/text")


class TestOpening:
    def test_both_sides_get_links_of_their_own(self, chat: Chat) -> None:
        file = uploaded(chat)
        assert chat.agent.get(f"/v1/chat/attachments/{file['id']}").status_code == 404
        send(chat.visitor, chat, file["id"])
        agents = chat.agent.get(f"/v1/chat/attachments/{file['id']}").json()
        assert agents["url"] != file["url"]
        assert body_of(ApiClient().get(agents["url"])) == picture()

    def test_a_notes_file_is_the_agents_alone(self, chat: Chat) -> None:
        file = uploaded(chat, chat.agent)
        answer = note(chat, file["id"])
        assert answer.status_code == 201, answer.content
        message = answer.json()["event"]["payload"]["message"]
        assert (message["message_type"], message["attachment"]["is_image"]) == ("note", True)
        assert chat.agent.get(f"/v1/chat/attachments/{file['id']}").status_code == 200
        assert chat.visitor.get(f"/v1/chat/attachments/{file['id']}").status_code == 404

    def test_nobody_elses_visitor_or_tenant_gets_in(self, chat: Chat, globex: factories.Company) -> None:
        file = uploaded(chat)
        send(chat.visitor, chat, file["id"])
        others = (start_chat(chat.company), start_chat(globex))
        for client in (others[0].visitor, others[1].visitor, ApiClient(globex.api_key)):
            assert client.get(f"/v1/chat/attachments/{file['id']}").status_code == 404
        assert ApiClient().get(f"/v1/chat/attachments/{file['id']}").status_code == 401

    @pytest.mark.parametrize("token", ["x", "x:y", "WyJ4Il0:abc", "%00", "é", "a" * 3000])
    def test_a_link_not_ours_opens_nothing(self, db: None, token: str) -> None:
        assert ApiClient().get(f"/files/{token}").status_code == 404

    def test_a_changed_link_opens_nothing(self, chat: Chat) -> None:
        url = uploaded(chat)["url"]
        assert ApiClient().get(url[:-1] + ("A" if url[-1] != "A" else "B")).status_code == 404

    def test_a_link_ends(self, chat: Chat) -> None:
        principal = _principal(chat)
        attachment_id = UUID(hex=uploaded(chat)["id"][3:])
        now = datetime(2026, 3, 10, 12, 3, tzinfo=UTC)
        url, expires_at = file_url(attachment_id=attachment_id, principal=principal, now=now)
        assert expires_at == datetime(2026, 3, 10, 12, 10, tzinfo=UTC)
        assert url == file_url(attachment_id=attachment_id, principal=principal, now=now + timedelta(minutes=1))[0]
        token = url.rpartition("/")[2]
        assert read_link(token, now=expires_at - timedelta(seconds=1)).attachment_id == attachment_id
        with pytest.raises(NotFound):
            read_link(token, now=expires_at)

    def test_a_blocked_visitors_link_opens_nothing(self, chat: Chat) -> None:
        url = uploaded(chat)["url"]
        assert chat.agent.post(f"/v1/chat/visitors/{chat.visitor_id}/block").status_code == 200
        assert ApiClient().get(url).status_code == 403

    def test_a_suspended_tenants_link_opens_nothing(self, chat: Chat) -> None:
        url = uploaded(chat)["url"]
        with system_access("test"):
            Tenant.objects.filter(pk=chat.tenant_id).update(status=Tenant.Status.SUSPENDED)
        assert ApiClient().get(url).status_code == 403

    def test_a_revoked_keys_link_opens_nothing(self, chat: Chat) -> None:
        url = uploaded(chat, chat.agent)["url"]
        assert ApiClient().get(url).status_code == 200
        with tenant_scope(chat.tenant_id):
            ApiKey.objects.for_tenant(chat.tenant_id).update(revoked_at=timezone.now())
        assert ApiClient().get(url).status_code == 401

    def test_a_former_agents_link_opens_nothing(self, chat: Chat, signed_in: Any) -> None:
        url = upload(signed_in(chat.company.agent), chat, picture()).json()["url"]
        assert ApiClient().get(url).status_code == 200
        with tenant_scope(chat.tenant_id):
            Membership.objects.for_tenant(chat.tenant_id).filter(user=chat.company.agent).update(is_active=False)
        assert ApiClient().get(url).status_code == 403

    def test_bytes_that_are_gone_are_not_found(self, chat: Chat) -> None:
        url = uploaded(chat)["url"]
        default_storage.delete(rows(Attachment)[0].storage_key)
        assert ApiClient().get(url).status_code == 404

    @pytest.mark.parametrize(
        ("header", "status", "content"),
        [
            ("bytes=0-3", 206, b"0123"),
            ("bytes=4-", 206, b"456789"),
            ("bytes=-2", 206, b"89"),
            ("bytes=8-99", 206, b"89"),
            ("bytes=10-", 416, b""),
            ("bytes=-0", 416, b""),
            ("bytes=0-1,3-4", 200, b"0123456789"),
            ("lines=1", 200, b"0123456789"),
        ],
    )
    def test_a_part_is_given(self, chat: Chat, header: str, status: int, content: bytes) -> None:
        answer = ApiClient().get(uploaded(chat, content=b"0123456789")["url"], headers={"Range": header})
        assert answer.status_code == status
        assert (body_of(answer) if answer.streaming else answer.content) == content


def _principal(chat: Chat) -> Any:
    from accounts import authentication

    return authentication.by_visitor_token(chat.visitor_token, now=timezone.now())


class TestSweeping:
    def test_removes_what_nobody_sent_for_a_day(self, chat: Chat) -> None:
        old, sent, fresh = uploaded(chat), uploaded(chat), uploaded(chat)
        send(chat.visitor, chat, sent["id"])
        self.age(chat, [old, sent], hours=25)
        assert sweep_unsent(now=timezone.now()) == 1
        assert {f"at_{row.pk.hex}" for row in rows(Attachment)} == {sent["id"], fresh["id"]}
        assert len(stored_bytes()) == 2
        assert sweep_unsent(now=timezone.now()) == 0

    def test_a_crash_between_bytes_and_row_is_made_good(self, chat: Chat) -> None:
        file = uploaded(chat)
        self.age(chat, [file], hours=25)
        objects.remove(rows(Attachment)[0].storage_key)
        assert sweep_unsent(now=timezone.now()) == 1
        assert count(Attachment) == 0

    def test_leaves_the_row_of_bytes_it_could_not_remove(self, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
        self.age(chat, [uploaded(chat)], hours=25)

        def fail(key: str) -> None:
            raise OSError("the bucket is away")

        monkeypatch.setattr(objects, "remove", fail)
        with pytest.raises(OSError, match="away"):
            sweep_unsent(now=timezone.now())
        assert count(Attachment) == 1

    def age(self, chat: Chat, files: list[Any], *, hours: int) -> None:
        keys = [UUID(hex=file["id"][3:]) for file in files]
        with tenant_scope(chat.tenant_id):
            mine = Attachment.objects.for_tenant(chat.tenant_id).filter(pk__in=keys)
            mine.update(created_at=timezone.now() - timedelta(hours=hours))
