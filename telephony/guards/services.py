"""Say whether a call may be dialled, and by which trunks: at placing, and once more just before it leaves."""

from collections import Counter
from uuid import UUID

from django.db import connection

from accounts.models import Tenant
from common.errors import DomainError
from telephony.errors import (
    AllLinesBusy,
    CountryNotAllowed,
    EmergencyNumber,
    NoTrunk,
    OnDoNotCallList,
    OutboundPaused,
    PremiumNumber,
)
from telephony.guards.destinations import country_of, is_emergency, is_premium
from telephony.guards.models import DialingPolicy, DoNotCall
from telephony.models.calls import CallLeg
from telephony.models.lines import SipTrunk

RETRY_AFTER_SECONDS = 10
# First half of PostgreSQL's two-part advisory locks: "who counts a company's lines".
LINES_LOCK = 0x71E5


def refuse_emergency(text: str, *, from_number: str) -> None:
    """Raise EmergencyNumber for a number that help answers, as it came. Such calls need a telephone that can be located."""
    if is_emergency(text, country=country_of(from_number)):
        raise EmergencyNumber("Emergency numbers can't be called from here. Use a telephone.", pointer="/to")


def refuse_destination(*, tenant_id: UUID, to_number: str, from_number: str) -> None:
    """Raise what forbids this call: OutboundPaused, OnDoNotCallList, PremiumNumber or CountryNotAllowed. Two queries."""
    policy = DialingPolicy.objects.for_tenant(tenant_id).first() or DialingPolicy(tenant_id=tenant_id)
    if policy.is_paused:
        raise OutboundPaused(policy.pause_reason or "Outbound calls are paused; ask your operator.")
    if DoNotCall.objects.for_tenant(tenant_id).filter(number=to_number).exists():
        raise OnDoNotCallList("This number is on your do-not-call list.", pointer="/to")
    if is_premium(to_number) and not policy.is_premium_allowed:
        raise PremiumNumber("Premium-rate and shared-cost numbers need your operator's leave.", pointer="/to")
    country = country_of(to_number)
    if country not in {country_of(from_number), *policy.countries}:
        raise CountryNotAllowed(f"Calls to {country} need your operator's leave.", pointer="/to")


def objection(*, tenant_id: UUID, to_number: str, from_number: str) -> str:
    """Return the code of what forbids a call that was placed already, or an empty string. Two queries."""
    try:
        refuse_destination(tenant_id=tenant_id, to_number=to_number, from_number=from_number)
    except DomainError as refusal:
        return refusal.code
    return ""


def trunks_for(*, tenant_id: UUID) -> list[SipTrunk]:
    """Return the active trunks that carry another call now, the first to try first.

    Raises NoTrunk where none is active, AllLinesBusy when the company has as many calls as its plan allows
    (`limits.concurrent_calls`) or all its trunks are full. Who is about to dial holds the company's lines until the
    end of the transaction (`hold_lines`), so that two cannot take the last. A line is taken while its leg lives: what
    counts are the legs themselves, so that no crash can leak one. Three queries.
    """
    active = list(SipTrunk.objects.for_tenant(tenant_id).filter(is_active=True).order_by("priority", "id"))
    if not active:
        raise NoTrunk("You have no active SIP trunk: calls have no way out.")
    living = list(CallLeg.objects.for_tenant(tenant_id).filter(finalized_at=None).values_list("call_id", "trunk_id"))
    limit = Tenant.objects.values_list("limits", flat=True).get(pk=tenant_id).get("concurrent_calls")
    if limit is not None and len({call_id for call_id, _ in living}) >= limit:
        raise AllLinesBusy(f"You have {limit} calls at a time.", retry_after_seconds=RETRY_AFTER_SECONDS)
    taken = Counter(trunk_id for _, trunk_id in living)
    free = [trunk for trunk in active if trunk.max_concurrent is None or taken[trunk.pk] < trunk.max_concurrent]
    if not free:
        raise AllLinesBusy("All your trunks are full.", retry_after_seconds=RETRY_AFTER_SECONDS)
    return free


def hold_lines(*, tenant_id: UUID) -> None:
    """Let nobody else take a line of this company until the end of the transaction. One statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [LINES_LOCK, str(tenant_id)])
