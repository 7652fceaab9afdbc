"""From the fact to the endpoint: who gets what, in which order, how often, and what becomes of it."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from accounts.models import Tenant, WebhookAttempt, WebhookDelivery
from accounts.permissions import Role
from accounts.tenancy import system_access, tenant_scope
from accounts.webhooks import endpoints, schedule
from accounts.webhooks.claiming import LEASE, MOST_AT_ONCE, claim
from accounts.webhooks.delivering import attempt
from accounts.webhooks.dispatching import dispatch
from accounts.webhooks.keeping import forget_old
from accounts.webhooks.settling import settle
from common.ids import encode, uuid7
from tests import factories
from tests.accounts.webhooks.helpers import (
    Receiver,
    deliveries,
    endpoint,
    events,
    happen,
    lanes,
    no_answer,
    of,
    send,
    verify,
    work,
)  # fmt: skip
from tests.assertions import count, rows
from tests.factories import Company

NOW = timezone.now()
NOW_AND_THEN = timedelta(seconds=1)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


class TestWhoHears:
    def test_an_event_arrives_signed_as_it_was_stored(self, acme: Company, receiver: Receiver) -> None:
        _, secret = endpoint(acme)
        [event_id] = happen(acme, at=NOW)
        assert work(receiver, now=timezone.now()) == 1
        [got] = receiver.got
        [stored] = events()
        assert (got.raw.decode(), got.headers["webhook-id"]) == (stored.body, encode("evt", event_id))
        assert got.headers["content-type"] == "application/json"
        verify(got, secret)
        [delivery] = deliveries()
        assert (delivery.status, delivery.attempt_count, delivery.status_code) == ("delivered", 1, 200)
        assert lanes() == []

    @pytest.mark.parametrize(
        ("wanted", "hears"),
        [((), True), (("chat.message.created",), True), (("chat.*",), True), (("call.*", "invoice.paid"), False)],
    )
    def test_an_endpoint_hears_what_it_asked_for(
        self, acme: Company, receiver: Receiver, wanted: tuple[str, ...], hears: bool
    ) -> None:
        endpoint(acme, *wanted)
        happen(acme, at=NOW)
        assert work(receiver, now=timezone.now()) == int(hears)
        assert [event.position is not None for event in events()] == [True]

    def test_no_tenant_hears_of_another(self, acme: Company, globex: Company, receiver: Receiver) -> None:
        endpoint(globex)
        happen(acme, at=NOW)
        assert work(receiver, now=timezone.now()) == 0

    def test_what_happened_before_an_endpoint_was_made_is_not_sent(self, acme: Company, receiver: Receiver) -> None:
        happen(acme, at=NOW)
        endpoint(acme)
        assert work(receiver, now=timezone.now()) == 0

    def test_a_disabled_endpoint_hears_nothing_and_waits_for_nothing(self, acme: Company, receiver: Receiver) -> None:
        row, _ = endpoint(acme)
        happen(acme, object_id="before", at=NOW)
        dispatch(now=timezone.now())
        change(acme, row, is_enabled=False)
        happen(acme, object_id="while", at=NOW)
        assert work(receiver, now=timezone.now()) == 0
        change(acme, row, is_enabled=True)
        work(receiver, now=timezone.now())
        assert [got.body["object_id"] for got in receiver.got] == ["before"]

    def test_nothing_is_sent_for_a_suspended_tenant(self, acme: Company, receiver: Receiver) -> None:
        endpoint(acme)
        happen(acme, at=NOW)
        with system_access("test"):
            Tenant.objects.filter(pk=acme.tenant.pk).update(status=Tenant.Status.SUSPENDED)
        assert work(receiver, now=timezone.now()) == 0
        with system_access("test"):
            Tenant.objects.filter(pk=acme.tenant.pk).update(status=Tenant.Status.ACTIVE)
        assert work(receiver, now=timezone.now()) == 1

    def test_what_is_rolled_back_never_happened(self, acme: Company, receiver: Receiver) -> None:
        endpoint(acme)
        with pytest.raises(RuntimeError), transaction.atomic():
            happen(acme, at=NOW)
            raise RuntimeError
        happen(acme, at=NOW)
        work(receiver, now=timezone.now())
        assert receiver.sequences == [1]


class TestTheOrder:
    def test_an_object_s_events_come_one_after_the_other(self, acme: Company, receiver: Receiver) -> None:
        endpoint(acme)
        happen(acme, object_id="a", times=5, at=NOW)
        happen(acme, object_id="b", times=2, at=NOW)
        now = timezone.now()
        dispatch(now=now)
        first = claim(lease=uuid7(), most=200, now=now)
        assert len(first) == 2  # one under way for each object
        assert claim(lease=uuid7(), most=200, now=now) == []
        send(first, receiver, now=now)
        work(receiver, now=now)
        assert [got.sequence for got in receiver.got if got.body["object_id"] == "a"] == [1, 2, 3, 4, 5]

    def test_a_failing_event_holds_those_after_it_until_its_third_attempt(
        self, acme: Company, receiver: Receiver
    ) -> None:
        endpoint(acme)
        receiver.answers = lambda got: 500 if got.sequence == 1 else 200
        happen(acme, times=3, at=NOW)
        now = timezone.now()
        assert work(receiver, now=now) == 1
        now += timedelta(seconds=5)
        assert work(receiver, now=now - NOW_AND_THEN) == 0
        assert work(receiver, now=now) == 1
        now += timedelta(seconds=30)
        assert work(receiver, now=now) == 3
        assert receiver.sequences == [1, 1, 1, 2, 3]
        happen(acme, at=NOW)
        assert work(receiver, now=now) == 1  # nothing is held any more
        receiver.answers = None
        assert work(receiver, now=now + timedelta(minutes=5)) == 1
        assert receiver.sequences == [1, 1, 1, 2, 3, 4, 1]
        assert {one.status for one in deliveries()} == {"delivered"}

    def test_what_waits_behind_a_failing_event_asks_for_no_attempt(self, acme: Company, receiver: Receiver) -> None:
        endpoint(acme)
        receiver.status = 500
        happen(acme, at=NOW)
        now = timezone.now()
        work(receiver, now=now)
        [before] = lanes()
        happen(acme, times=3, at=NOW)
        dispatch(now=now)
        [after] = lanes()
        assert (before.due_at, after.due_at) == (now + timedelta(seconds=5), now + timedelta(seconds=5))

    def test_other_objects_do_not_wait(self, acme: Company, receiver: Receiver) -> None:
        endpoint(acme)
        receiver.answers = lambda got: 500 if got.body["object_id"] == "a" else 200
        happen(acme, object_id="a", times=2, at=NOW)
        happen(acme, object_id="b", times=2, at=NOW)
        work(receiver, now=timezone.now())
        assert [(got.body["object_id"], got.sequence) for got in receiver.got if got.body["object_id"] == "b"] == [
            ("b", 1), ("b", 2),
        ]  # fmt: skip

    def test_an_object_s_events_are_dispatched_together_whatever_the_clock_said(
        self, acme: Company, receiver: Receiver
    ) -> None:
        endpoint(acme)
        happen(acme, times=3, at=NOW)
        with system_access("test"):
            for event in events():
                type(event).unscoped.filter(pk=event.pk).update(
                    created_at=event.created_at + timedelta(minutes=10 - event.sequence)
                )
        assert dispatch(now=timezone.now(), most=1) == 3
        in_order = sorted(events(), key=lambda event: event.position or 0)
        assert [event.sequence for event in in_order] == [1, 2, 3]


class TestAFailure:
    def test_is_tried_nine_times_then_given_up(self, acme: Company, receiver: Receiver) -> None:
        endpoint(acme)
        receiver.answers = lambda got: no_answer()
        happen(acme, at=NOW)
        now = timezone.now()
        began, times = now, []
        while work(receiver, now=now):
            times.append(now - began)
            [delivery] = deliveries()
            if delivery.next_attempt_at is None:
                break
            now = delivery.next_attempt_at
        assert len(times) == schedule.MOST_TRIES
        [delivery] = deliveries()
        assert (delivery.status, delivery.error, delivery.status_code) == ("failed", "timeout", None)
        assert [one.number for one in sorted(rows(WebhookAttempt), key=lambda one: one.number)] == [*range(1, 10)]
        assert lanes() == []

    @pytest.mark.parametrize("status", [301, 302, 400, 401, 404, 429, 500, 503, 199, 304])
    def test_is_whatever_is_not_2xx(self, acme: Company, receiver: Receiver, status: int) -> None:
        endpoint(acme)
        receiver.status = status
        happen(acme, at=NOW)
        work(receiver, now=timezone.now())
        [delivery] = deliveries()
        assert (delivery.status, delivery.tries, delivery.status_code) == ("pending", 1, status)

    def test_retry_after_is_honoured_for_the_event_and_the_endpoint(self, acme: Company, receiver: Receiver) -> None:
        row, _ = endpoint(acme)
        receiver.status, receiver.headers = 429, {"retry-after": "90"}
        happen(acme, object_id="a", at=NOW)
        now = timezone.now()
        work(receiver, now=now)
        [delivery] = deliveries()
        assert delivery.next_attempt_at == now + timedelta(seconds=90)
        happen(acme, object_id="b", at=NOW)
        receiver.status = 200
        assert work(receiver, now=now + timedelta(seconds=89)) == 0
        assert work(receiver, now=now + timedelta(seconds=90)) == 2
        assert of(row).paused_until is None

    def test_keeps_the_answer_s_first_bytes_whatever_they_are(self, acme: Company, receiver: Receiver) -> None:
        endpoint(acme)
        receiver.status, receiver.body = 500, b"\x00\xff<b>" + "é".encode() * 2_000
        happen(acme, at=NOW)
        work(receiver, now=timezone.now())
        [one] = rows(WebhookAttempt)
        assert one.answer.startswith("��<b>é")
        assert len(one.answer) <= 512

    def test_gone_disables_the_endpoint_and_tells_who_administers_it(
        self, acme: Company, receiver: Receiver, django_capture_on_commit_callbacks: object
    ) -> None:
        row, _ = endpoint(acme)
        admin = factories.add_person(acme, "Ada", Role.ADMIN).user
        receiver.status = 410
        happen(acme, times=2, at=NOW)
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator] # pytest-django's fixture
            work(receiver, now=timezone.now())
        assert (of(row).is_active, of(row).disabled_reason) == (False, "gone")
        assert len(receiver.got) == 1
        assert sorted(message.to[0] for message in mail.outbox) == sorted([acme.owner.email, admin.email])
        assert "hooks.example.com" in mail.outbox[0].subject
        assert "410" in str(mail.outbox[0].body)

    def test_five_days_disable_the_endpoint_in_the_tenant_s_language(
        self, acme: Company, receiver: Receiver, django_capture_on_commit_callbacks: object
    ) -> None:
        row, _ = endpoint(acme)
        with system_access("test"):
            Tenant.objects.filter(pk=acme.tenant.pk).update(locale="de")
        receiver.status = 500
        now = timezone.now()
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator] # pytest-django's fixture
            for day in range(6):
                assert of(row).is_active
                happen(acme, object_id=f"day {day}", at=NOW)
                work(receiver, now=now + timedelta(days=day))
        assert (of(row).is_active, of(row).disabled_reason) == (False, "failing")
        assert [message.to for message in mail.outbox] == [[acme.owner.email]]
        assert "abgeschaltet" in mail.outbox[0].subject
        assert "fünf Tagen" in str(mail.outbox[0].body)

    def test_a_secret_that_does_not_open_is_a_failure_that_is_named(self, acme: Company, receiver: Receiver) -> None:
        row, _ = endpoint(acme)
        with system_access("test"):
            type(row).unscoped.filter(pk=row.pk).update(secret="nothing of ours")
        happen(acme, at=NOW)
        work(receiver, now=timezone.now())
        assert receiver.got == []
        assert [one.error for one in deliveries()] == ["secret-unreadable"]

    def test_an_event_no_longer_kept_fails_and_holds_nothing_against_the_endpoint(
        self, acme: Company, receiver: Receiver
    ) -> None:
        row, _ = endpoint(acme)
        happen(acme, at=NOW)
        dispatch(now=timezone.now())
        with system_access("test"):
            type(events()[0]).unscoped.all().delete()
        work(receiver, now=timezone.now())
        assert [(one.status, one.error) for one in deliveries()] == [("failed", "expired")]
        assert of(row).failures == 0


class TestAHangingEndpoint:
    def test_gets_ten_attempts_at_once_and_the_others_theirs(self, acme: Company, globex: Company) -> None:
        endpoint(acme)
        endpoint(globex, url="https://other.example.com/")
        for number in range(30):
            happen(acme, object_id=f"o{number}", at=NOW)
        happen(globex, at=NOW)
        now = timezone.now()
        dispatch(now=now)
        jobs = claim(lease=uuid7(), most=200, now=now)
        by_tenant = [job.tenant_id for job in jobs]
        assert (by_tenant.count(acme.tenant.pk), by_tenant.count(globex.tenant.pk)) == (MOST_AT_ONCE, 1)
        assert claim(lease=uuid7(), most=200, now=now) == []

    def test_gives_everyone_a_first_place_before_anyone_a_second(self, acme: Company, globex: Company) -> None:
        endpoint(acme)
        for number in range(9):
            happen(acme, object_id=f"o{number}", at=NOW)
        now = timezone.now()
        dispatch(now=now)
        endpoint(globex, url="https://other.example.com/")
        happen(globex, at=NOW)
        dispatch(now=now + NOW_AND_THEN)
        jobs = claim(lease=uuid7(), most=2, now=now + NOW_AND_THEN)
        assert {job.tenant_id for job in jobs} == {acme.tenant.pk, globex.tenant.pk}

    def test_that_failed_ten_times_in_a_row_is_left_alone_then_tried_once(
        self, acme: Company, receiver: Receiver
    ) -> None:
        row, _ = endpoint(acme)
        receiver.status = 500
        for number in range(20):
            happen(acme, object_id=f"o{number}", at=NOW)
        now = timezone.now()
        assert work(receiver, now=now) == 10
        assert of(row).paused_until == now + timedelta(seconds=5)
        now += timedelta(seconds=5)
        dispatch(now=now)
        probe = claim(lease=uuid7(), most=200, now=now)
        assert len(probe) == 1
        send(probe, receiver, now=now)
        assert of(row).paused_until == now + timedelta(seconds=10)
        receiver.status = 200
        work(receiver, now=now + timedelta(seconds=10))
        assert (of(row).failures, of(row).paused_until, of(row).failing_since) == (0, None, None)
        work(receiver, now=now + timedelta(minutes=1))
        assert {one.status for one in deliveries()} == {"delivered"}


class TestADeadWorker:
    def test_leaves_its_lanes_to_the_next_one(self, acme: Company, receiver: Receiver) -> None:
        endpoint(acme)
        happen(acme, times=2, at=NOW)
        now = timezone.now()
        dispatch(now=now)
        assert len(claim(lease=uuid7(), most=200, now=now)) == 1
        assert work(receiver, now=now + LEASE - NOW_AND_THEN) == 0
        assert work(receiver, now=now + LEASE) == 2
        assert receiver.sequences == [1, 2]

    async def _late(self, job: object, receiver: Receiver) -> object:
        return await attempt(job, receiver.post, now=NOW)  # type: ignore[arg-type] # a job

    def test_that_was_only_slow_takes_nothing_back(self, acme: Company, receiver: Receiver) -> None:
        endpoint(acme)
        happen(acme, times=2, at=NOW)
        now = timezone.now()
        dispatch(now=now)
        slow = claim(lease=uuid7(), most=200, now=now)
        later = now + LEASE
        other = claim(lease=uuid7(), most=200, now=later)
        failing = Receiver(status=500)
        send(slow, failing, now=later)  # its lease is over: it must not give the lane back
        assert claim(lease=uuid7(), most=200, now=later) == []
        send(other, receiver, now=later)
        work(receiver, now=later)
        assert receiver.sequences == [1, 2]
        assert [one.attempt_count for one in deliveries()] == [2, 1]

    def test_the_same_outcome_settled_twice_is_one_delivery(self, acme: Company, receiver: Receiver) -> None:
        endpoint(acme)
        happen(acme, at=NOW)
        now = timezone.now()
        dispatch(now=now)
        jobs = claim(lease=uuid7(), most=200, now=now)
        send(jobs, receiver, now=now)
        send(jobs, receiver, now=now)
        [delivery] = deliveries()
        assert (delivery.status, delivery.tries) == ("delivered", 1)

    def test_what_was_not_attempted_is_due_as_before(self, acme: Company, receiver: Receiver) -> None:
        endpoint(acme)
        happen(acme, at=NOW)
        now = timezone.now()
        dispatch(now=now)
        jobs = claim(lease=uuid7(), most=200, now=now)
        assert settle(outcomes=[], unused=jobs, now=now, spread=0.0).has_more
        assert work(receiver, now=now) == 1


class TestKeeping:
    def test_thirty_days(self, acme: Company, receiver: Receiver) -> None:
        endpoint(acme)
        happen(acme, at=NOW)
        work(receiver, now=timezone.now())
        assert forget_old(now=timezone.now() + timedelta(days=29, hours=23)) == 0
        assert forget_old(now=timezone.now() + timedelta(days=30, seconds=1)) == 3
        assert forget_old(now=timezone.now() + timedelta(days=30, seconds=1)) == 0
        assert (events(), deliveries(), count(WebhookAttempt)) == ([], [], 0)

    def test_what_is_pending_or_not_yet_dispatched_stays(self, acme: Company) -> None:
        endpoint(acme)
        happen(acme, at=NOW)
        assert forget_old(now=timezone.now() + timedelta(days=31)) == 0
        dispatch(now=timezone.now())
        forget_old(now=timezone.now() + timedelta(days=31))
        assert count(WebhookDelivery, status="pending") == 1


def change(company: Company, row: object, **fields: bool) -> None:
    with tenant_scope(company.tenant.pk):
        endpoints.change_endpoint(
            tenant_id=company.tenant.pk, endpoint_id=row.pk, now=NOW, **fields  # type: ignore[attr-defined, arg-type] # an endpoint
        )  # fmt: skip
