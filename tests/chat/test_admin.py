"""Operators' pages of chat: what they show, what they change, and what is written down of it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.tenancy import system_access, tenant_scope
from chat.models import Attachment, CannedReply, Conversation, Label, Visitor, Widget
from common.ids import encode
from tests import factories
from tests.chat.conftest import Chat, start_chat, widget_of


@pytest.fixture
def operator(db: None, signed_in: Callable[[Any], Client]) -> Client:
    return signed_in(User.objects.create_superuser("olivia@example.com", factories.PASSWORD, name="Olivia"))


def act(operator: Client, model: str, action: str, *rows: Any) -> Any:
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    answer = operator.post(f"/admin/chat/{model}/", body)
    assert answer.status_code == 302, answer.content
    return answer


def audited(company: factories.Company) -> list[tuple[str, str, str]]:
    with tenant_scope(company.tenant.pk):
        entries = AuditEntry.objects.for_tenant(company.tenant).order_by("created_at")
        return [(entry.actor_name, entry.action, entry.object_id) for entry in entries]


def form_of(widget: Widget, **changes: Any) -> dict[str, Any]:
    names = (
        "name", "primary_color", "widget_position", "greeting_message", "offline_message", "placeholder_text",
        "auto_open_delay", "max_file_size_mb", "routing", "answer_seconds", "abandon_minutes", "idle_close_minutes",
    )  # fmt: skip
    shown = {name: getattr(widget, name) for name in names}
    return {**shown, "is_active": "on", "domains_whitelist": "", "business_hours": "{}", **changes}


def test_a_widgets_secret_is_masked_and_rotated_by_an_action(acme: factories.Company, operator: Client) -> None:
    widget = widget_of(acme)
    page = operator.get(f"/admin/chat/widget/{widget.pk}/change/").content.decode()
    assert widget.identity_secret not in page
    assert f"{widget.identity_secret[:4]}…" in page
    act(operator, "widget", "rotate_identity_secret", widget)
    assert widget_of(acme).identity_secret != widget.identity_secret
    assert audited(acme) == [("Olivia", "widget.identity_secret_rotated", widget.widget_key)]


def test_a_widgets_form_is_held_to_the_rules(acme: factories.Company, operator: Client) -> None:
    widget = widget_of(acme)
    address = f"/admin/chat/widget/{widget.pk}/change/"
    for wrong, told in (
        ({"business_hours": '{"mon": [["17:00", "09:00"]]}'}, "/business_hours/mon/0"),
        ({"domains_whitelist": "shop.example; script-src *"}, "/domains_whitelist/0"),
    ):
        answer = operator.post(address, form_of(widget, **wrong))
        assert (answer.status_code, told in answer.content.decode()) == (200, True)
    assert (widget_of(acme).business_hours, widget_of(acme).domains_whitelist) == ({}, [])
    right = {"business_hours": '{"mon": [["09:00", "17:00"]]}', "domains_whitelist": "Shop.example,*.shop.example"}
    assert operator.post(address, form_of(widget, **right)).status_code == 302
    stored = widget_of(acme)
    assert stored.business_hours == {"mon": [["09:00", "17:00"]]}
    assert stored.domains_whitelist == ["shop.example", "*.shop.example"]
    assert stored.identity_secret == widget.identity_secret


def test_blocking_a_visitor_is_written_down(acme: factories.Company, operator: Client) -> None:
    start_chat(acme)
    with tenant_scope(acme.tenant.pk):
        visitor = Visitor.objects.for_tenant(acme.tenant).get()
    page = operator.get(f"/admin/chat/visitor/{visitor.pk}/change/").content.decode()
    assert '<input type="text" name="name"' not in page
    act(operator, "visitor", "block", visitor)
    act(operator, "visitor", "block", visitor)
    with tenant_scope(acme.tenant.pk):
        assert Visitor.objects.for_tenant(acme.tenant).get().blocked_at is not None
    act(operator, "visitor", "unblock", visitor)
    with tenant_scope(acme.tenant.pk):
        assert Visitor.objects.for_tenant(acme.tenant).get().blocked_at is None
    public_id = encode("vi", visitor.pk)
    assert audited(acme) == [("Olivia", "visitor.blocked", public_id), ("Olivia", "visitor.unblocked", public_id)]


def test_a_timeline_shows_labels_and_notes(chat: Chat, operator: Client) -> None:
    path = f"/v1/chat/conversation/{chat.conversation_id}"
    assert chat.agent.post(f"{path}/labels", {"labels": ["vip"]}).status_code == 200
    assert chat.agent.post(f"{path}/labels", {"labels": ["<bug>"]}).status_code == 200
    assert chat.agent.post(f"{path}/note", {"client_message_id": "n", "text": "Careful"}).status_code == 201
    page = operator.get(f"/admin/chat/conversation/{chat.key}/change/").content.decode()
    for told in ("+vip", "+&lt;bug&gt; -vip", "(note) Careful"):
        assert told in page


def test_a_files_page_gives_no_way_to_the_file(chat: Chat, operator: Client) -> None:
    with tenant_scope(chat.tenant_id):
        file = Attachment.objects.create(
            tenant_id=chat.tenant_id,
            conversation_id=chat.key,
            uploader_type="visitor",
            uploader_id=chat.key,
            file_name="bill.pdf",
            size=3,
            content_type="application/pdf",
            storage_key="chat/secret-place",
            sha256=b"\x01" * 32,
            created_at=timezone.now(),
        )
    page = operator.get(f"/admin/chat/attachment/{file.pk}/change/").content.decode()
    assert "bill.pdf" in page
    assert "01" * 32 in page
    assert "secret-place" not in page
    assert "/files/" not in page


def test_deleting_a_label_takes_it_off_conversations(chat: Chat, operator: Client) -> None:
    assert (
        chat.agent.post(f"/v1/chat/conversation/{chat.conversation_id}/labels", {"labels": ["vip"]}).status_code == 200
    )
    with tenant_scope(chat.tenant_id):
        label = Label.objects.for_tenant(chat.tenant_id).get()
    assert operator.post(f"/admin/chat/label/{label.pk}/delete/", {"post": "yes"}).status_code == 302
    with tenant_scope(chat.tenant_id):
        assert Conversation.objects.for_tenant(chat.tenant_id).get().labels == []
        assert not Label.objects.for_tenant(chat.tenant_id).exists()


@pytest.mark.parametrize("model", [Attachment, CannedReply, Conversation, Label, Visitor, Widget])
def test_a_list_costs_the_same_for_many_rows(acme: factories.Company, operator: Client, model: Any) -> None:
    address = f"/admin/chat/{model._meta.model_name}/"
    fill(acme, 1)
    operator.get(address)
    few = queries(operator, address)
    fill(acme, 6)
    assert queries(operator, address) == few


@pytest.mark.parametrize("model", ["attachment", "cannedreply", "conversation", "label", "visitor", "widget"])
def test_a_list_is_narrowed_to_one_company(
    acme: factories.Company, globex: factories.Company, operator: Client, model: str
) -> None:
    for company in (acme, globex):
        fill(company, 1)
    page = operator.get(f"/admin/chat/{model}/?tenant__id__exact={acme.tenant.pk}")
    assert page.status_code == 200
    assert [row.tenant_id for row in page.context["cl"].result_list] == [acme.tenant.pk] * len(
        page.context["cl"].result_list
    )
    assert len(page.context["cl"].result_list) >= 1


def queries(operator: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert operator.get(address).status_code == 200
    return len(captured)


def fill(company: factories.Company, count: int) -> None:
    tenant, now = company.tenant, timezone.now()
    with system_access("test"):
        first = Widget.unscoped.filter(tenant=tenant).order_by("created_at").first()
        already = Visitor.unscoped.filter(tenant=tenant).count()
    with tenant_scope(tenant.pk):
        for number in range(already, already + count):
            visitor = Visitor.objects.create(tenant=tenant, name=f"V{number}")
            conversation = Conversation.objects.create(
                tenant=tenant,
                widget=first,
                visitor=visitor,
                assigned_agent=company.agent,
                created_at=now,
                last_message_at=now,
            )
            Widget.objects.create(tenant=tenant, name=f"W{number}")
            Label.objects.create(tenant=tenant, name=f"l{number}")
            CannedReply.objects.create(tenant=tenant, shortcut=f"r{number}", text="Hi")
            Attachment.objects.create(
                tenant=tenant,
                conversation=conversation,
                uploader_type="visitor",
                uploader_id=visitor.pk,
                file_name="a.txt",
                size=1,
                content_type="text/plain",
                storage_key=f"k{number}",
                sha256=b"0" * 32,
                created_at=now,
            )
