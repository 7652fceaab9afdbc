"""The demo company: made once, and left as people changed it."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy import system_access
from billing.models import CreditNote, Invoice, Payment
from billing.services import reconcile
from chat.models import CannedReply, Label, Widget
from irisx.management.commands.seed_demo import seed


def test_the_demos_desk_has_labels_and_replies_and_keeps_what_people_changed(db: None) -> None:
    first = seed({})
    shown = catalogue()
    assert shown["labels"] == ["billing", "bug", "order", "repair", "vip"]
    assert len(shown["replies"]) == 5
    assert any("{{visitor.name}}" in text for text in shown["replies"])
    with system_access("test"):
        Label.unscoped.filter(name="bug").delete()
        Widget.unscoped.update(answer_seconds=7)
    again = seed(first)
    assert again["widget_key"] == first["widget_key"]
    assert catalogue()["labels"] == ["billing", "order", "repair", "vip"]
    assert catalogue()["answer_seconds"] == 7


def test_the_demo_has_a_past_of_invoices_and_no_second_one(db: None) -> None:
    first = seed({})
    before = invoices()
    assert [status for _, status in before][:4] == ["draft", "overdue", "overdue", "paid"] or [
        status for _, status in before
    ][:4] == ["draft", "pending", "overdue", "paid"]
    assert len(before) == 5
    seed(first)
    assert invoices() == before
    with system_access("test"):
        tenant = Tenant.objects.get(slug="acme")
        assert (tenant.plan, tenant.status) == ("professional", "active")
        assert CreditNote.unscoped.filter(tenant=tenant).count() == 1
        assert {row.invoice_id for row in Payment.unscoped.filter(tenant=tenant)} <= {key for key, _ in before}


def test_the_demos_past_agrees_with_itself(db: None) -> None:
    seed({})
    with system_access("test"):
        assert reconcile(now=timezone.now()).findings == []


def invoices() -> list[tuple[UUID, str]]:
    with system_access("test"):
        return list(Invoice.unscoped.order_by("-period_start").values_list("pk", "status"))


def catalogue() -> dict[str, Any]:
    with system_access("test"):
        tenant = Tenant.objects.get(slug="acme")
        return {
            "labels": sorted(Label.unscoped.filter(tenant=tenant).values_list("name", flat=True)),
            "replies": list(CannedReply.unscoped.filter(tenant=tenant).values_list("text", flat=True)),
            "answer_seconds": Widget.unscoped.get(tenant=tenant).answer_seconds,
        }
