"""Credit over HTTP: what is left, what is set aside, and every line of the ledger."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from common.ids import encode
from common.money import plain, round_money
from common.pagination import paginate
from common.timestamps import rfc3339
from usage.credit import Grant
from usage.models import CreditEntry, CreditHold
from usage.selectors.balances import CreditState, credit_state
from usage.selectors.credit import live_holds

CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous` of another page.")
LIMIT = OpenApiParameter("limit", int, description="1 to 200, 50 by default.")
DECIMAL = "A decimal in a string."


class CreditBalanceAnswer(serializers.Serializer[Any]):
    available = serializers.CharField(help_text="Free to use now: credit_remaining of the current period. " + DECIMAL)
    held = serializers.CharField(help_text="Set aside for what is under way, e.g. calls. " + DECIMAL)
    unbilled = serializers.CharField(help_text="What usage not invoiced yet takes of it. " + DECIMAL)


class CreditGrantAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    source = serializers.ChoiceField(CreditEntry.Source.values)  # type: ignore[assignment] # DRF takes it out of the class
    left = serializers.CharField(help_text="Not used by invoices yet. " + DECIMAL)
    remaining = serializers.CharField(help_text="What usage not invoiced yet leaves of it. " + DECIMAL)
    priority = serializers.IntegerField(help_text="The smallest is used first, then what expires first.")
    starts_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class CreditHoldAnswer(serializers.Serializer[Any]):
    key = serializers.CharField()
    amount = serializers.CharField()
    expires_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()


class CreditEntryAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.ChoiceField(CreditEntry.Kind.values)
    source = serializers.ChoiceField(CreditEntry.Source.values)  # type: ignore[assignment] # DRF takes it out of the class
    key = serializers.CharField(help_text="What it is for, e.g. invoice:…")
    grant = serializers.CharField(allow_null=True, help_text="The grant it was taken from.")
    amount = serializers.CharField(help_text="Less than 0 for what was taken. " + DECIMAL)
    currency = serializers.CharField()
    starts_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()
    created_at = serializers.DateTimeField()


class Credits(serializers.Serializer[Any]):
    currency = serializers.CharField()
    balance = CreditBalanceAnswer()
    grants = CreditGrantAnswer(many=True)
    holds = CreditHoldAnswer(many=True)
    results = CreditEntryAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class CreditViewSet(TenantViewSet):
    permissions = {"list": "billing.read"}

    @extend_schema(
        summary="Credit: what is left, what is set aside, and the ledger, newest first",
        parameters=[CURSOR, LIMIT],
        responses={200: Credits},
        tags=["billing"],
    )
    def list(self, request: Request) -> Response:
        tenant_id = self.principal.tenant_id
        credit = credit_state(tenant_id=tenant_id, now=self.now)
        holds = live_holds(tenant_id=tenant_id, now=self.now)
        entries = CreditEntry.objects.for_tenant(tenant_id)
        return Response(
            {
                "currency": credit.currency,
                "balance": present_balance(credit),
                "grants": [_present_grant(grant, credit) for grant in credit.grants],
                "holds": [_present_hold(hold) for hold in holds],
                **paginate(entries, request, present=present_entry),
            }
        )


def present_balance(credit: CreditState) -> dict[str, str]:
    """Return what is free, what is held and what unbilled usage takes, in money."""
    return {
        "available": _money(credit.available, credit.currency),
        "held": _money(credit.held, credit.currency),
        "unbilled": _money(credit.granted - credit.unused, credit.currency),
    }


def present_entry(entry: CreditEntry) -> dict[str, Any]:
    """Return one line of the ledger."""
    return {
        "id": encode("ce", entry.pk),
        "kind": entry.kind,
        "source": entry.source,
        "key": entry.key,
        "grant": encode("ce", entry.grant_id) if entry.grant_id else None,
        "amount": _money(entry.amount, entry.currency),
        "currency": entry.currency,
        "starts_at": rfc3339(entry.starts_at),
        "expires_at": rfc3339(entry.expires_at),
        "note": entry.note,
        "created_at": rfc3339(entry.created_at),
    }


def _present_grant(grant: Grant, credit: CreditState) -> dict[str, Any]:
    return {
        "id": encode("ce", grant.id),
        "source": grant.source,
        "left": _money(grant.amount, credit.currency),
        "remaining": _money(credit.left[grant.id], credit.currency),
        "priority": grant.priority,
        "starts_at": rfc3339(grant.starts_at),
        "expires_at": rfc3339(grant.expires_at),
    }


def _present_hold(hold: CreditHold) -> dict[str, Any]:
    return {
        "key": hold.key,
        "amount": plain(hold.amount),
        "expires_at": rfc3339(hold.expires_at),
        "created_at": rfc3339(hold.created_at),
    }


def _money(amount: Decimal, currency: str) -> str:
    return str(round_money(amount, currency))
