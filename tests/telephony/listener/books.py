"""What tests of the listener read and write, without blocking its event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.utils import timezone

from accounts.tenancy import tenant_scope
from common.db import in_database_thread
from telephony import services
from telephony.esl.address import NodeAddress
from telephony.listener.serving import run
from telephony.models import Call, CallCommand, CallEvent, CallLeg
from telephony.services import CallWish
from telephony.states import FINAL
from tests.factories import Company
from usage.models import UsageRecord

T = TypeVar("T")
PATIENCE_SECONDS = 60


@asynccontextmanager
async def listening(*addresses: NodeAddress) -> AsyncIterator[None]:
    """Run a listener beside the test."""
    stop = asyncio.Event()
    listener = asyncio.create_task(run(addresses, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await listener


@dataclass(frozen=True)
class Books:
    """One company's calls."""

    company: Company

    async def place(self, to: str, *, now: datetime | None = None, **changes: Any) -> UUID:
        """Place a call and return its id."""
        wish = CallWish(to=to, from_="+15550109999", **changes)
        call = await self.scoped(
            lambda tenant_id: services.place_call(tenant_id=tenant_id, wish=wish, now=now or timezone.now())
        )
        return call.pk

    async def hang_up(self, call_id: UUID) -> None:
        """Ask for the end of a call."""
        await self.scoped(
            lambda tenant_id: services.hangup_call(tenant_id=tenant_id, call_id=call_id, now=timezone.now())
        )

    async def call(self, call_id: UUID) -> Call:
        """Read a call."""
        return await self.scoped(lambda tenant_id: Call.objects.for_tenant(tenant_id).get(pk=call_id))

    async def leg(self, call_id: UUID) -> CallLeg:
        """Read a call's first leg."""
        return await self.scoped(lambda tenant_id: CallLeg.objects.for_tenant(tenant_id).get(pk=call_id))

    async def commands(self, call_id: UUID) -> list[tuple[str, str, str]]:
        """Read a call's commands."""
        return await self.scoped(
            lambda tenant_id: list(
                CallCommand.objects.for_tenant(tenant_id)
                .filter(call_id=call_id)
                .order_by("created_at")
                .values_list("kind", "status", "result")
            )
        )

    async def timeline(self, call_id: UUID) -> list[str]:
        """Read the types of a call's events in order, and check that no number is missing."""
        rows = await self.scoped(
            lambda tenant_id: list(
                CallEvent.objects.for_tenant(tenant_id)
                .filter(call_id=call_id)
                .order_by("seq")
                .values_list("seq", "type")
            )
        )
        assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
        return [kind for _, kind in rows]

    async def metered(self, call_id: UUID) -> list[Decimal]:
        """Read the billed seconds of every usage record of a call."""
        return await self.scoped(
            lambda tenant_id: list(
                UsageRecord.objects.for_tenant(tenant_id)
                .filter(resource_id=f"CA{call_id.hex}")
                .values_list("billed_quantity", flat=True)
            )
        )

    async def until(self, call_id: UUID, *statuses: str) -> Call:
        """Wait until a call has one of these statuses, any final one if none is named."""
        wanted = set(statuses) or FINAL
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (call := await self.call(call_id)).status not in wanted:
                await asyncio.sleep(0.02)
        return call

    async def scoped(self, work: Callable[[UUID], T]) -> T:
        """Do something in the company's scope, in a database thread."""

        def inside() -> T:
            with tenant_scope(self.company.tenant.pk):
                return work(self.company.tenant.pk)

        return await in_database_thread(inside)


async def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something in this process is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)
