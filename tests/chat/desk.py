"""Agents at their desks, for tests of routing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from accounts.presence.models import AgentPresence
from accounts.tenancy import tenant_scope
from chat.models import Conversation, Widget
from tests import factories
from tests.assertions import rows
from tests.chat.conftest import Chat


def sit_down(company: factories.Company, user: User, *, limit: int = 5, **fields: Any) -> AgentPresence:
    """Let an agent be online, with a sign of life just given."""
    wanted = {"status": "online", "last_seen_at": timezone.now(), "max_concurrent_chats": limit, **fields}
    with tenant_scope(company.tenant.pk):
        row, _ = AgentPresence.objects.for_tenant(company.tenant).update_or_create(
            user=user, defaults=wanted, create_defaults={"tenant_id": company.tenant.pk, **wanted}
        )
    return row


def colleague(company: factories.Company, name: str, role: Role = Role.AGENT) -> User:
    return factories.add_person(company, name, role).user


def set_widget(company: factories.Company, **fields: Any) -> None:
    with tenant_scope(company.tenant.pk):
        Widget.objects.for_tenant(company.tenant).update(**fields)


def set_conversation(chat: Chat, **fields: Any) -> None:
    with tenant_scope(chat.tenant_id):
        Conversation.objects.for_tenant(chat.tenant_id).filter(pk=chat.key).update(**fields)


def stored(chat: Chat) -> Conversation:
    [row] = rows(Conversation, pk=chat.key)
    return row


def chats_of(user: User) -> int:
    """Return what is counted for an agent, having held it against the conversations."""
    [row] = rows(AgentPresence, user=user)
    assert row.active_chats == len(rows(Conversation, assigned_agent=user, status="active"))
    return row.active_chats


def ago(**parts: float) -> datetime:
    return timezone.now() - timedelta(**parts)


def in_threads(jobs: list[Callable[[], Any]], threads: int = 16) -> list[Any]:
    """Run all jobs at once, each in a thread with a connection of its own; return what they return, in order."""

    def run(job: Callable[[], Any]) -> Any:
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, jobs))
