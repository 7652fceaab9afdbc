"""Calls in the books: placed, followed, ended and metered, each fact once."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import OutboxEvent
from accounts.tenancy import tenant_scope
from common.errors import Conflict, DomainError, Invalid, NotFound
from telephony import facts, services
from telephony.errors import CallEnded, NoTrunk, NotYourNumber
from telephony.facts import Alive, Answered, Created, Ended, Refused, Ringing
from telephony.models import Call, CallCommand, CallEvent, CallLeg, PhoneNumber, SipTrunk
from telephony.services import CallWish, dispatching, reconciling
from telephony.services.dispatching import Order, Outcome
from telephony.services.reconciling import LivingLeg
from telephony.states import HangupSource
from tests.factories import NOW, Company
from usage.models import UsageRecord

NODE = "127.0.0.1:8021"
WISH = CallWish(to="+15550100203", from_="+15550109999", metadata={"order": "10042"})
SECOND = timedelta(seconds=1)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def place(company: Company, **changes: Any) -> Call:
    wish = CallWish(**{"to": WISH.to, "from_": WISH.from_, **changes})
    with tenant_scope(company.tenant.pk):
        return services.place_call(tenant_id=company.tenant.pk, wish=wish, now=NOW)


def apply(call: Call, *told: facts.Fact, now: datetime = NOW) -> None:
    for fact in told:
        with tenant_scope(call.tenant_id):
            services.apply_fact(tenant_id=call.tenant_id, call_id=call.pk, fact=fact, now=now)


def fresh(call: Call) -> Call:
    with tenant_scope(call.tenant_id):
        return Call.objects.for_tenant(call.tenant_id).get(pk=call.pk)


def leg_of(call: Call) -> CallLeg:
    with tenant_scope(call.tenant_id):
        return CallLeg.objects.for_tenant(call.tenant_id).get(pk=call.pk)


def command_of(call: Call, kind: str = "originate") -> CallCommand:
    with tenant_scope(call.tenant_id):
        return CallCommand.objects.for_tenant(call.tenant_id).get(call=call, kind=kind)


def timeline(call: Call) -> list[tuple[int, str]]:
    with tenant_scope(call.tenant_id):
        events = CallEvent.objects.for_tenant(call.tenant_id).filter(call_id=call.pk).order_by("seq")
        return [(event.seq, event.type) for event in events]


def announced(call: Call) -> list[tuple[int, str]]:
    with tenant_scope(call.tenant_id):
        rows = OutboxEvent.objects.for_tenant(call.tenant_id).filter(object_id=f"CA{call.pk.hex}").order_by("sequence")
        return [(row.sequence, row.type) for row in rows]


def metered(call: Call) -> list[tuple[str, Decimal, Decimal, Decimal | None]]:
    with tenant_scope(call.tenant_id):
        rows = UsageRecord.objects.for_tenant(call.tenant_id).filter(resource_id=f"CA{call.pk.hex}")
        return [(row.dedup_key, row.quantity, row.billed_quantity, row.total_cost) for row in rows]


def send(call: Call, *, now: datetime = NOW) -> Order | None:
    """Take the call's originate as the owner of the node does."""
    command = command_of(call)
    return dispatching.take(tenant_id=call.tenant_id, call_id=call.pk, command_id=command.pk, node=NODE, now=now)


def answered_end(call: Call, seconds: float = 3.02, **changes: Any) -> Ended:
    told = {
        "leg_id": call.pk,
        "at": after(2 + seconds),
        "ringing_at": after(1),
        "answered_at": after(2),
        "cause": "NORMAL_CLEARING",
        "q850": 16,
        "sip_status": 200,
        "source": HangupSource.CALLEE,
    }
    return Ended(**(told | changes))


