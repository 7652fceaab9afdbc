"""From a credential to a principal. Each way reads across tenants once (by the named bypass), then the tenant is known."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts import sessions, tokens, visiting
from accounts.audit import origin
from accounts.models import ApiKey, Membership, Tenant, User
from accounts.permissions import ROLE_PERMISSIONS, VISITOR, Role
from accounts.principals import Kind, Principal
from accounts.tenancy import stay_in, system_access, tenant_scope
from accounts.tokens import VisitorClaim
from common.columns import Columns
from common.db import prepared
from common.errors import Forbidden, NotAuthenticated

SECOND_FACTOR_NEEDED = "second-factor-needed"
USED_AT_MOST_EVERY = timedelta(minutes=1)
PER_MINUTE = "api_requests_per_minute"  # the feature of a plan, under its slug in tenants.limits
TENANT = Columns(Tenant, "id", "status", "limits")
KEY = Columns(ApiKey)
KEY_BY_PREFIX = f"""
SELECT {KEY.sql("k")}, {TENANT.sql("t")} FROM api_keys k JOIN tenants t ON t.id = k.tenant_id WHERE k.prefix = %s
"""  # noqa: S608 - names of columns, ours
STANDING = f"SELECT {TENANT.sql('t')} FROM tenants t WHERE id = %s"  # noqa: S608 - names of columns, ours


def by_api_key(text: str, *, now: datetime) -> Principal:
    """Return the principal of an API key; raise NotAuthenticated when it is unknown, revoked or expired."""
    return enter_by_api_key(text, now=now, stays=False)[0]


def enter_by_api_key(text: str, *, now: datetime, stays: bool = True) -> tuple[Principal, bool]:
    """Return the principal, too, and whether the transaction stays in its tenant's scope from here on."""
    prefix, secret = tokens.split_key(text)
    with system_access("sign-in by API key") as turn:
        key = _key_by_prefix(prefix)
        if key is None or not tokens.secret_matches(secret, key.secret_hash) or not key.is_usable(now):
            raise NotAuthenticated("This API key is unknown, revoked or expired.")
        _require_open(key.tenant)
        if key.last_used_at is None or key.last_used_at < now - USED_AT_MOST_EVERY:
            ApiKey.unscoped.filter(pk=key.pk).update(last_used_at=now, last_used_address=origin.current().address)
        has_stayed = stays and stay_in(turn, key.tenant_id)
    return _key_principal(key), has_stayed


def by_visitor_token(text: str, *, now: datetime) -> Principal:
    """Return the principal of a visitor token; raise NotAuthenticated or, for a suspended tenant, Forbidden."""
    claim = visitor_claim(text, now=now)
    with tenant_scope(claim.tenant_id):
        return claimed_visitor(claim)


def enter_by_visitor_token(text: str, *, now: datetime) -> tuple[Principal, bool]:
    """Return the principal, too, and whether the transaction stays in its tenant's scope from here on."""
    claim = visitor_claim(text, now=now)
    with tenant_scope(claim.tenant_id) as turn:
        return claimed_visitor(claim), turn.settle()


def visitor_claim(text: str, *, now: datetime) -> VisitorClaim:
    """Return what a visitor token says, unproven by the database; raise NotAuthenticated when it is forged or expired."""
    return tokens.read_visitor_token(text, now=now)


def claimed_visitor(claim: VisitorClaim) -> Principal:
    """Return the principal of a token's claim as the database knows it now. Runs inside the tenant's scope.

    Raises NotAuthenticated once its tokens have ended (forgotten, erased, become somebody known), Forbidden while it is
    blocked (`blocked`) or its tenant suspended.
    """
    tenant = _standing_of(claim.tenant_id)
    state = visiting.state_of(tenant_id=claim.tenant_id, visitor_id=claim.visitor_id)
    if tenant is None or state is None:
        raise NotAuthenticated("This visitor token belongs to nobody here.")
    _require_open(tenant)
    if state.is_blocked:
        raise Forbidden("This visitor has been blocked.", code="blocked")
    if state.auth_version != claim.auth_version:
        raise NotAuthenticated("This visitor token has ended; start a conversation again.", code="token-expired")
    version = state.auth_version
    return Principal(Kind.VISITOR, claim.visitor_id, claim.tenant_id, state.name, VISITOR, auth_version=version)


