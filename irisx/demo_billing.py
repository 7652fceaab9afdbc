"""The demo company's past: three months of usage and the invoices of it, so that nobody looks at empty pages.

Made by the services that make real ones, each told the day it would have been called on.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.tenancy import system_access
from billing.models import Invoice
from billing.services import (
    Buyer,
    Credited,
    draft_invoice,
    finalize_invoice,
    issue_credit_note,
    record_payment,
    set_profile,
)
from billing.services.dunning import mark_overdue
from common.money import round_money
from common.periods import A_DAY, period_containing
from usage.changes import When
from usage.models import BillingPeriod
from usage.services import (
    advance_subscription,
    change_plan,
    check_period,
    entitle,
    make_partitions,
    roll_periods,
)
from usage.services.ingesting import MOST_EVENTS, ingest
from usage.windows import window_at

PLAN, MONTHS = "professional", 3
BUYER = Buyer(
    country="IE",
    legal_name="Acme Bicycles Ltd",
    address="27 Wheelwright Street",
    postal_code="D08 X2A7",
    city="Dublin",
    tax_id="IE6388047V",
    reference="PO 2208",
    billing_email="fiona@acme.example",
)
AFTER_MIDNIGHT = timedelta(hours=3)  # when periods that ended have closed
PAID_AFTER = timedelta(days=9)
QUOTAS = {"sms_messages": 5_000, "emails": 30_000}


@dataclass(frozen=True)
class Habit:
    """How a meter is used on a working day: so many events, each of so much."""

    channel: str
    resource_type: str
    events: tuple[int, int]
    quantity: tuple[int, int]
    more: tuple[tuple[str, str], ...] = ()


HABITS = (
    Habit("voice", "minute", (5, 12), (40, 840), (("direction", "outbound"), ("destination", "+12125550100"))),
    Habit("sms", "message", (6, 14), (5, 22)),
    Habit("email", "message", (2, 5), (120, 340)),
    Habit("whatsapp", "message", (3, 8), (1, 9)),
    Habit("chat", "conversation", (3, 9), (1, 1)),
    Habit("chat", "message", (12, 30), (1, 1)),
)


def begins_at(now: datetime) -> datetime:
    """Return when the company signed up: the morning of the first day, three months before this one's."""
    day = period_containing(now.date(), 1)[0]
    for _ in range(MONTHS):
        day = period_containing(day - A_DAY, 1)[0]
    return datetime.combine(day, time(9), UTC)


def live_through(*, tenant_id: UUID, now: datetime) -> None:
    """Let a company that signed up at `begins_at` use and pay for the product until `now`; in its scope, once."""
    start = begins_at(now)
    with system_access("months of the demo's past"):
        make_partitions(today=start.date())
    set_profile(tenant_id=tenant_id, buyer=BUYER)
    change_plan(tenant_id=tenant_id, plan_slug=PLAN, when=When.NOW, now=start)
    turn = datetime.combine(start.date() + A_DAY, time.min, UTC) + AFTER_MIDNIGHT
    invoices = _bill(tenant_id, turn)
    for first, last in _months(start.date(), now.date()):
        _use(tenant_id, first, min(last, now.date() - A_DAY))
        if last < now.date():
            turn = datetime.combine(last + A_DAY, time.min, UTC) + AFTER_MIDNIGHT
            invoices += _bill(tenant_id, min(turn, now))
    _settle(invoices, now)
    for feature, value in QUOTAS.items():
        entitle(tenant_id=tenant_id, feature=feature, value=value, starts_at=now, now=now, cap="alert")
    period = BillingPeriod.objects.for_tenant(tenant_id).get(starts_at__lte=now, ends_at__gt=now)
    draft_invoice(tenant_id=tenant_id, period_id=period.pk, now=now)


def _months(first: date, until: date) -> Iterator[tuple[date, date]]:
    while first <= until:
        last = period_containing(first, 1)[1]
        yield first, last
        first = last + A_DAY


def _use(tenant_id: UUID, first: date, last: date) -> None:
    """Record what was used from the first to the last day, inclusive."""
    events = [event for day in range((last - first).days + 1) for event in _day(first + A_DAY * day)]
    window = window_at(datetime.combine(last + A_DAY, time.min, UTC))
    for start in range(0, len(events), MOST_EVENTS):
        ingest(tenant_id=tenant_id, raw_events=events[start : start + MOST_EVENTS], window=window)


def _day(day: date) -> Iterator[dict[str, Any]]:
    """Return a day's events, the same on every installation; half as many on a weekend."""
    chance = random.Random(day.isoformat())  # noqa: S311 - a made-up past, not a secret
    for habit in HABITS:
        count = chance.randint(*habit.events) // (2 if day.weekday() > 4 else 1)
        for number in range(count):
            moment = datetime.combine(day, time(chance.randint(7, 20), chance.randint(0, 59)), UTC)
            yield {
                "idempotency_key": f"demo:{day}:{habit.channel}:{habit.resource_type}:{number}",
                "channel": habit.channel,
                "resource_type": habit.resource_type,
                "quantity": str(chance.randint(*habit.quantity)),
                "occurred_at": moment.isoformat(),
                **dict(habit.more),
            }


def _bill(tenant_id: UUID, now: datetime) -> list[Invoice]:
    """Close what has ended and make its invoices final."""
    advance_subscription(tenant_id=tenant_id, now=now)
    roll_periods(tenant_id=tenant_id, now=now)
    closed = BillingPeriod.objects.for_tenant(tenant_id).filter(state=BillingPeriod.State.CLOSED, checked_at=None)
    made = []
    for period in closed.order_by("starts_at"):
        check_period(tenant_id=tenant_id, period_id=period.pk, now=now)
        draft = draft_invoice(tenant_id=tenant_id, period_id=period.pk, now=now)
        made.append(finalize_invoice(tenant_id=tenant_id, invoice_id=draft.pk, now=now))
    return made


def _settle(invoices: list[Invoice], now: datetime) -> None:
    """Pay all but the last two; of those the older is overdue, the newer paid by half and corrected a little."""
    *paid, overdue, newest = invoices
    for invoice in paid:
        _pay(invoice, invoice.total_amount)
    mark_overdue(tenant_id=overdue.tenant_id, invoice_id=overdue.pk, now=now)
    if newest.finalized_at and newest.finalized_at + PAID_AFTER <= now:
        _pay(newest, round_money(newest.total_amount / 2, newest.currency))
    lines = newest.lines.filter(kind="usage").order_by("-amount")
    line = next(line for line in lines if line.amount - line.allowance >= 1)
    issue_credit_note(
        tenant_id=newest.tenant_id,
        invoice_id=newest.pk,
        key="demo",
        reason="Messages that were not delivered",
        lines=[Credited(line.position, Decimal("4.50"))],
        now=min(now, (newest.finalized_at or now) + A_DAY),
    )
    mark_overdue(tenant_id=newest.tenant_id, invoice_id=newest.pk, now=now)


def _pay(invoice: Invoice, amount: Decimal) -> None:
    assert invoice.finalized_at is not None
    received_at = invoice.finalized_at + PAID_AFTER
    record_payment(
        tenant_id=invoice.tenant_id,
        invoice_id=invoice.pk,
        key=f"demo:{invoice.pk.hex}",
        amount=amount,
        method="bank_transfer",
        reference=f"Acme {invoice.invoice_number}",
        received_at=received_at,
        now=received_at,
    )
