"""Overdue on the day after the due date, and each reminder once."""

from datetime import datetime

import pytest

from accounts.tenancy import tenant_scope
from billing.models import BillingMail, Invoice
from billing.services import mark_overdue, past_due, queue_reminders
from billing.tasks import remind
from tests.billing.helpers import announced, buy_from, finalized, sell_from, stored
from tests.billing.test_payments import pay
from tests.factories import Company
from tests.usage.helpers import at

DAYS = [-3, 7, 14]


@pytest.fixture
def invoice(acme: Company) -> Invoice:
    """Return an invoice issued on 1 April and due on the 15th."""
    sell_from("IE")
    buy_from(acme, "IE")
    return finalized(acme)


def overdue(invoice: Invoice, now: datetime) -> bool:
    with tenant_scope(invoice.tenant_id):
        return mark_overdue(tenant_id=invoice.tenant_id, invoice_id=invoice.pk, now=now)


def reminders(invoice: Invoice) -> list[int | None]:
    with tenant_scope(invoice.tenant_id):
        mails = BillingMail.objects.for_tenant(invoice.tenant_id).filter(kind="reminder", invoice=invoice)
        return sorted(mails.values_list("days", flat=True))


class TestOverdue:
    def test_from_the_day_after_and_once(self, acme: Company, invoice: Invoice) -> None:
        assert not overdue(invoice, at(2026, 4, 15, 23))
        assert overdue(invoice, at(2026, 4, 16, 0))
        assert not overdue(invoice, at(2026, 4, 17))
        assert stored(invoice).status == "overdue"
        assert announced(acme) == ["invoice.finalized", "invoice.overdue"]

    def test_counts_the_seller_s_days(self, acme: Company) -> None:
        sell_from("IE", timezone="Pacific/Kiritimati")  # UTC+14
        buy_from(acme, "IE")
        invoice = finalized(acme)
        now = at(2026, 4, 15, 10)  # the 16th has begun there
        assert past_due(now=now) == [(acme.tenant.pk, invoice.pk)]
        assert overdue(invoice, now)

    def test_never_what_is_paid(self, invoice: Invoice) -> None:
        pay(invoice, "30.75")
        assert past_due(now=at(2026, 5, 1)) == []
        assert not overdue(invoice, at(2026, 5, 1))
        assert stored(invoice).status == "paid"

    def test_beat_does_it(self, invoice: Invoice) -> None:
        remind()  # years later
        assert stored(invoice).status == "overdue"


class TestReminders:
    @pytest.mark.parametrize(
        ("day", "sent"),
        [
            (at(2026, 4, 11), []),
            (at(2026, 4, 12), [-3]),
            (at(2026, 4, 15), [-3]),
            (at(2026, 4, 16), []),
            (at(2026, 4, 22), [7]),
            (at(2026, 4, 28), [7]),
            (at(2026, 4, 29), [14]),
            (at(2026, 5, 6), []),
        ],
    )
    def test_each_on_its_day_or_a_week_later_at_most(self, invoice: Invoice, day: datetime, sent: list[int]) -> None:
        queue_reminders(now=day, days=DAYS)
        assert reminders(invoice) == sent

    def test_each_once(self, invoice: Invoice) -> None:
        days = [at(2026, 4, day, hour) for day in range(2, 30) for hour in (3, 15)]
        assert sum(queue_reminders(now=day, days=DAYS) for day in days) == 3
        assert reminders(invoice) == DAYS

    def test_none_before_the_invoice_itself(self, acme: Company) -> None:
        sell_from("IE", due_days=3)
        buy_from(acme, "IE")
        invoice = finalized(acme)
        queue_reminders(now=at(2026, 4, 2), days=DAYS)
        assert reminders(invoice) == []

    def test_none_of_what_is_paid(self, invoice: Invoice) -> None:
        pay(invoice, "30.75")
        assert queue_reminders(now=at(2026, 4, 22), days=DAYS) == 0

    def test_none_where_none_are_wanted(self, invoice: Invoice) -> None:
        assert queue_reminders(now=at(2026, 4, 22), days=[]) == 0