class TestPlacing:
    def test_stores_call_leg_and_command_together(self, acme_line: Company):
        call = place(acme_line, metadata={"order": "10042"}, time_limit_seconds=600)

        assert (call.status, call.to_number, call.from_number) == ("queued", "+15550100203", "+15550109999")
        assert (call.metadata, call.time_limit_seconds) == ({"order": "10042"}, 600)
        leg, command = leg_of(call), command_of(call)
        assert (leg.pk, leg.dispatch, leg.node) == (call.pk, "unsent", "")
        assert (command.status, command.not_after) == ("pending", after(30))
        assert timeline(call) == [(1, "queued")]
        assert announced(call) == []

    @pytest.mark.parametrize(
        ("changes", "error", "pointer"),
        [
            ({"to": "911"}, Invalid, "/to"),
            ({"from_": "nobody"}, Invalid, "/from"),
            ({"from_": "+15550100777"}, NotYourNumber, "/from"),
        ],
    )
    def test_refuses_numbers_that_are_not_right(
        self, acme_line: Company, changes: dict[str, str], error: type[DomainError], pointer: str
    ):
        with pytest.raises(error) as refused:
            place(acme_line, **changes)

        assert refused.value.errors[0].pointer == pointer
        assert nothing_written(acme_line)

    def test_refuses_without_a_rate(self, acme_line: Company):
        with pytest.raises(DomainError) as refused:
            place(acme_line, to="+4930123456")

        assert refused.value.code == "no-rate"
        assert nothing_written(acme_line)

    def test_refuses_without_a_trunk(self, acme_line: Company):
        with tenant_scope(acme_line.tenant.pk):
            SipTrunk.objects.for_tenant(acme_line.tenant.pk).update(is_active=False)

        with pytest.raises(NoTrunk):
            place(acme_line)
        assert nothing_written(acme_line)

    def test_refuses_another_tenants_number(self, acme_line: Company, globex: Company):
        with pytest.raises(NotYourNumber):
            place(globex)
        assert nothing_written(globex)

    def test_prefers_the_trunk_of_lowest_priority(self, acme_line: Company):
        with tenant_scope(acme_line.tenant.pk):
            better = services.create_trunk(tenant_id=acme_line.tenant.pk, name="Better", gateway="better", priority=1)

        assert leg_of(place(acme_line)).trunk_id == better.pk


def nothing_written(company: Company) -> bool:
    with tenant_scope(company.tenant.pk):
        return not any(
            model.objects.for_tenant(company.tenant.pk).exists() for model in (Call, CallLeg, CallCommand, CallEvent)
        )


class TestAnsweredCall:
    def test_is_followed_ended_and_metered_once(self, acme_line: Company):
        call = place(acme_line)
        send(call)
        story = [
            Created(call.pk, after(0.5)),
            Ringing(call.pk, after(1)),
            Answered(call.pk, after(2)),
            answered_end(call),
        ]

        apply(call, *story)
        once = (timeline(call), announced(call), metered(call))
        apply(call, *story, *reversed(story))

        ended = fresh(call)
        assert (ended.status, ended.hangup_cause, ended.q850, ended.sip_status) == (
            "completed",
            "NORMAL_CLEARING",
            16,
            200,
        )
        assert (ended.hangup_source, ended.reason, ended.is_estimated) == ("callee", "", False)
        assert (ended.ringing_at, ended.answered_at, ended.ended_at) == (after(1), after(2), after(5.02))
        assert (ended.billed_seconds, ended.price, ended.currency, ended.is_price_final) == (
            60,
            Decimal("0.015"),
            "USD",
            True,
        )
        assert once == (
            [(1, "queued"), (2, "initiated"), (3, "ringing"), (4, "answered"), (5, "completed")],
            [(1, "call.initiated"), (2, "call.ringing"), (3, "call.answered"), (4, "call.completed")],
            [(f"call:{call.pk}:minute", Decimal(4), Decimal(60), Decimal("0.015"))],
        )
        assert (timeline(call), announced(call), metered(call)) == once

    def test_whose_beginning_was_missed_is_announced_all_the_same(self, acme_line: Company):
        call = place(acme_line)
        send(call)

        apply(call, answered_end(call))

        assert timeline(call) == [(1, "queued"), (2, "answered"), (3, "completed")]
        assert fresh(call).ringing_at == after(1)
        assert len(metered(call)) == 1

    def test_answered_for_no_time_at_all_counts_a_second(self, acme_line: Company):
        call = place(acme_line)
        send(call)

        apply(call, answered_end(call, seconds=0))

        assert [row[1:3] for row in metered(call)] == [(Decimal(1), Decimal(60))]

    @pytest.mark.parametrize(("source", "billed"), [(HangupSource.PLATFORM, 60), (HangupSource.CALLEE, 120)])
    def test_ended_by_our_limit_pays_no_more_than_the_limit(
        self, acme_line: Company, source: HangupSource, billed: int
    ):
        call = place(acme_line, time_limit_seconds=60)
        send(call)

        apply(call, answered_end(call, seconds=60.02, cause="ALLOTTED_TIMEOUT", source=source))

        assert fresh(call).billed_seconds == billed

    def test_moved_back_in_time_by_the_switch_never_ends_before_it_was_answered(self, acme_line: Company):
        call = place(acme_line)
        send(call)

        apply(call, answered_end(call, at=after(1)))

        assert fresh(call).ended_at == after(2)


