"""What the listener's tests have, for whole calls that come in; and where a number leads."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.audit import SYSTEM
from telephony.inbound import extensions, routes
from telephony.inbound.models import RouteKind
from telephony.inbound.routes import RouteWish
from telephony.models import PhoneNumber
from tests.telephony.listener.books import Books
from tests.telephony.listener.conftest import books, impatient

__all__ = ["books", "impatient"]

Lead = Callable[..., Awaitable[None]]


@pytest.fixture
def lead(books: Books) -> Lead:
    """Let Acme's number lead somewhere."""

    async def set_route(**wish: Any) -> None:
        await books.scoped(lambda tenant_id: _set(tenant_id, RouteWish(**wish)))

    return set_route


@pytest.fixture
def telephone(books: Books) -> Callable[..., Awaitable[str]]:
    """Give somebody of Acme's an extension, and return its SIP user."""

    async def make(number: str = "101", *, user_id: UUID | None = None, lead_there: bool = False) -> str:
        return await books.scoped(lambda tenant_id: _telephone(tenant_id, number, user_id, lead_there))

    return make


def _set(tenant_id: UUID, wish: RouteWish) -> None:
    number = PhoneNumber.objects.for_tenant(tenant_id).get()
    routes.set_route(tenant_id=tenant_id, number_id=number.pk, wish=wish, by=SYSTEM, now=timezone.now())


def _telephone(tenant_id: UUID, number: str, user_id: UUID | None, lead_there: bool) -> str:
    made = extensions.create_extension(
        tenant_id=tenant_id, number=number, user_id=user_id, by=SYSTEM, now=timezone.now()
    ).extension
    if lead_there:
        _set(tenant_id, RouteWish(RouteKind.EXTENSION, extension=made.pk))
    return made.sip_user
