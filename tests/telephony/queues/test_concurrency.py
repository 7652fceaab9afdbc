"""Queues under fire: threads with connections of their own against real PostgreSQL."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from accounts.presence.models import AgentPresence
from accounts.tenancy import tenant_scope
from chat.services import slots
from telephony.models import CallLeg
from telephony.queues import waiting
from telephony.queues.models import AgentLine, QueueEntry
from tests.chat.test_routing_concurrency import at_once
from tests.factories import Company
from tests.telephony.queues.conftest import Desk, make_desk

THREADS = 12
ROUNDS = 10


@pytest.fixture
def desk(committed_db: None, acme_line: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Acme's telephones, with a connection for each thread."""
    pool: Any = connections.settings["default"]["OPTIONS"]["pool"]
    connections["default"].close_pool()  # type: ignore[attr-defined] # PostgreSQL's wrapper has it
    monkeypatch.setitem(pool, "max_size", THREADS + 4)
    monkeypatch.setitem(pool, "timeout", 60)
    with tenant_scope(acme_line.tenant.pk):
        made = make_desk(acme_line)
    yield made
    connections["default"].close()
    connections["default"].close_pool()  # type: ignore[attr-defined] # as above


def scoped(desk: Desk, work: Callable[[], Any]) -> Any:
    with tenant_scope(desk.tenant_id):
        return work()


def offers(desk: Desk) -> list[tuple[Any, Any]]:
    return scoped(
        desk,
        lambda: list(
            QueueEntry.objects.for_tenant(desk.tenant_id).filter(status="offered").values_list("agent_id", "call_id")
        ),
    )


def test_nobody_is_rung_for_two_callers_however_many_look(desk: Desk):
    scoped(desk, desk.serve)
    calls = [desk.caller() for _ in range(6)]
    scoped(desk, lambda: desk.serve(("Bob", 1, []), ("Ben", 1, []), ("Bea", 1, [])))

    at_once([desk.drain] * THREADS)

    found = offers(desk)
    assert len(found) == len({agent for agent, _ in found}) == len({call for _, call in found}) == 3
    # Those who came first, and one leg for each of them.
    assert {call for _, call in found} == set(calls[:3])
    legs = scoped(desk, lambda: CallLeg.objects.for_tenant(desk.tenant_id).exclude(position=1).count())
    assert legs == 3


def test_callers_who_leave_while_they_are_offered_hold_nobody(desk: Desk):
    scoped(desk, desk.serve)
    calls = [desk.caller() for _ in range(6)]
    scoped(desk, lambda: desk.serve(("Bob", 1, []), ("Ben", 1, []), ("Bea", 1, [])))

    def leave(call: Any) -> Callable[[], None]:
        return lambda: scoped(desk, lambda: desk.leave(call))

    at_once([*(leave(call) for call in calls), *[desk.drain] * 6])

    statuses = scoped(desk, lambda: set(QueueEntry.objects.for_tenant(desk.tenant_id).values_list("status", flat=True)))
    held = scoped(desk, lambda: AgentLine.objects.for_tenant(desk.tenant_id).exclude(engaged_by=None).count())
    assert (statuses, held) == ({"abandoned"}, 0)


def test_an_agent_gets_a_call_or_a_chat_never_both_at_once(desk: Desk):
    scoped(desk, lambda: desk.serve(("Bob", 1, [])))
    scoped(desk, lambda: [desk.set(name, "offline") for name in ("Ben", "Bea")])
    for _ in range(ROUNDS):
        scoped(desk, desk.serve)
        call = desk.caller()
        scoped(desk, lambda: desk.serve(("Bob", 1, [])))

        def chat() -> Any:
            return scoped(
                desk, lambda: slots.claim(tenant_id=desk.tenant_id, routing="least_busy", excluded=[], now=desk.now)
            )

        at_once([desk.drain, chat])
        # The call was offered in any case; from then on no chat comes.
        assert len(offers(desk)) == 1
        assert chat() is None
        scoped(desk, lambda key=call: desk.leave(key))
        scoped(desk, lambda: AgentPresence.objects.for_tenant(desk.tenant_id).update(active_chats=0))


def test_a_drain_that_dies_leaves_the_caller_to_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    scoped(desk, desk.serve)
    desk.caller()
    scoped(desk, lambda: desk.serve(("Bob", 1, [])))
    monkeypatch.setattr(waiting, "ring", _die)
    with pytest.raises(_Died):
        desk.drain()
    assert offers(desk) == []
    monkeypatch.undo()

    desk.tend()

    assert len(offers(desk)) == 1


class _Died(Exception):
    pass


def _die(*args: Any, **kwargs: Any) -> None:
    raise _Died