ENDS = [
    ({"cause": "USER_BUSY", "q850": 17, "sip_status": 486, "source": HangupSource.CALLEE}, "busy", ""),
    ({"cause": "NO_ANSWER", "source": HangupSource.PLATFORM}, "no_answer", ""),
    ({"cause": "CALL_REJECTED", "sip_status": 603}, "no_answer", "declined"),
    ({"cause": "CALL_REJECTED", "sip_status": 403}, "failed", "carrier"),
    ({"cause": "UNALLOCATED_NUMBER", "sip_status": 404}, "failed", "invalid_number"),
    ({"cause": "NORMAL_TEMPORARY_FAILURE", "sip_status": 503}, "failed", "network"),
]


@pytest.mark.parametrize(("told", "status", "reason"), ENDS)
def test_an_unanswered_call_costs_nothing(acme_line: Company, told: dict[str, Any], status: str, reason: str):
    call = place(acme_line)
    send(call)

    apply(call, Created(call.pk, after(0.5)), Ended(call.pk, at=after(1), **told))

    ended = fresh(call)
    assert (ended.status, ended.reason, ended.billed_seconds, ended.price) == (status, reason, 0, None)
    assert announced(call)[-1][1] == f"call.{status}"
    assert metered(call) == []


class TestHangup:
    def test_of_a_call_not_dialled_yet_cancels_it_at_once(self, acme_line: Company):
        call = place(acme_line)

        with tenant_scope(call.tenant_id):
            services.hangup_call(tenant_id=call.tenant_id, call_id=call.pk, now=after(1))

        ended = fresh(call)
        assert (ended.status, ended.hangup_source, ended.ended_at) == ("canceled", "api", after(1))
        assert (leg_of(call).dispatch, command_of(call).status) == ("withdrawn", "failed")
        assert send(call) is None
        assert timeline(call) == [(1, "queued"), (2, "hangup_requested"), (3, "canceled")]

    def test_of_a_ringing_call_is_ordered_and_ends_as_canceled(self, acme_line: Company):
        call = place(acme_line)
        send(call)
        apply(call, Created(call.pk, after(0.5)), Ringing(call.pk, after(1)))

        with tenant_scope(call.tenant_id):
            services.hangup_call(tenant_id=call.tenant_id, call_id=call.pk, now=after(2))
            services.hangup_call(tenant_id=call.tenant_id, call_id=call.pk, now=after(2))
        assert (command_of(call, "hangup").status, command_of(call, "hangup").node) == ("pending", NODE)
        apply(call, Ended(call.pk, at=after(3), cause="NORMAL_CLEARING", source=HangupSource.PLATFORM))

        ended = fresh(call)
        assert (ended.status, ended.hangup_source, ended.hangup_cause) == ("canceled", "api", "NORMAL_CLEARING")

    def test_of_an_answered_call_completes_it(self, acme_line: Company):
        call = place(acme_line)
        send(call)
        apply(call, Answered(call.pk, after(2)))

        with tenant_scope(call.tenant_id):
            services.hangup_call(tenant_id=call.tenant_id, call_id=call.pk, now=after(4))
        apply(call, answered_end(call, source=HangupSource.PLATFORM))

        assert (fresh(call).status, fresh(call).hangup_source) == ("completed", "api")
        assert len(metered(call)) == 1

    def test_before_the_switch_made_the_channel_is_asked_again_once_it_did(self, acme_line: Company):
        call = place(acme_line)
        send(call)
        with tenant_scope(call.tenant_id):
            services.hangup_call(tenant_id=call.tenant_id, call_id=call.pk, now=after(1))
        first = command_of(call, "hangup")
        dispatching.take(tenant_id=call.tenant_id, call_id=call.pk, command_id=first.pk, node=NODE, now=after(1))

        apply(call, Created(call.pk, after(1.1)), now=after(1.2))

        with tenant_scope(call.tenant_id):
            orders = CallCommand.objects.for_tenant(call.tenant_id).filter(kind="hangup").order_by("created_at")
            assert [order.status for order in orders] == ["sent", "pending"]

    def test_of_an_ended_call_is_refused(self, acme_line: Company):
        call = place(acme_line)
        send(call)
        apply(call, answered_end(call))

        with pytest.raises(CallEnded), tenant_scope(call.tenant_id):
            services.hangup_call(tenant_id=call.tenant_id, call_id=call.pk, now=after(9))
        assert timeline(call)[-1][1] == "completed"

    def test_of_another_tenants_call_finds_none(self, acme_line: Company, globex: Company):
        call = place(acme_line)

        with pytest.raises(NotFound), tenant_scope(globex.tenant.pk):
            services.hangup_call(tenant_id=globex.tenant.pk, call_id=call.pk, now=NOW)
        assert fresh(call).cancel_requested_at is None


