"""Each mark is told once per period: as a row, a webhook, a live event and an e-mail."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.core import mail
from django.db import connection

from accounts.models import OutboxEvent, Tenant
from accounts.tenancy import system_access, tenant_scope
from common.errors import Invalid
from tests.factories import NOW, Company
from tests.usage.credit_helpers import give
from tests.usage.helpers import at, periods, record, rows
from tests.usage.test_quotas import consume, entitle
from usage import limit_tasks, services
from usage.errors import LimitReached, UnknownFeature
from usage.models import Feature, Subject, ThresholdCrossing
from usage.selectors.watching import tenants_to_watch
from usage.services import announcing

D = Decimal


def watch(company: Company, now: datetime = NOW) -> list[str]:
    """Watch, and return what was told."""
    with tenant_scope(company.tenant.pk):
        return [str(row) for row in services.watch(tenant_id=company.tenant.pk, now=now)]


def ask(company: Company, subject: Subject, *, percents: Any = (), amounts: Any = (), feature: str = "") -> None:
    with tenant_scope(company.tenant.pk):
        services.set_thresholds(
            tenant_id=company.tenant.pk,
            subject=subject,
            feature=feature,
            percents=percents,
            amounts=[D(amount) for amount in amounts],
        )


def webhooks(company: Company) -> list[tuple[str, dict[str, Any]]]:
    with tenant_scope(company.tenant.pk):
        events = OutboxEvent.objects.for_tenant(company.tenant).order_by("sequence", "id")
        told = events.filter(type__in=["usage.threshold.reached", "usage.limit.reached", "credit.low"])
        return [(event.type, orjson.loads(event.body)["data"]) for event in told]


def crossings(company: Company) -> list[tuple[str, Decimal]]:
    return rows(company, "SELECT subject, value FROM threshold_crossings ORDER BY id")  # type: ignore[return-value] # two


class TestQuota:
    def test_using_it_tells_at_each_mark_once(self, acme: Company) -> None:
        entitle(acme, "sms_messages", 10)
        for _ in range(10):
            consume(acme)
        with pytest.raises(LimitReached):
            consume(acme)
        assert watch(acme) == []
        told = webhooks(acme)
        assert [(type_, data["percent"]) for type_, data in told] == [
            ("usage.threshold.reached", 50),
            ("usage.threshold.reached", 80),
            ("usage.threshold.reached", 90),
            ("usage.limit.reached", 100),
        ]
        assert told[1][1] == {
            "subject": "quota",
            "feature": "sms_messages",
            "percent": 80,
            "amount": None,
            "used": "8",
            "limit": "10",
            "remaining": "2",
            "unit": "messages",
            "currency": None,
            "period_start": "2026-03-10",
            "period_end": "2026-03-31",
        }

    def test_usage_nobody_announced_is_noticed(self, acme: Company) -> None:
        entitle(acme, "sms_messages", 10)
        record(acme, quantity=D(9))
        assert watch(acme) == [
            "quota sms_messages 50 percent",
            "quota sms_messages 80 percent",
            "quota sms_messages 90 percent",
        ]
        assert watch(acme) == []

    def test_the_counter_follows_what_was_recorded(self, acme: Company) -> None:
        entitle(acme, "sms_messages", 10)
        consume(acme)
        record(acme, quantity=D(10))
        watch(acme)
        with pytest.raises(LimitReached):
            consume(acme)

    def test_tells_anew_in_the_next_period(self, acme: Company) -> None:
        entitle(acme, "sms_messages", 2)
        consume(acme, "1")
        with tenant_scope(acme.tenant.pk):
            services.roll_periods(tenant_id=acme.tenant.pk, now=at(2026, 4, 1, 2))
        consume(acme, "1", now=at(2026, 4, 1, 3))
        assert crossings(acme) == [("quota", 50), ("quota", 50)]

    def test_without_limit_nothing_is_told(self, acme: Company) -> None:
        record(acme, quantity=D(1000))
        consume(acme, "1000")
        assert [row for row in crossings(acme) if row[0] == "quota"] == []


class TestCredit:
    def test_tells_as_it_is_used_up(self, acme: Company) -> None:
        record(acme, quantity=D(3400))
        assert watch(acme) == ["credit 50 percent"]
        record(acme, quantity=D(4000))
        assert watch(acme) == ["credit 80 percent", "credit 90 percent", "credit 100 percent"]
        types = webhooks(acme)
        assert [type_ for type_, _ in types] == ["credit.low"] * 4
        assert types[0][1]["used"] == "25.5"
        assert (types[0][1]["limit"], types[0][1]["remaining"], types[0][1]["currency"]) == ("50", "24.5", "USD")

    def test_tells_when_it_has_come_down_to_an_amount(self, acme: Company) -> None:
        ask(acme, Subject.CREDIT, amounts=["20", "5"])
        record(acme, quantity=D(3999))
        assert watch(acme) == []
        record(acme)
        assert watch(acme) == ["credit 20 amount"]

    def test_what_is_held_is_not_used(self, acme: Company) -> None:
        with tenant_scope(acme.tenant.pk):
            services.hold(
                tenant_id=acme.tenant.pk, key="call:1", amount=D(49), expires_at=NOW + timedelta(hours=1), now=NOW
            )
        assert watch(acme) == []

    def test_a_top_up_moves_the_marks_away(self, acme: Company) -> None:
        give(acme, "50")
        record(acme, quantity=D(5000))
        assert watch(acme) == []


class TestCost:
    def test_tells_at_amounts_and_by_itself_at_none(self, acme: Company) -> None:
        record(acme, quantity=D(2000))
        assert watch(acme) == []
        ask(acme, Subject.COST, amounts=["15", "100"])
        assert watch(acme) == ["cost 15 amount"]
        assert webhooks(acme)[0][1]["amount"] == "15"


class TestSettings:
    def test_one_s_own_marks_replace_the_usual(self, acme: Company) -> None:
        entitle(acme, "sms_messages", 10)
        ask(acme, Subject.QUOTA, percents=[30], amounts=["4"], feature="sms_messages")
        record(acme, quantity=D(9))
        assert watch(acme) == ["quota sms_messages 4 amount", "quota sms_messages 30 percent"]

    def test_no_marks_tell_nothing(self, acme: Company) -> None:
        entitle(acme, "sms_messages", 10)
        ask(acme, Subject.QUOTA)
        ask(acme, Subject.CREDIT)
        record(acme, quantity=D(9000))
        assert watch(acme) == []

    def test_go_back_to_the_usual(self, acme: Company) -> None:
        ask(acme, Subject.CREDIT)
        record(acme, quantity=D(3400))
        watch(acme)
        with tenant_scope(acme.tenant.pk):
            services.reset_thresholds(tenant_id=acme.tenant.pk, subject=Subject.CREDIT)
        assert watch(acme) == ["credit 50 percent"]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"subject": Subject.CREDIT, "percents": [0]},
            {"subject": Subject.CREDIT, "percents": [1001]},
            {"subject": Subject.CREDIT, "percents": list(range(1, 12))},
            {"subject": Subject.CREDIT, "amounts": ["0"]},
            {"subject": Subject.COST, "percents": [50]},
            {"subject": Subject.COST, "feature": "sms_messages"},
        ],
    )
    def test_refuses_nonsense(self, acme: Company, wrong: dict[str, Any]) -> None:
        with pytest.raises(Invalid):
            ask(acme, **wrong)
        assert rows(acme, "SELECT 1 FROM threshold_settings") == []

    def test_refuses_a_feature_there_is_not(self, acme: Company) -> None:
        with pytest.raises(UnknownFeature):
            ask(acme, Subject.QUOTA, feature="teleports")


class TestMail:
    @pytest.fixture(autouse=True)
    def limited(self, acme: Company) -> None:
        with tenant_scope(acme.tenant.pk):
            Tenant.objects.filter(pk=acme.tenant.pk).update(billing_email="money@acme.example")
        entitle(acme, "sms_messages", 10)
        mail.outbox.clear()

    def test_one_names_the_highest_of_the_marks(self, acme: Company, django_capture_on_commit_callbacks: Any) -> None:
        record(acme, quantity=D(9))
        with django_capture_on_commit_callbacks(execute=True):
            watch(acme)
        (message,) = mail.outbox
        assert (message.to, message.subject) == (["money@acme.example"], "SMS: 90 % of the quota are used - Acme")
        assert "9 of 10 messages are used, 1 are left." in message.body
        assert "March 10, 2026 to March 31, 2026" in message.body
        assert "refused until the period ends" in message.body

    def test_speaks_german_where_the_tenant_does(self, acme: Company, django_capture_on_commit_callbacks: Any) -> None:
        with tenant_scope(acme.tenant.pk):
            Tenant.objects.filter(pk=acme.tenant.pk).update(locale="de")
        with django_capture_on_commit_callbacks(execute=True):
            consume(acme, "10")
        (message,) = mail.outbox
        assert message.subject == "SMS: Das Kontingent ist aufgebraucht - Acme"
        assert "10 von 10 Nachrichten sind verbraucht" in message.body
        assert "10. März 2026 bis 31. März 2026" in message.body

    def test_says_that_nothing_is_refused_where_it_only_alerts(
        self, acme: Company, django_capture_on_commit_callbacks: Any
    ) -> None:
        entitle(acme, "mms_messages", 2, cap=Feature.Cap.ALERT)
        with django_capture_on_commit_callbacks(execute=True):
            consume(acme, "3", "mms_messages")
        assert "Nothing is refused" in mail.outbox[0].body

    def test_of_money_names_the_currency(self, acme: Company, django_capture_on_commit_callbacks: Any) -> None:
        ask(acme, Subject.COST, amounts=["15"])
        ask(acme, Subject.CREDIT, amounts=["35"])
        record(acme, resource_type="mms", quantity=D(750))
        with django_capture_on_commit_callbacks(execute=True):
            watch(acme)
        assert [message.subject for message in mail.outbox] == [
            "The credit has come down to $35.00 - Acme",
            "This period's usage has reached $15.00 - Acme",
        ]
        assert "Of $50.00 of credit $35.00 are left." in mail.outbox[0].body
        assert "Usage costs $15.00 so far" in mail.outbox[1].body

    def test_is_not_sent_without_an_address(self, acme: Company, django_capture_on_commit_callbacks: Any) -> None:
        with tenant_scope(acme.tenant.pk):
            Tenant.objects.filter(pk=acme.tenant.pk).update(billing_email="")
        with django_capture_on_commit_callbacks(execute=True):
            consume(acme, "5")
        assert mail.outbox == []
        assert len(webhooks(acme)) == 1


class TestLive:
    def test_rings_for_those_who_may_read_usage(self, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        rung: list[Any] = []
        monkeypatch.setattr(announcing, "publish_on_commit", rung.append)
        entitle(acme, "sms_messages", 2)
        consume(acme)
        ((topic, frame),) = rung[0].frames()
        assert topic == f"{acme.tenant.pk.hex}.usage.staff"
        assert (frame["v"], frame["type"], frame["percent"]) == (1, "usage.threshold.reached", 50)


class TestTask:
    def test_looks_only_at_what_has_changed(
        self, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limit_tasks.timezone, "now", lambda: NOW)

        def waiting() -> list[Any]:
            with system_access("test"):
                return tenants_to_watch(now=NOW)

        record(acme, quantity=D(3400))
        assert waiting() == [acme.tenant.pk]
        limit_tasks.watch_thresholds()
        assert (waiting(), crossings(acme)) == ([], [("credit", 50)])
        with system_access("test"):
            services.fold_deltas()
        assert waiting() == []
        record(acme)
        assert waiting() == [acme.tenant.pk]

    def test_one_tenant_s_trouble_is_not_another_s(
        self, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limit_tasks.timezone, "now", lambda: NOW)
        for company in (acme, globex):
            record(company, quantity=D(3400))
        sound = services.watch

        def broken(*, tenant_id: Any, now: datetime) -> Any:
            if tenant_id == acme.tenant.pk:
                raise RuntimeError("no")
            return sound(tenant_id=tenant_id, now=now)

        monkeypatch.setattr(limit_tasks.services, "watch", broken)
        limit_tasks.watch_thresholds()
        assert (crossings(acme), crossings(globex)) == ([], [("credit", 50)])

    def test_credit_that_ended_is_written_off(self, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        with tenant_scope(acme.tenant.pk):
            services.burn(
                tenant_id=acme.tenant.pk, key="i", amount=D(0), at=NOW, sources=["trial"], period_id=periods(acme)[0].pk
            )
        monkeypatch.setattr(limit_tasks.timezone, "now", lambda: at(2026, 4, 2))
        for _ in range(2):
            limit_tasks.expire_credit()
        assert rows(acme, "SELECT sum(amount), count(*) FROM credit_entries") == [(0, 2)]


def test_the_same_moment_from_many_threads_tells_once(committed_db: None, acme: Company) -> None:
    record(acme, quantity=D(3400))

    def one(_: int) -> int:
        try:
            return len(watch(acme))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(16))) == 1
    assert len(webhooks(acme)) == 1
    with tenant_scope(acme.tenant.pk):
        assert ThresholdCrossing.objects.for_tenant(acme.tenant).count() == 1
