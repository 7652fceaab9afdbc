"""Events and call detail records in every order: one charge, and a correction where the record tells otherwise."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts.models import OutboxEvent
from accounts.tenancy import tenant_scope
from telephony import services
from telephony.cdr import services as cdr
from telephony.cdr.models import CallReport
from telephony.facts import EPOCH, Created, Ended, Ringing
from telephony.models import Call, CallLeg
from telephony.services import reconciling
from tests.factories import Company
from tests.telephony.switch.conftest import switch  # noqa: F401 - a fixture
from tests.telephony.test_services import (
    after,
    announced,
    answered_end,
    apply,
    fresh,
    leg_of,
    metered,
    place,
    send,
    timeline,
)


def micros(moment: Any) -> str:
    return str((moment - EPOCH) // timedelta(microseconds=1)) if moment else "0"


def record(ended: Ended, **more: str) -> bytes:
    """Return the call detail record of an end."""
    variables = {
        "uuid": str(ended.leg_id),
        "direction": "outbound",
        "answer_uepoch": micros(ended.answered_at),
        "progress_uepoch": micros(ended.ringing_at),
        "end_uepoch": micros(ended.at),
        "hangup_cause": ended.cause,
        "hangup_cause_q850": str(ended.q850 or 0),
        "sip_hangup_disposition": "recv_bye",
    }
    return json.dumps({"variables": variables | more}).encode()


def post(ended: Ended, *, seconds: float = 10, **more: str) -> None:
    cdr.take_in(body=record(ended, **more), now=after(seconds))
    cdr.work_off(now=after(seconds))


def sent(company: Company) -> Call:
    call = place(company)
    send(call)
    return call


def net(call: Call) -> Decimal:
    return sum((row[2] for row in metered(call)), Decimal(0))


def adjusted(call: Call) -> list[OutboxEvent]:
    with tenant_scope(call.tenant_id):
        return list(OutboxEvent.objects.for_tenant(call.tenant_id).filter(type="call.adjusted"))


class TestOneCharge:
    @pytest.mark.parametrize("order", ["event record", "record event", "event record record", "record record event"])
    def test_whoever_comes_first(self, acme_line: Company, order: str):
        call = sent(acme_line)
        end = answered_end(call)

        for teller in order.split():
            if teller == "event":
                apply(call, end)
            else:
                post(end)

        assert (fresh(call).status, fresh(call).billed_seconds, fresh(call).corrections) == ("completed", 60, 0)
        assert len(metered(call)) == 1
        assert [type_ for _, type_ in announced(call)].count("call.completed") == 1
        assert leg_of(call).evidence == order.split()[0].replace("record", "report")

    def test_a_record_a_second_longer_within_the_same_minute_changes_nothing(self, acme_line: Company):
        call = sent(acme_line)
        apply(call, answered_end(call))

        post(answered_end(call, seconds=4.02), seconds=600)

        assert (fresh(call).corrections, len(metered(call)), adjusted(call)) == (0, 1, [])
        assert fresh(call).ended_at == after(5.02)

    def test_a_record_ten_minutes_late_that_begins_another_minute_is_one_reversal_and_one_record(
        self, acme_line: Company
    ):
        call = sent(acme_line)
        apply(call, answered_end(call, seconds=60))
        late = answered_end(call, seconds=61)

        post(late, seconds=600)
        post(late, seconds=700)
        post(answered_end(call, seconds=200), seconds=800)

        assert sorted(row[2] for row in metered(call)) == [Decimal(-60), Decimal(60), Decimal(120)]
        found = fresh(call)
        assert (found.status, found.billed_seconds, found.price) == ("completed", 120, Decimal("0.03"))
        assert (found.ended_at, found.corrections) == (after(63), 1)
        [event] = adjusted(call)
        data = json.loads(event.body)["data"]
        assert (data["billed_seconds"], data["adjustment"]["before"]["billed_seconds"]) == (120, 60)
        assert "record" in data["adjustment"]["reason"]
        assert timeline(call)[-1][1] == "adjusted"

    def test_without_a_record_or_an_event_the_end_is_estimated_and_a_late_record_wins(self, acme_line: Company):
        call = sent(acme_line)
        apply(call, Created(call.pk, after(1)), now=after(2))

        assert reconciling.end_gone(now=after(3601)) == 0
        assert reconciling.end_gone(now=after(3603)) == 1
        assert reconciling.end_gone(now=after(3604)) == 0

        estimated = fresh(call)
        assert (estimated.status, estimated.ended_at, estimated.is_estimated) == ("failed", after(2), True)
        assert metered(call) == []
        post(answered_end(call, seconds=61), seconds=4000)
        found = fresh(call)
        assert (found.status, found.ended_at, found.is_estimated) == ("completed", after(63), False)
        assert (found.billed_seconds, found.is_price_final, net(call)) == (120, True, Decimal(120))
        assert len(adjusted(call)) == 1

    def test_an_estimate_the_event_confirms_becomes_final_without_a_word(self, acme_line: Company):
        call = sent(acme_line)
        with tenant_scope(call.tenant_id):
            CallLeg.objects.for_tenant(call.tenant_id).update(answered_at=after(2), last_seen_at=after(4))
            Call.objects.for_tenant(call.tenant_id).update(status="answered", answered_at=after(2))
        reconciling.end_gone(now=after(4000))
        assert (fresh(call).is_estimated, net(call)) == (True, Decimal(60))

        apply(call, answered_end(call), now=after(4001))

        assert (fresh(call).is_estimated, fresh(call).ended_at, net(call)) == (False, after(5.02), Decimal(60))
        assert (timeline(call)[-1][1], adjusted(call), len(metered(call))) == ("confirmed", [], 1)

    def test_a_second_lifetime_is_an_alarm_and_no_charge(self, acme_line: Company):
        call = sent(acme_line)
        apply(call, answered_end(call))

        post(answered_end(call, seconds=300), start_uepoch=micros(after(100)))

        assert (timeline(call)[-1][1], len(metered(call))) == ("second_lifetime", 1)

    def test_a_record_that_calls_an_unanswered_call_answered_is_an_alarm_and_changes_nothing(self, acme_line: Company):
        call = sent(acme_line)
        apply(call, Ended(call.pk, at=after(3), cause="USER_BUSY"))

        post(answered_end(call))

        assert (fresh(call).status, metered(call), timeline(call)[-1][1]) == ("busy", [], "report_disagrees")


class TestWaiting:
    def test_a_strangers_record_waits_a_week(self, acme_line: Company):
        call = sent(acme_line)
        end = answered_end(call)
        stranger = record(end, uuid="11111111-2222-4333-8444-555555555555")

        assert cdr.take_in(body=stranger, now=after(0))
        assert cdr.work_off(now=after(0)) == 0
        assert cdr.work_off(now=after(1)) == 0

        report = CallReport.objects.get()
        assert (report.status, report.tries, report.due_at) == ("waiting", 1, after(2))
        assert cdr.forget(now=after(0) + timedelta(days=6)) == 0
        assert cdr.forget(now=after(0) + timedelta(days=8)) == 1
        assert not CallReport.objects.exists()

    def test_a_record_before_its_call_is_in_the_books_finds_it_later(
        self, acme_line: Company, monkeypatch: pytest.MonkeyPatch
    ):
        call = sent(acme_line)
        with monkeypatch.context() as early:
            early.setattr(cdr, "owner_of", lambda *, leg_id: None)
            post(answered_end(call), seconds=10)
        assert fresh(call).status == "queued"

        assert cdr.work_off(now=after(11)) == 0
        assert cdr.work_off(now=after(12)) == 1

        assert (fresh(call).status, len(metered(call))) == ("completed", 1)

    def test_one_that_breaks_waits_and_holds_up_no_other(self, acme_line: Company, monkeypatch: pytest.MonkeyPatch):
        first, second = sent(acme_line), sent(acme_line)
        for call in (first, second):
            cdr.take_in(body=record(answered_end(call)), now=after(10))
        real = cdr.finalize_leg
        breaking = {first.pk}

        def finalize(**given: Any) -> bool:
            if given["call_id"] in breaking:
                raise RuntimeError
            return real(**given)

        monkeypatch.setattr(cdr, "finalize_leg", finalize)
        assert cdr.work_off(now=after(10)) == 1
        breaking.clear()
        assert cdr.work_off(now=after(20)) == 1

        assert [fresh(call).status for call in (first, second)] == ["completed"] * 2

    def test_worked_off_by_two_at_once_is_one_charge(self, acme_line: Company, committed_db: None):
        call = sent(acme_line)
        for body in (record(answered_end(call)), record(answered_end(call), note="again")):
            cdr.take_in(body=body, now=after(10))

        def work() -> None:
            try:
                cdr.work_off(now=after(10))
            finally:
                connection.close()

        threads = [Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert (len(metered(call)), fresh(call).status) == (1, "completed")
        assert set(CallReport.objects.values_list("status", flat=True)) == {"done"}


@pytest.mark.django_db
class TestDoor:
    def test_takes_a_record_once_and_answers_at_once(self, switch: Client, acme_line: Company):  # noqa: F811
        call = sent(acme_line)
        body = record(answered_end(call))

        answers = [switch.post("/freeswitch/cdr", body, content_type="application/json") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert (CallReport.objects.count(), fresh(call).status) == (1, "queued")

    def test_keeps_what_it_cannot_read(self, switch: Client):  # noqa: F811
        answer = switch.post("/freeswitch/cdr", b"\x00nonsense", content_type="text/plain")

        assert answer.status_code == 200
        kept = CallReport.objects.get()
        assert (bytes(kept.body), kept.status, kept.channel_id) == (b"\x00nonsense", "unreadable", None)
        assert cdr.work_off(now=after(10)) == 0

    def test_is_the_switchs_alone(self, switch: Client):  # noqa: F811
        assert Client().post("/freeswitch/cdr", b"{}", content_type="application/json").status_code == 401
        assert switch.get("/freeswitch/cdr").status_code == 405
        assert not CallReport.objects.exists()


class TestSweep:
    def test_takes_files_in_once_and_moves_them(self, acme_line: Company, tmp_path: Path):
        call = sent(acme_line)
        body = record(answered_end(call))
        (tmp_path / "a.cdr.json").write_bytes(body)
        (tmp_path / "b.cdr.json").write_bytes(b"half of a rec")
        cdr.take_in(body=body, now=after(10))

        call_command("cdr_sweep", str(tmp_path))
        call_command("cdr_sweep", str(tmp_path))

        assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")) == [
            "taken/a.cdr.json",
            "unreadable/b.cdr.json",
        ]
        assert CallReport.objects.filter(channel_id=call.pk).count() == 1


class TestFailover:
    def two_trunks(self, company: Company) -> None:
        with tenant_scope(company.tenant.pk):
            services.create_trunk(tenant_id=company.tenant.pk, name="Second", gateway="second", priority=20)

    def legs(self, call: Call) -> list[CallLeg]:
        with tenant_scope(call.tenant_id):
            return list(
                CallLeg.objects.for_tenant(call.tenant_id)
                .filter(call=call)
                .select_related("trunk")
                .order_by("position")
            )

    def refuse(self, leg: CallLeg, seconds: float = 1) -> Ended:
        return Ended(leg.pk, at=after(seconds), cause="NORMAL_TEMPORARY_FAILURE", sip_status=503)

    def test_a_network_cause_tries_the_next_trunk_once_each(self, acme_line: Company):
        self.two_trunks(acme_line)
        call = sent(acme_line)

        apply(call, self.refuse(leg_of(call)), self.refuse(leg_of(call)), now=after(1))

        first, second = self.legs(call)
        assert (second.trunk and second.trunk.gateway, second.dispatch, fresh(call).status) == (
            "second",
            "unsent",
            "queued",
        )
        assert second.pk != first.pk
        apply(call, Ringing(second.pk, after(2)), self.refuse(second, 3), now=after(3))
        assert (len(self.legs(call)), fresh(call).status, fresh(call).reason) == (2, "failed", "network")
        assert [type_ for _, type_ in timeline(call)] == [
            "queued",
            "leg_ended",
            "next_trunk",
            "initiated",
            "ringing",
            "failed",
        ]

    def test_answered_there_it_is_metered_once(self, acme_line: Company):
        self.two_trunks(acme_line)
        call = sent(acme_line)
        apply(call, self.refuse(leg_of(call)), now=after(1))
        second = self.legs(call)[1]

        apply(call, answered_end(call, leg_id=second.pk))

        assert (fresh(call).status, [row[0] for row in metered(call)]) == ("completed", [f"call:{second.pk}:minute"])

    @pytest.mark.parametrize("cause", ["USER_BUSY", "UNALLOCATED_NUMBER", "NO_ANSWER", "CALL_REJECTED"])
    def test_no_other_cause_does(self, acme_line: Company, cause: str):
        self.two_trunks(acme_line)
        call = sent(acme_line)

        apply(call, Ended(call.pk, at=after(1), cause=cause))

        assert len(self.legs(call)) == 1
        assert fresh(call).ended_at == after(1)

    def test_never_after_an_answer_or_a_wish_to_end(self, acme_line: Company):
        self.two_trunks(acme_line)
        answered, canceled = sent(acme_line), sent(acme_line)
        with tenant_scope(canceled.tenant_id):
            services.hangup_call(tenant_id=canceled.tenant_id, call_id=canceled.pk, now=after(1))

        apply(answered, answered_end(answered, cause="NORMAL_TEMPORARY_FAILURE"))
        apply(canceled, self.refuse(leg_of(canceled)))

        assert [len(self.legs(call)) for call in (answered, canceled)] == [1, 1]
        assert [fresh(call).status for call in (answered, canceled)] == ["completed", "canceled"]
