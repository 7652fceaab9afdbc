"""What stands on an invoice, as plain values; and the same as the text the template prints."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from common.money import exponent, plain

MINUS = "\N{MINUS SIGN}"
EN_DASH = "\N{EN DASH}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Party:
    """Seller or buyer; `address` is one line each."""

    name: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    email: str = ""


@dataclass(frozen=True)
class Line:
    """One line; `detail` explains it in small print, `unit_price` None where the price has tiers."""

    description: str
    service_start: date
    service_end: date
    quantity: Decimal
    unit: str
    unit_price: Decimal | None
    amount: Decimal
    detail: str = ""


@dataclass(frozen=True)
class UsageDay:
    """What one meter counted on one local day."""

    day: date
    meter: str
    quantity: Decimal
    unit: str
    events: int


@dataclass(frozen=True)
class InvoiceContent:
    """All that an invoice document says. Amounts are rounded already; `allowance` is the credit taken off, positive."""

    number: str
    is_draft: bool
    currency: str
    seller: Party
    buyer: Party
    plan: str
    period_start: date
    period_end: date
    issue_date: date | None
    due_date: date | None
    lines: tuple[Line, ...]
    subtotal: Decimal
    allowance: Decimal
    tax: Decimal
    total: Decimal
    timezone: str
    as_of: datetime
    notes: str = ""
    usage: tuple[UsageDay, ...] = ()


def printed(content: InvoiceContent) -> dict[str, Any]:
    """Return the content as the template prints it: text only, in English, amounts with the currency's digits."""
    return {
        "draft": content.is_draft,
        "number": content.number,
        "currency": content.currency,
        "seller": _party(content.seller),
        "buyer": _party(content.buyer),
        "facts": _facts(content),
        "lines": [_line(line, content.currency) for line in content.lines],
        "totals": _totals(content),
        "total": money(content.total, content.currency),
        "zone": content.timezone,
        "as_of": f"{day(content.as_of.date())}, {content.as_of:%H:%M}",
        "notes": content.notes,
        "usage": [_usage(row) for row in content.usage],
    }


def money(amount: Decimal, currency: str) -> str:
    """Return an amount with grouped digits and a true minus sign, e.g. `1,234.50`."""
    return f"{amount:,.{exponent(currency)}f}".replace("-", MINUS)


def price(amount: Decimal, currency: str) -> str:
    """Return a unit price with all its digits, at least the currency's."""
    digits = plain(amount).partition(".")[2]
    return f"{amount:,.{max(exponent(currency), len(digits))}f}"


def quantity(number: Decimal) -> str:
    """Return a quantity with grouped digits and no needless zeros."""
    whole, point, digits = plain(number).partition(".")
    return f"{int(whole):,}{point}{digits}".replace("-", MINUS)


def day(value: date) -> str:
    """Return a date that cannot be misread on either side of the ocean, e.g. `3 Nov 2026`."""
    return f"{value.day} {value:%b %Y}".replace(" ", NO_BREAK_SPACE)


def days(first: date, last: date) -> str:
    """Return a range of days, naming month and year once where they are the same."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}{EN_DASH}{day(last)}"
    return f"{day(first)} {EN_DASH} {day(last)}"


def _party(party: Party) -> dict[str, Any]:
    return {"name": party.name, "address": party.address, "tax_id": party.tax_id, "email": party.email}


def _facts(content: InvoiceContent) -> list[list[str]]:
    facts = [
        ["Invoice number", content.number or "given when finalized"],
        ["Issue date", day(content.issue_date) if content.issue_date else "not issued"],
        ["Due date", day(content.due_date) if content.due_date else EN_DASH],
        ["Service period", days(content.period_start, content.period_end)],
        ["Plan", content.plan],
        ["Currency", content.currency],
    ]
    return facts if not content.is_draft else [fact for fact in facts if fact[0] not in ("Issue date", "Due date")]


def _line(line: Line, currency: str) -> dict[str, str]:
    return {
        "description": line.description,
        "detail": line.detail,
        "period": days(line.service_start, line.service_end),
        "quantity": quantity(line.quantity),
        "unit": line.unit,
        "price": "tiered" if line.unit_price is None else price(line.unit_price, currency),
        "amount": money(line.amount, currency),
    }


def _totals(content: InvoiceContent) -> list[list[str]]:
    rows = [["Subtotal", money(content.subtotal, content.currency)]]
    if content.allowance:
        rows.append(["Included credit used", money(-content.allowance, content.currency)])
    return [*rows, ["Tax", money(content.tax, content.currency)]]


def _usage(row: UsageDay) -> dict[str, str]:
    return {
        "day": day(row.day),
        "meter": row.meter,
        "quantity": quantity(row.quantity),
        "unit": row.unit,
        "events": f"{row.events:,}",
    }
