"""What tests of usage say often."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.tenancy import tenant_scope
from tests.factories import NOW, Company
from usage.models import BillingPeriod
from usage.services import Receipt, record_usage

_keys = count(1)


def at(year: int, month: int, day: int, hour: int = 12, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def record(company: Company, **changes: Any) -> Receipt:
    """Record one SMS of the company, or what `changes` say, in its own scope."""
    fields: dict[str, Any] = {
        "channel": "sms",
        "resource_type": "message",
        "quantity": Decimal(1),
        "occurred_at": NOW,
        "dedup_key": f"test:{next(_keys)}",
        **changes,
    }
    with tenant_scope(company.tenant.pk):
        return record_usage(tenant_id=company.tenant.pk, **fields)


def call(company: Company, seconds: int, **changes: Any) -> Receipt:
    """Record a call of so many seconds to a number in North America."""
    voice = {"channel": "voice", "resource_type": "minute", "direction": "outbound", "destination": "+12125550100"}
    return record(company, quantity=Decimal(seconds), **{**voice, **changes})


def periods(company: Company) -> list[BillingPeriod]:
    with tenant_scope(company.tenant.pk):
        return list(
            BillingPeriod.objects.for_tenant(company.tenant).select_related("subscription__plan").order_by("starts_at")
        )


def rows(company: Company, query: str) -> list[tuple[Any, ...]]:
    """Run a query in the company's scope."""
    with tenant_scope(company.tenant.pk), connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def counts(company: Company) -> tuple[int, int, int]:
    """Return how many records, keys and deltas the company has."""
    query = "SELECT (SELECT count(*) FROM usage_records), (SELECT count(*) FROM usage_dedup), "
    return rows(company, query + "(SELECT count(*) FROM usage_summary_deltas)")[0]  # type: ignore[return-value] # three


def tenant_id(company: Company) -> UUID:
    return UUID(str(company.tenant.pk))