class TestDispatching:
    def test_an_originate_is_taken_once(self, acme_line: Company):
        call = place(acme_line)

        order, again = send(call), send(call)

        assert order is not None
        assert (order.gateway, order.to_number, order.from_number) == ("carrier", "+15550100203", "+15550109999")
        assert again is None
        assert (leg_of(call).dispatch, leg_of(call).node, leg_of(call).sent_at) == ("sent", NODE, NOW)

    def test_one_past_its_time_is_never_dialled(self, acme_line: Company):
        call = place(acme_line)

        assert send(call, now=after(30.001)) is None

        ended = fresh(call)
        assert (ended.status, ended.reason, ended.retry) == ("failed", "not_sent", "yes")
        assert (leg_of(call).dispatch, command_of(call).result) == ("unsent", "not sent in time")

    def test_one_past_its_time_fails_without_any_switch(self, acme_line: Company):
        call = place(acme_line)
        late = dispatching.expired_commands(now=after(31))

        for tenant_id, call_id, command_id in late * 2:
            dispatching.expire(tenant_id=tenant_id, call_id=call_id, command_id=command_id, now=after(31))

        assert [row[2] for row in late] == [command_of(call).pk]
        assert dispatching.expired_commands(now=after(31)) == []
        assert timeline(call) == [(1, "queued"), (2, "failed")]

    def test_one_in_time_is_not_expired(self, acme_line: Company):
        place(acme_line)

        assert dispatching.expired_commands(now=after(29)) == []

    def test_what_never_left_waits_again(self, acme_line: Company):
        call = place(acme_line)
        order = send(call)
        assert order is not None

        dispatching.settle(order=order, outcome=Outcome.NOT_SENT, now=after(1))

        assert (leg_of(call).dispatch, leg_of(call).node, command_of(call).status) == ("unsent", "", "pending")
        assert send(call, now=after(2)) is not None

    def test_what_may_have_left_is_never_dialled_again(self, acme_line: Company):
        call = place(acme_line)
        order = send(call)
        assert order is not None

        dispatching.settle(order=order, outcome=Outcome.UNCONFIRMED, now=after(1))

        assert (leg_of(call).dispatch, command_of(call).status) == ("unconfirmed", "done")
        assert send(call, now=after(2)) is None
        assert fresh(call).status == "queued"

    def test_a_refusal_by_the_switch_fails_the_call(self, acme_line: Company):
        call = place(acme_line)
        order = send(call)
        assert order is not None

        dispatching.settle(order=order, outcome=Outcome.REFUSED, text="-ERR permission denied", now=after(1))

        assert (fresh(call).status, fresh(call).reason) == ("failed", "not_sent")
        assert command_of(call).result == "-ERR permission denied"

    def test_waits_for_its_own_node(self, acme_line: Company):
        call = place(acme_line)
        assert [row[1] for row in dispatching.waiting_commands(node="any:1")] == [call.pk]
        send(call)
        with tenant_scope(call.tenant_id):
            services.hangup_call(tenant_id=call.tenant_id, call_id=call.pk, now=after(1))

        assert dispatching.waiting_commands(node="any:1") == []
        assert [row[1] for row in dispatching.waiting_commands(node=NODE)] == [call.pk]

    def test_a_hangup_nobody_finished_waits_again_after_a_restart(self, acme_line: Company):
        call = place(acme_line)
        send(call)
        with tenant_scope(call.tenant_id):
            services.hangup_call(tenant_id=call.tenant_id, call_id=call.pk, now=after(1))
        hangup = command_of(call, "hangup")
        dispatching.take(tenant_id=call.tenant_id, call_id=call.pk, command_id=hangup.pk, node=NODE, now=after(1))

        dispatching.recover_commands(node=NODE)

        assert (command_of(call, "hangup").status, command_of(call).status) == ("pending", "sent")