def current_principal(*, kind: Kind, id: UUID, tenant_id: UUID, auth_version: int, now: datetime) -> Principal:
    """Return a principal met before, as the database knows it now; raise NotAuthenticated or Forbidden."""
    match kind:
        case Kind.VISITOR:
            with tenant_scope(tenant_id):
                return claimed_visitor(VisitorClaim(tenant_id, id, auth_version, expires_at=now))
        case Kind.API_KEY:
            return _current_key_principal(key_id=id, tenant_id=tenant_id, now=now)
    return current_user_principal(user_id=id, tenant_id=tenant_id, auth_version=auth_version)


def _current_key_principal(*, key_id: UUID, tenant_id: UUID, now: datetime) -> Principal:
    with tenant_scope(tenant_id):
        key = ApiKey.objects.for_tenant(tenant_id).select_related("tenant").filter(pk=key_id).first()
    if key is None or not key.is_usable(now):
        raise NotAuthenticated("This API key is unknown, revoked or expired.")
    _require_open(key.tenant)
    return _key_principal(key)


def by_membership(user: User, *, tenant_id: UUID | None = None) -> Principal:
    """Return a user's principal in the named tenant, else in the first one joined.

    Raises Forbidden when the user belongs to no open tenant, or not to that one.
    """
    with system_access("sign-in by membership"):
        rows = Membership.unscoped.select_related("tenant").filter(user=user, is_active=True)
        wanted = rows.filter(tenant_id=tenant_id) if tenant_id else rows
        membership = wanted.order_by("created_at").first()
    if membership is None or not user.is_active:
        raise Forbidden("You are not a member of this company.", code="not-a-member")
    _require_open(membership.tenant)
    if asks_second_factor(membership.tenant.settings) and user.second_factor_at is None:
        raise Forbidden("This company asks for a second factor; turn one on first.", code=SECOND_FACTOR_NEEDED)
    return user_principal(user, membership)


def asks_second_factor(settings: dict[str, Any]) -> bool:
    """Say whether a company lets in only people with a second factor."""
    return settings.get("require_mfa") is True


def by_ticket(ticket: str) -> Principal:
    """Return the principal a socket ticket was issued to, as it stands now."""
    _, user_id, tenant_id, auth_version, session = tokens.redeem_ticket(ticket)
    if sessions.ended([session]):
        raise NotAuthenticated("You have been signed out.")
    principal = current_user_principal(user_id=user_id, tenant_id=tenant_id, auth_version=auth_version)
    return replace(principal, session=session)


def current_user_principal(*, user_id: UUID, tenant_id: UUID, auth_version: int) -> Principal:
    """Return a user's principal as the database knows it now; raise NotAuthenticated once signed out or suspended."""
    user = User.objects.filter(Q(auth_version=auth_version), pk=user_id, is_active=True).first()
    if user is None:
        raise NotAuthenticated("You have been signed out.")
    return by_membership(user, tenant_id=tenant_id)


def user_principal(user: User, membership: Membership) -> Principal:
    """Return the principal of a membership already read."""
    permissions = ROLE_PERMISSIONS[Role(membership.role)]
    return Principal(
        Kind.USER,
        user.pk,
        membership.tenant_id,
        user.name,
        permissions,
        membership.role,
        user.auth_version,
        company_per_minute=_per_minute(membership.tenant),
    )


def _key_principal(key: ApiKey) -> Principal:
    return Principal(
        Kind.API_KEY,
        key.pk,
        key.tenant_id,
        key.name,
        frozenset(key.scopes),
        company_per_minute=_per_minute(key.tenant),
        own_per_minute=key.per_minute,
    )


def _per_minute(tenant: Tenant) -> int | None:
    """Return how many requests a company's programs may make a minute; None for any number."""
    most = tenant.limits.get(PER_MINUTE)
    return None if most is None else int(most)


def _key_by_prefix(prefix: str) -> ApiKey | None:
    """Return a key with its tenant, of which only status and limits are known. Every request of an integration asks."""
    found = prepared(KEY_BY_PREFIX, [prefix])
    values = iter(found[0] if found else ())
    key, tenant = (KEY.take(values), TENANT.take(values)) if found else (None, None)
    if key is not None and tenant is not None:
        key.tenant = tenant
    return key


def _standing_of(tenant_id: UUID) -> Tenant | None:
    """Return a tenant of which only status and limits are known; None when there is none. Every socket of a visitor asks."""
    found = prepared(STANDING, [tenant_id])
    return TENANT.take(iter(found[0])) if found else None


def _require_open(tenant: Tenant) -> None:
    if not tenant.is_open:
        raise Forbidden("This company's account is suspended.", code="tenant-suspended")
