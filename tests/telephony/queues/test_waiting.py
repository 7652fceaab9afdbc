"""Callers in a queue: whose turn it is, offers that are taken or missed, the end of waiting."""

from datetime import timedelta
from uuid import UUID

import pytest

from accounts.audit import SYSTEM
from accounts.models import Membership
from accounts.presence.models import AgentPresence
from accounts.signals import presence_changed
from chat.services import slots
from telephony.facts import Answered
from telephony.models import Extension
from telephony.queues import services
from telephony.queues.models import AgentLine, QueueEntry
from telephony.queues.selectors import callers
from telephony.services import hangup_call
from tests.telephony.queues.conftest import Desk


def idle_since(desk: Desk, **seconds: int) -> None:
    """Say how many seconds ago each was done with their last call."""
    for name, ago in seconds.items():
        since = desk.now - timedelta(seconds=ago)
        AgentLine.objects.create(tenant_id=desk.tenant_id, user=desk.people[name], idle_since=since)


def test_a_caller_hears_music_and_their_place_until_somebody_is_free(desk: Desk):
    desk.serve()
    first = desk.caller()
    desk.later(1)
    second = desk.caller()

    assert desk.drain() == 0
    assert [desk.ordered(key) for key in (first, second)] == [
        [("music", {"position": 1})],
        [("music", {"position": 2})],
    ]
    assert [(c.entry.call_id, c.position) for c in callers(tenant_id=desk.tenant_id, queue_id=desk.queue.pk)] == [
        (first, 1),
        (second, 2),
    ]
    assert desk.timeline(first) == ["initiated", "routed", "queue_entered"]


def test_the_longest_idle_agent_is_rung(desk: Desk):
    idle_since(desk, Bob=5, Ben=50, Bea=20)
    call = desk.caller()

    desk.drain()

    assert desk.state(call) == ("offered", "Ben")
    agent_leg = desk.legs(call)[1]
    assert (agent_leg.node, agent_leg.dispatch, desk.phase("Ben")) == ("fs1:8021", "unsent", "offered")
    kind, params = desk.ordered(agent_leg.pk)[0]
    assert (kind, params["ring_seconds"], params["telephone"][:4]) == ("originate", 20, "102-")


def test_who_never_had_a_call_has_been_idle_the_longest(desk: Desk):
    idle_since(desk, Bob=500, Ben=50)
    call = desk.caller()
    desk.drain()
    assert desk.state(call) == ("offered", "Bea")


def test_callers_are_offered_in_the_order_they_came(desk: Desk):
    desk.serve(("Bob", 1, []))
    first = desk.caller()
    desk.later(1)
    second = desk.caller()

    assert desk.drain() == 1
    assert (desk.state(first), desk.state(second)) == (("offered", "Bob"), ("waiting", None))


def test_the_first_tier_is_asked_first(desk: Desk):
    idle_since(desk, Bob=5, Ben=50, Bea=60)
    desk.serve(("Bob", 1, []), ("Ben", 2, []), ("Bea", 3, []))
    first, second = desk.caller(), desk.caller()
    desk.drain()
    assert {desk.state(first), desk.state(second)} == {("offered", "Bob"), ("offered", "Ben")}


def test_only_who_has_every_skill_is_rung(desk: Desk):
    desk.change(skills=["billing", "german"])
    desk.serve(("Bob", 1, ["german"]), ("Ben", 1, []), ("Bea", 2, ["german", "billing", "french"]))
    call = desk.caller()
    desk.drain()
    assert desk.state(call) == ("offered", "Bea")


@pytest.mark.parametrize(
    "why", ["away", "busy", "offline", "gone", "no telephone", "engaged", "suspended", "no member"]
)
def test_who_is_not_free_is_not_rung(desk: Desk, why: str):
    desk.serve(("Bob", 1, []))
    bob = desk.people["Bob"]
    if why in {"away", "busy", "offline"}:
        desk.set("Bob", why)
    elif why == "gone":
        desk.now += timedelta(seconds=71)
    elif why == "no telephone":
        Extension.objects.for_tenant(desk.tenant_id).filter(user=bob).update(is_active=False)
    elif why == "engaged":
        until = desk.now + timedelta(seconds=1)
        AgentLine.objects.create(
            tenant_id=desk.tenant_id, user=bob, phase="talking", engaged_by=desk.queue.pk, engaged_until=until
        )
    elif why == "suspended":
        Membership.objects.for_tenant(desk.tenant_id).filter(user=bob).update(is_active=False)
    else:
        desk.serve()
    call = desk.caller()

    assert desk.drain() == 0
    assert desk.state(call) == ("waiting", None)


