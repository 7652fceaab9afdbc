"""What tests of credit say often."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection

from accounts.tenancy import tenant_scope
from tests.factories import NOW, Company
from usage import services
from usage.credit import ALLOWANCE
from usage.models import CreditEntry

D = Decimal


def give(
    company: Company,
    amount: str,
    *,
    key: str = "topup",
    source: str = "prepaid",
    starts_at: datetime = NOW,
    expires_at: datetime | None = None,
    priority: int | None = None,
    currency: str = "USD",
) -> CreditEntry:
    with tenant_scope(company.tenant.pk):
        return services.grant(
            tenant_id=company.tenant.pk,
            source=source,
            key=key,
            amount=D(amount),
            currency=currency,
            starts_at=starts_at,
            expires_at=expires_at,
            priority=priority,
        )


def burn(
    company: Company,
    amount: str,
    *,
    key: str = "invoice:1",
    at: datetime = NOW,
    sources: tuple[str, ...] = ALLOWANCE,
    period_id: UUID | None = None,
) -> list[tuple[str, Decimal]]:
    with tenant_scope(company.tenant.pk):
        taken = services.burn(
            tenant_id=company.tenant.pk, key=key, amount=D(amount), at=at, sources=sources, period_id=period_id
        )
    return [(part.source, part.amount) for part in taken]


def entries(company: Company) -> list[tuple[str, str, Decimal]]:
    with tenant_scope(company.tenant.pk):
        rows = CreditEntry.objects.for_tenant(company.tenant).order_by("id")
        return [(row.kind, row.source, row.amount) for row in rows]


def balance(company: Company) -> tuple[Decimal, Decimal, Decimal]:
    """Return the row and prove that it is the ledger's sum."""
    query = """SELECT available, held, reserved, (SELECT sum(amount) FROM credit_entries) FROM credit_balances"""
    with tenant_scope(company.tenant.pk), connection.cursor() as cursor:
        cursor.execute(query)
        available, held, reserved, ledger = cursor.fetchone()
    assert available + held + reserved == ledger
    return available, held, reserved