class TestRefusedJob:
    def test_before_any_channel_fails_the_call_with_its_cause(self, acme_line: Company):
        call = place(acme_line)
        send(call)

        apply(call, Refused(call.pk, after(1), "INVALID_GATEWAY"))

        assert (fresh(call).status, fresh(call).reason) == ("failed", "configuration")

    def test_of_a_leg_known_to_live_changes_nothing(self, acme_line: Company):
        call = place(acme_line)
        send(call)
        apply(call, Created(call.pk, after(0.5)), Answered(call.pk, after(2)))

        apply(call, Refused(call.pk, after(3), "DESTINATION_OUT_OF_ORDER"))

        assert (fresh(call).status, leg_of(call).finalized_at) == ("answered", None)


class TestReconciling:
    def living(self, call: Call) -> LivingLeg:
        return LivingLeg(call.tenant_id, call.pk, call.pk)

    def test_lists_what_should_live_on_a_node(self, acme_line: Company):
        sent, waiting = place(acme_line), place(acme_line)
        send(sent)

        assert reconciling.living_legs(node=NODE) == [self.living(sent)]
        assert reconciling.owner_of(leg_id=waiting.pk) == self.living(waiting)
        assert reconciling.owner_of(leg_id=uuid4()) is None

    def test_a_dump_of_a_living_channel_tells_what_was_missed(self, acme_line: Company):
        call = place(acme_line)
        send(call)

        apply(call, Alive(call.pk, after(60), after(1), after(2)), now=after(60))

        assert fresh(call).answered_at == after(2)
        assert timeline(call) == [(1, "queued"), (2, "initiated"), (3, "ringing"), (4, "answered")]
        assert leg_of(call).last_seen_at == after(60)

    def test_a_leg_denied_for_ten_seconds_ends_at_its_last_proof_of_life(self, acme_line: Company):
        call = place(acme_line)
        send(call)
        apply(call, Answered(call.pk, after(2)), now=after(2))
        reconciling.note_seen(leg_ids=[call.pk], now=after(65))

        denied = [reconciling.note_missing(leg=self.living(call), now=after(s)) for s in (70, 79, 80, 90)]

        assert denied == [False, False, True, False]
        ended = fresh(call)
        assert (ended.status, ended.ended_at, ended.is_estimated) == ("completed", after(65), True)
        assert (ended.billed_seconds, ended.is_price_final) == (120, False)
        assert [row[1] for row in metered(call)] == [Decimal(63)]

    def test_a_leg_seen_again_is_not_missing(self, acme_line: Company):
        call = place(acme_line)
        send(call)
        apply(call, Created(call.pk, after(0.5)))
        reconciling.note_missing(leg=self.living(call), now=after(5))

        reconciling.note_seen(leg_ids=[call.pk], now=after(6))

        assert not reconciling.note_missing(leg=self.living(call), now=after(16))
        assert fresh(call).status == "initiated"

    def test_a_leg_that_never_showed_up_fails_as_unknown(self, acme_line: Company):
        call = place(acme_line)
        send(call)

        for seconds in (5, 15):
            reconciling.note_missing(leg=self.living(call), now=after(seconds))

        assert (fresh(call).status, fresh(call).reason, fresh(call).ended_at) == ("failed", "unknown", NOW)

    def test_a_second_lifetime_of_a_uuid_is_noted_and_changes_nothing(self, acme_line: Company):
        call = place(acme_line)
        send(call)
        apply(call, answered_end(call))

        apply(call, Created(call.pk, after(60)))

        assert timeline(call)[-2:] == [(3, "completed"), (4, "second_lifetime")]
        assert fresh(call).status == "completed"