def test_an_answered_offer_connects_both_and_ends_in_wrap_up(desk: Desk):
    desk.serve(("Bob", 1, []))
    call = desk.caller()
    desk.drain()
    desk.answer(call)
    agent_leg = desk.legs(call)[1].pk

    assert (desk.state(call), desk.phase("Bob")) == (("connected", "Bob"), "talking")
    assert [kind for kind, _ in desk.ordered(agent_leg)] == ["originate", "bridge"]

    desk.later(60)
    desk.miss(call, "NORMAL_CLEARING")
    assert (desk.state(call), desk.phase("Bob")) == (("completed", "Bob"), "wrap_up")
    assert desk.ordered(call)[-1] == ("hangup", {"cause": "NORMAL_CLEARING"})

    waiting = desk.caller()
    desk.later(9)
    desk.tend()
    assert desk.state(waiting) == ("waiting", None)
    desk.later(1)
    desk.tend()
    assert (desk.state(waiting), desk.phase("Bob")) == (("offered", "Bob"), "offered")


def test_an_answer_told_twice_connects_once(desk: Desk):
    call = desk.caller()
    desk.drain()
    desk.answer(call)
    desk.answer(call)
    assert [kind for kind, _ in desk.ordered(desk.legs(call)[1].pk)] == ["originate", "bridge"]


def test_a_missed_offer_goes_to_the_next_and_keeps_the_callers_place(desk: Desk):
    idle_since(desk, Bob=50, Ben=40, Bea=30)
    call = desk.caller()
    desk.drain()
    desk.later(20)
    desk.miss(call)

    assert (desk.state(call), desk.phase("Bob")) == (("waiting", None), "idle")
    desk.drain()
    assert desk.state(call) == ("offered", "Ben")
    assert desk.call(call).status == "initiated"


def test_when_all_have_missed_it_the_round_begins_anew_and_the_last_waits(desk: Desk):
    idle_since(desk, Bob=50, Ben=40)
    desk.serve(("Bob", 1, []), ("Ben", 1, []))
    call = desk.caller()
    rung = []
    for _ in range(5):
        desk.drain()
        rung.append(desk.state(call)[1])
        desk.later(20)
        desk.miss(call)
    assert rung == ["Bob", "Ben", "Bob", "Ben", "Bob"]


def test_one_agent_alone_is_rung_again(desk: Desk):
    desk.serve(("Bob", 1, []))
    call = desk.caller()
    for _ in range(3):
        assert desk.drain() == 1
        desk.miss(call)
    assert desk.state(call) == ("waiting", None)


def test_an_offer_nobody_hears_of_again_is_void_when_its_lease_ends(desk: Desk):
    desk.serve(("Bob", 1, []))
    call = desk.caller()
    desk.drain()
    lost = desk.entry(call).leg
    desk.later(36)
    desk.tend()

    # Rung anew by the same look, on another leg; the lost one was withdrawn.
    assert desk.state(call) == ("offered", "Bob")
    assert desk.entry(call).leg != lost
    assert [leg.dispatch for leg in desk.legs(call)] == ["confirmed", "withdrawn", "unsent"]


def test_who_answers_an_offer_that_was_taken_back_is_hung_up(desk: Desk):
    desk.serve(("Bob", 1, []))
    call = desk.caller()
    desk.drain()
    late = desk.legs(call)[1]
    type(late).objects.for_tenant(desk.tenant_id).filter(pk=late.pk).update(dispatch="sent")
    desk.later(36)
    desk.tend()
    desk.tell(call, Answered(late.pk, desk.now))

    assert desk.ordered(late.pk)[-1][0] == "hangup"
    assert desk.state(call) == ("offered", "Bob")


@pytest.mark.parametrize("answered", [False, True])
def test_a_caller_who_leaves_frees_the_agent(desk: Desk, answered: bool):
    desk.serve(("Bob", 1, []))
    call = desk.caller()
    desk.drain()
    if answered:
        desk.answer(call)
    desk.leave(call)

    assert desk.state(call) == ("completed" if answered else "abandoned", "Bob")
    assert desk.phase("Bob") == ("wrap_up" if answered else "idle")
    agent_leg = desk.legs(call)[1]
    assert agent_leg.dispatch == ("confirmed" if answered else "withdrawn")
    if answered:
        assert desk.ordered(agent_leg.pk)[-1][0] == "hangup"
    else:
        assert (desk.call(call).status, desk.call(call).reason) == ("canceled", "missed")


def test_a_caller_hung_up_by_request_is_offered_no_more(desk: Desk):
    call = desk.caller()
    hangup_call(tenant_id=desk.tenant_id, call_id=call, now=desk.now)
    assert desk.drain() == 0


