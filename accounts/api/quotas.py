"""How many requests a minute programs may make: the company's, by its plan, and the key's own."""

from datetime import datetime

from django.conf import settings
from django.http import HttpResponseBase

from accounts.principals import Kind, Principal
from common import ratelimit
from common.errors import TooMany
from common.ratelimit import WINDOW_SECONDS, Quota, Spent

COMPANY, KEY = "company", "key"


def spend(principal: Principal, *, now: datetime) -> Spent:
    """Count one request of a program's. Visitors have limits of their own (chat.limits), people in browsers none."""
    if not settings.IRISX_API_QUOTAS or principal.kind is Kind.VISITOR:
        return Spent()
    return ratelimit.spend(quotas_of(principal), now=now)


def quotas_of(principal: Principal) -> tuple[Quota, ...]:
    """Return the quotas a program's requests count against: its company's, then the key's own, where they have any."""
    of = ((COMPANY, principal.tenant_id, principal.company_per_minute), (KEY, principal.id, principal.own_per_minute))
    return tuple(Quota(name, owner.hex, most) for name, owner, most in of if most is not None)


def refusal(spent: Spent) -> TooMany:
    """Return what a request is answered that came when a quota was used up."""
    names = [s.quota for s in spent.standings if s.remaining == 0]
    told = " and ".join(f"the {quota.name}'s {quota.per_minute} requests a minute" for quota in names)
    return TooMany(f"This is beyond {told}.", retry_after_seconds=spent.wait_seconds)


def add_headers(response: HttpResponseBase, spent: Spent) -> None:
    """Say how the quotas stand (draft-ietf-httpapi-ratelimit-headers-10): what is left, and in how many seconds all is back."""
    if not spent.standings:
        return
    policies = [f'"{s.quota.name}";q={s.quota.per_minute};w={WINDOW_SECONDS}' for s in spent.standings]
    stands = [f'"{s.quota.name}";r={s.remaining};t={s.reset_seconds}' for s in spent.standings]
    response["RateLimit-Policy"], response["RateLimit"] = ", ".join(policies), ", ".join(stands)