class TestLines:
    def test_a_number_belongs_to_one_tenant(self, acme_line: Company, globex: Company):
        with pytest.raises(Conflict), tenant_scope(globex.tenant.pk):
            services.create_phone_number(tenant_id=globex.tenant.pk, number="+15550109999")
        with tenant_scope(globex.tenant.pk):
            assert not PhoneNumber.objects.for_tenant(globex.tenant.pk).exists()

    @pytest.mark.parametrize("gateway", ["", "a b", "carrier}", "x,y", "a/b", "$x", "ü"])
    def test_a_gateway_is_a_plain_name(self, acme: Company, gateway: str):
        with pytest.raises(Invalid), tenant_scope(acme.tenant.pk):
            services.create_trunk(tenant_id=acme.tenant.pk, name="T", gateway=gateway)

    def test_a_trunks_name_is_taken_once(self, acme_line: Company):
        with pytest.raises(Conflict), tenant_scope(acme_line.tenant.pk):
            services.create_trunk(tenant_id=acme_line.tenant.pk, name="Carrier", gateway="other")


class TestDatabase:
    @pytest.mark.parametrize(
        ("table", "change", "constraint"),
        [
            ("calls", "status = 'queued', ended_at = NULL", "calls_final_stays"),
            ("call_legs", "hangup_cause = 'OTHER'", "call_legs_final_stays"),
            ("call_events", "type = 'other'", "call_events_append_only"),
        ],
    )
    def test_keeps_what_is_final(self, acme_line: Company, table: str, change: str, constraint: str):
        call = place(acme_line)
        send(call)
        apply(call, answered_end(call))

        with (
            tenant_scope(call.tenant_id),
            pytest.raises(IntegrityError) as refused,
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE {table} SET {change}")
        assert refused.value.__cause__.diag.constraint_name == constraint
        assert fresh(call).status == "completed"

    def test_refuses_a_second_originate_for_a_leg(self, acme_line: Company):
        call = place(acme_line)
        command = command_of(call)

        with (
            tenant_scope(call.tenant_id),
            pytest.raises(IntegrityError, match="call_commands_one_originate"),
            transaction.atomic(),
        ):
            CallCommand.objects.create(
                tenant_id=call.tenant_id,
                call=call,
                leg_id=call.pk,
                kind=command.kind,
                not_after=NOW,
                created_at=NOW,
            )
