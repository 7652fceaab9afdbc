"""What the pulse asks for all sockets of a process at once: who they still are, the heads they follow, the state of inboxes.

Each function reads across tenants in one named transaction; every answer is matched with the asking socket's own tenant.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Sum

from accounts import sessions
from accounts.authentication import asks_second_factor
from accounts.models import Membership, Tenant
from accounts.permissions import ROLE_PERMISSIONS, Role
from accounts.sockets import Finding, Listener, Sign
from accounts.tenancy import system_access
from chat.models import Conversation, Visitor
from common.ids import encode

Heads = dict[UUID, tuple[UUID, UUID, int, int]]  # conversation → tenant, visitor, agents' head, visitor's head
Key = tuple[UUID, UUID]  # tenant, then user or visitor
OPEN_TENANTS = (Tenant.Status.TRIAL, Tenant.Status.ACTIVE)

NOTE_VISITORS = """
UPDATE chat_visitors v SET last_seen_at = greatest(v.last_seen_at, sign.heard_at)
FROM (
  SELECT known.id, heard.heard_at
  FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[]) AS heard (tenant_id, visitor_id, heard_at)
  JOIN chat_visitors known ON known.id = heard.visitor_id AND known.tenant_id = heard.tenant_id
  ORDER BY known.id FOR NO KEY UPDATE OF known
) sign
WHERE v.id = sign.id
"""


def epoch_of(settings: dict[str, Any]) -> str:
    """Return a tenant's epoch: another one after a restore tells clients to forget what they hold."""
    return str(settings.get("socket_epoch", 1))


def examine_agents(listeners: Sequence[Listener]) -> list[Finding | None]:
    """Return what each agent's ping says; None for one that may listen no more. Three queries, one look at Valkey."""
    with system_access("the pulse of agents' sockets"):
        members = _members({listener.principal.id for listener in listeners})
        heads = _heads(listeners)
        inboxes = _inboxes({listener.principal.tenant_id for listener in listeners})
    ended = sessions.ended(listener.principal.session for listener in listeners)
    return [
        None if listener.principal.session in ended else _agent_finding(listener, members, heads, inboxes)
        for listener in listeners
    ]


def examine_visitors(listeners: Sequence[Listener]) -> list[Finding | None]:
    """Return what each visitor's ping says; None for one that may listen no more. Two queries."""
    with system_access("the pulse of visitors' sockets"):
        visitors = _visitors({listener.principal.id for listener in listeners})
        heads = _heads(listeners)
    return [_visitor_finding(listener, visitors, heads) for listener in listeners]


def note_visitors(signs: Sequence[Sign]) -> None:
    """Store when these visitors were last heard. One statement, rows locked in the order of their keys."""
    people = [sign.principal for sign in signs]
    columns: list[Any] = [
        [who.tenant_id for who in people],
        [who.id for who in people],
        [sign.heard_at for sign in signs],
    ]
    with system_access("visitors' signs of life"), connection.cursor() as cursor:
        cursor.execute(NOTE_VISITORS, columns)


# --- agents ----------------------------------------------------------------------------------------------------------


def _members(user_ids: Iterable[UUID]) -> dict[Key, Mapping[str, Any]]:
    rows = Membership.unscoped.filter(
        user_id__in=list(user_ids), is_active=True, user__is_active=True, tenant__status__in=OPEN_TENANTS
    ).values(
        "tenant_id", "user_id", "role", "user__name", "user__auth_version", "user__second_factor_at", "tenant__settings"
    )
    return {
        (row["tenant_id"], row["user_id"]): row
        for row in rows
        if row["user__second_factor_at"] or not asks_second_factor(row["tenant__settings"])
    }


def _agent_finding(
    listener: Listener, members: Mapping[Key, Mapping[str, Any]], heads: Heads, inboxes: dict[UUID, dict[str, int]]
) -> Finding | None:
    who = listener.principal
    member = members.get((who.tenant_id, who.id))
    if member is None or member["user__auth_version"] != who.auth_version:
        return None
    permissions = ROLE_PERMISSIONS[Role(member["role"])]
    if "chat.read" not in permissions:
        return None
    name, role = member["user__name"], member["role"]
    if (name, role) != (who.name, who.role):
        who = replace(who, name=name, role=role, permissions=permissions)
    known = {id: heads[id] for id in listener.followed if id in heads}
    ping = {
        "epoch": epoch_of(member["tenant__settings"]),
        "heads": {encode("cc", id): row[2] for id, row in known.items() if row[0] == who.tenant_id},
        "inbox": inboxes.get(who.tenant_id, {"open": 0, "versions": 0}),
    }
    return Finding(who, ping)


def _inboxes(tenant_ids: Iterable[UUID]) -> dict[UUID, dict[str, int]]:
    """Return `selectors.inbox_state` of each tenant with something open."""
    active = Conversation.unscoped.filter(tenant_id__in=list(tenant_ids), status=Conversation.Status.ACTIVE)
    rows = active.order_by().values_list("tenant_id").annotate(Count("pk"), Sum("version"))
    return {tenant_id: {"open": count, "versions": int(versions)} for tenant_id, count, versions in rows}


# --- visitors --------------------------------------------------------------------------------------------------------


def _visitors(visitor_ids: Iterable[UUID]) -> dict[Key, tuple[int, dict[str, Any]]]:
    rows = Visitor.unscoped.filter(
        pk__in=list(visitor_ids), blocked_at=None, erased_at=None, tenant__status__in=OPEN_TENANTS
    ).values_list("tenant_id", "pk", "auth_version", "tenant__settings")
    return {(tenant_id, id): (version, settings) for tenant_id, id, version, settings in rows}


def _visitor_finding(
    listener: Listener, visitors: dict[Key, tuple[int, dict[str, Any]]], heads: Heads
) -> Finding | None:
    who = listener.principal
    version, settings = visitors.get((who.tenant_id, who.id), (None, {}))
    if version != who.auth_version:
        return None
    known = {id: heads[id] for id in listener.followed if id in heads}
    own = {encode("cc", id): row[3] for id, row in known.items() if row[:2] == (who.tenant_id, who.id)}
    return Finding(who, {"epoch": epoch_of(settings), "heads": own})


# --- both ------------------------------------------------------------------------------------------------------------


def _heads(listeners: Sequence[Listener]) -> Heads:
    followed = {id for listener in listeners for id in listener.followed}
    if not followed:
        return {}
    rows = Conversation.unscoped.filter(pk__in=followed).values_list(
        "pk", "tenant_id", "visitor_id", "last_seq", "last_visitor_seq"
    )
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}
