"""Write facts into the outbox until all of them are there, whatever dies meanwhile.

`python -m tests.chaos.webhook_writer PLAN NUMBER`. What a writer writes depends on its number alone. A transaction holds several
events of several objects, which other writers use too; some are rolled back. When a commit's answer is lost, the writer looks
whether it is there before it writes it again.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import django
from django.db import DatabaseError, connection

MOST_AT_ONCE = 4
ROLLED_BACK_PER_CENT = 5


@dataclass(frozen=True)
class Batch:
    """One transaction: its key, the tenant, the objects its events are about, and whether it is rolled back."""

    key: str
    tenant_id: UUID
    objects: list[str]
    is_rolled_back: bool


def batches_of(plan: dict[str, Any], number: int) -> list[Batch]:
    """Return what a writer writes, in its order."""
    chance, found, left = Random(number), [], plan["events"]
    while left > 0:
        tenant = chance.choice(plan["tenants"])
        objects = [f"cc_{chance.randrange(plan['objects'])}" for _ in range(min(left, chance.randint(1, MOST_AT_ONCE)))]
        is_rolled_back = chance.randrange(100) < ROLLED_BACK_PER_CENT
        left -= 0 if is_rolled_back else len(objects)
        # Sorted, as everybody who writes of several objects at once must: their counters are locked.
        found.append(Batch(f"{number}:{len(found)}", UUID(tenant["id"]), sorted(objects), is_rolled_back))
    return found


def main() -> None:
    """Write everything."""
    plan, number = json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])
    django.setup()
    batches = batches_of(plan, number)
    written: set[str] = set()  # before this process: one that was killed begins anew
    _until_done(lambda *, is_again: written.update(_keys(plan)))
    is_rotated = False
    for turn, batch in enumerate(batches):
        if batch.key in written:
            continue
        _until_done(partial(_write, batch))
        if number == 0 and turn >= len(batches) // 2 and not is_rotated:
            _until_done(partial(_rotate, plan))
            is_rotated = True
        time.sleep(plan["pause_seconds"])


def _until_done(write: Callable[..., None]) -> None:
    is_again = False
    while True:
        try:
            write(is_again=is_again)
        except DatabaseError:
            is_again = True
            connection.close()
            time.sleep(0.1)
        else:
            return


def _keys(plan: dict[str, Any]) -> set[str]:
    """Return the keys of all batches that are there."""
    from accounts.models import OutboxEvent
    from accounts.tenancy import tenant_scope

    found: set[str] = set()
    for tenant_id in (UUID(tenant["id"]) for tenant in plan["tenants"]):
        with tenant_scope(tenant_id):
            bodies = OutboxEvent.objects.for_tenant(tenant_id).values_list("body", flat=True)
            found |= {json.loads(body)["data"]["key"] for body in bodies}
    return found


class Undone(Exception):
    """What was written is not wanted."""


def _write(batch: Batch, *, is_again: bool) -> None:
    from django.utils import timezone

    from accounts.models import OutboxEvent
    from accounts.tenancy import tenant_scope
    from accounts.webhooks.services import WebhookEvent, enqueue

    try:
        with tenant_scope(batch.tenant_id):
            rows = OutboxEvent.objects.for_tenant(batch.tenant_id)
            if is_again and rows.filter(body__contains=f'"key":"{batch.key}"').exists():
                return
            for object_id in batch.objects:
                data = {"key": batch.key, "rolled_back": batch.is_rolled_back}
                enqueue(WebhookEvent("chat.message.created", batch.tenant_id, object_id, data, timezone.now()))
            if batch.is_rolled_back:
                raise Undone
    except Undone:
        pass


def _rotate(plan: dict[str, Any], *, is_again: bool) -> None:
    """Give one endpoint a new secret: what follows is signed with both."""
    from django.utils import timezone

    from accounts.tenancy import tenant_scope
    from accounts.webhooks.endpoints import endpoint_of, rotate_secret

    tenant = plan["tenants"][0]
    wanted = {"tenant_id": UUID(tenant["id"]), "endpoint_id": UUID(tenant["rotated"])}
    with tenant_scope(wanted["tenant_id"]):
        if not endpoint_of(
            **wanted
        ).former_secret:  # of a process before this one, or of an attempt that seemed to fail
            rotate_secret(**wanted, now=timezone.now())


if __name__ == "__main__":
    main()