def test_who_waits_too_long_overflows(desk: Desk):
    desk.serve()
    desk.change(max_wait_seconds=60)
    call = desk.caller()
    desk.later(59)
    desk.tend()
    assert desk.state(call) == ("waiting", None)
    desk.later(1)
    desk.tend()

    assert (desk.state(call), desk.entry(call).reason) == (("overflowed", None), "waited")
    assert desk.ordered(call)[-1] == ("hangup", {"cause": "NO_ANSWER"})


@pytest.mark.parametrize(("change", "reason"), [({"max_waiting": 1}, "full"), ({"is_active": False}, "closed")])
def test_a_queue_that_is_full_or_closed_overflows_at_once(desk: Desk, change: dict[str, object], reason: str):
    desk.serve()
    first = desk.caller() if reason == "full" else None
    desk.change(**change)
    desk.later(1)
    call = desk.caller()

    assert (desk.state(call), desk.entry(call).reason) == (("overflowed", None), reason)
    assert first is None or desk.state(first) == ("waiting", None)


def test_an_overflow_leads_to_the_other_queue(desk: Desk):
    other = services.create_queue(tenant_id=desk.tenant_id, values={"name": "Rest"}, by=SYSTEM, now=desk.now)
    desk.serve()
    desk.serve(("Bea", 1, []), queue=other)
    desk.change(overflow="queue", overflow_queue=other.pk, max_wait_seconds=30)
    call = desk.caller()
    desk.later(30)
    desk.tend()

    assert desk.state(call) == ("offered", "Bea")
    assert desk.entry(call).queue_id == other.pk


def test_queues_that_overflow_into_one_another_end(desk: Desk):
    other = services.create_queue(
        tenant_id=desk.tenant_id,
        values={"name": "Rest", "is_active": False, "overflow": "queue", "overflow_queue": desk.queue.pk},
        by=SYSTEM,
        now=desk.now,
    )
    desk.change(is_active=False, overflow="queue", overflow_queue=other.pk)
    call = desk.caller()

    assert QueueEntry.objects.for_tenant(desk.tenant_id).filter(call_id=call).count() == 5
    assert desk.ordered(call)[-1] == ("hangup", {"cause": "NO_ANSWER"})


def test_the_place_is_announced_again_and_again(desk: Desk):
    desk.serve()
    first = desk.caller()
    desk.later(10)
    second = desk.caller()
    desk.leave(first)
    desk.later(44)
    desk.tend()
    assert desk.ordered(second) == [("music", {"position": 2})]
    desk.later(1)
    desk.tend()
    assert desk.ordered(second) == [("music", {"position": 2}), ("music", {"position": 1})]


def test_no_place_is_announced_where_it_is_not_wanted(desk: Desk):
    desk.serve()
    desk.change(is_position_announced=False)
    call = desk.caller()
    desk.later(100)
    desk.tend()
    assert desk.ordered(call) == [("music", {})]


class TestWithChat:
    """Agents are one and the same people for chat."""

    def claim(self, desk: Desk) -> UUID | None:
        return slots.claim(tenant_id=desk.tenant_id, routing="least_busy", excluded=[], now=desk.now)

    def alone(self, desk: Desk) -> None:
        desk.serve(("Bob", 1, []))
        for name in ("Ben", "Bea"):
            desk.set(name, "offline")

    def test_a_call_makes_an_agent_busy_for_chat_until_it_is_wrapped_up(self, desk: Desk):
        self.alone(desk)
        heard: list[str] = []

        def hear(status: str, **kwargs: object) -> None:
            heard.append(status)

        presence_changed.connect(hear)
        try:
            call = desk.caller()
            desk.drain()
            assert self.claim(desk) is None
            assert not slots.anybody_free(tenant_id=desk.tenant_id, now=desk.now)
            assert not slots.claim_of(tenant_id=desk.tenant_id, agent_id=desk.people["Bob"].pk, now=desk.now)
            desk.answer(call)
            desk.leave(call)
            assert self.claim(desk) is None
            desk.later(10)
            desk.tend()
        finally:
            presence_changed.disconnect(hear)

        assert self.claim(desk) == desk.people["Bob"].pk
        assert heard == ["busy", "online"]

    def test_chats_keep_nobody_from_calls(self, desk: Desk):
        self.alone(desk)
        assert self.claim(desk) == desk.people["Bob"].pk
        call = desk.caller()
        desk.drain()
        assert desk.state(call) == ("offered", "Bob")

    def test_who_is_offline_stays_so_after_a_call(self, desk: Desk):
        self.alone(desk)
        call = desk.caller()
        desk.drain()
        desk.set("Bob", "away")
        desk.leave(call)
        row = AgentPresence.objects.for_tenant(desk.tenant_id).get(user=desk.people["Bob"])
        assert (row.status, row.active_chats) == ("away", 0)
