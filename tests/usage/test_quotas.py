"""A quota lets through exactly what it holds, per tenant and period, however many ask at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from common.errors import Conflict, Invalid, NotFound
from tests.factories import NOW, Company
from tests.usage.helpers import at, call, periods, record, rows
from usage import limit_tasks, services
from usage.errors import LimitReached, UnknownFeature
from usage.models import Entitlement, Feature, PlanFeature
from usage.selectors.limits import allowed_feature, limits_in_use
from usage.services import Quota

D = Decimal
DAY = timedelta(days=1)


def entitle(company: Company, feature: str, value: Any, **more: Any) -> Entitlement:
    with tenant_scope(company.tenant.pk):
        fields = {"starts_at": NOW, "now": NOW, **more}
        return services.entitle(tenant_id=company.tenant.pk, feature=feature, value=value, **fields)


def consume(company: Company, quantity: str = "1", feature: str = "sms_messages", now: datetime = NOW) -> Quota:
    with tenant_scope(company.tenant.pk):
        return services.consume(tenant_id=company.tenant.pk, feature=feature, quantity=D(quantity), now=now)


def counters(company: Company) -> list[tuple[str, Decimal]]:
    return rows(company, "SELECT feature, used FROM quota_counters ORDER BY period_id, feature")  # type: ignore[return-value] # two


def limits(company: Company) -> dict[str, Any]:
    with tenant_scope(company.tenant.pk):
        return dict(Tenant.objects.get(pk=company.tenant.pk).limits)


class TestConsume:
    def test_counts_up_to_the_limit_and_not_beyond(self, acme: Company) -> None:
        entitle(acme, "sms_messages", 3)
        quota = consume(acme, "2")
        assert (quota.limit, quota.used, quota.remaining, quota.resets_at) == (3, 2, 1, at(2026, 4, 1, 0))
        with pytest.raises(LimitReached):
            consume(acme, "2")
        assert consume(acme).remaining == 0
        assert counters(acme) == [("sms_messages", 3)]

    def test_without_limit_only_counts(self, acme: Company) -> None:
        assert consume(acme, "1000000").remaining is None

    def test_one_that_only_alerts_goes_over(self, acme: Company) -> None:
        entitle(acme, "sms_messages", 3, cap=Feature.Cap.ALERT)
        assert consume(acme, "5").used == 5

    def test_nothing_is_allowed_of_a_quota_of_nothing(self, acme: Company) -> None:
        entitle(acme, "sms_messages", 0)
        with pytest.raises(LimitReached):
            consume(acme)

    def test_begins_with_what_was_recorded(self, acme: Company) -> None:
        record(acme, quantity=D(2))
        entitle(acme, "sms_messages", 3)
        assert consume(acme).used == 3

    def test_counts_voice_in_minutes(self, acme: Company) -> None:
        call(acme, 61)
        assert consume(acme, "1", "voice_minutes").used == 3

    def test_begins_anew_with_the_next_period(self, acme: Company) -> None:
        entitle(acme, "sms_messages", 1)
        consume(acme)
        with tenant_scope(acme.tenant.pk):
            services.roll_periods(tenant_id=acme.tenant.pk, now=at(2026, 4, 1, 2))
        assert consume(acme, now=at(2026, 4, 1, 3)).used == 1

    def test_is_undone_with_its_transaction(self, acme: Company) -> None:
        consume(acme)
        with pytest.raises(RuntimeError), transaction.atomic():
            consume(acme)
            raise RuntimeError
        assert counters(acme) == [("sms_messages", 1)]

    @pytest.mark.parametrize(("feature", "quantity"), [("sms_messages", "0"), ("sms_messages", "-1"), ("seats", "1")])
    def test_refuses_nonsense(self, acme: Company, feature: str, quantity: str) -> None:
        with pytest.raises(Invalid):
            consume(acme, quantity, feature)
        assert counters(acme) == []

    def test_refuses_a_feature_there_is_not(self, acme: Company) -> None:
        with pytest.raises(UnknownFeature):
            consume(acme, feature="teleports")

    def test_each_tenant_has_its_own(self, acme: Company, globex: Company) -> None:
        for company in (acme, globex):
            entitle(company, "sms_messages", 1)
        consume(globex)
        assert consume(acme).used == 1

    def test_costs_one_update_and_no_sums_once_begun(self, acme: Company) -> None:
        entitle(acme, "sms_messages", 100)
        consume(acme)
        seen: list[str] = []

        def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            seen.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            consume(acme)
        assert len([sql for sql in seen if "quota_counters" in sql]) == 1
        assert not [sql for sql in seen if "usage_summaries" in sql]


class TestRelease:
    def test_gives_back_and_never_more_than_was_used(self, acme: Company) -> None:
        quota = consume(acme, "2")
        with tenant_scope(acme.tenant.pk):
            for _ in range(2):
                services.release(
                    tenant_id=acme.tenant.pk, feature="sms_messages", quantity=D("1.5"), period_id=quota.period_id
                )
        assert counters(acme) == [("sms_messages", 0)]


class TestManyAtOnce:
    def test_exactly_as_many_as_there_are_get_through(self, committed_db: None, acme: Company) -> None:
        entitle(acme, "sms_messages", 40)

        def one(_: int) -> bool:
            try:
                consume(acme)
            except LimitReached:
                return False
            finally:
                connection.close()
            return True

        with ThreadPoolExecutor(16) as pool:
            assert sum(pool.map(one, range(100))) == 40
        assert counters(acme) == [("sms_messages", 40)]


class TestEntitlements:
    def test_overrides_the_plan_for_its_time(self, acme: Company) -> None:
        entitle(acme, "seats", 50, starts_at=NOW + DAY, ends_at=NOW + 3 * DAY)

        def seats(now: datetime) -> Any:
            with tenant_scope(acme.tenant.pk):
                return allowed_feature(tenant_id=acme.tenant.pk, feature="seats", now=now).value

        assert [seats(NOW + days * DAY) for days in range(4)] == [2, 50, 50, 2]

    def test_the_one_begun_last_holds(self, acme: Company) -> None:
        entitle(acme, "seats", 50, starts_at=NOW - DAY)
        entitle(acme, "seats", 7)
        entitle(acme, "seats", 90, starts_at=NOW - 2 * DAY)
        assert limits(acme)["seats"] == 7

    def test_is_copied_to_where_the_rooms_below_read_it(self, acme: Company) -> None:
        entitle(acme, "widgets", None)
        entitle(acme, "call_recording", True)
        assert limits(acme) == {
            "widgets": None,
            "seats": 2,
            "concurrent_calls": 2,
            "call_recording": True,
            "api_requests_per_minute": 60,
            "retention_days": 30,
        }

    def test_ends_and_one_not_begun_is_taken_back(self, acme: Company) -> None:
        holding, coming = entitle(acme, "seats", 50), entitle(acme, "seats", 60, starts_at=NOW + DAY)
        with tenant_scope(acme.tenant.pk):
            for row in (holding, coming, holding):
                end = {"tenant_id": acme.tenant.pk, "now": NOW + timedelta(hours=1)}
                if row is not coming or Entitlement.objects.for_tenant(acme.tenant).filter(pk=coming.pk).exists():
                    services.end_entitlement(entitlement_id=row.pk, **end)
            left = [row.ends_at for row in Entitlement.objects.for_tenant(acme.tenant)]
        assert left == [NOW + timedelta(hours=1)]
        assert limits(acme)["seats"] == 2

    def test_nobody_ends_another_tenant_s(self, acme: Company, globex: Company) -> None:
        row = entitle(globex, "seats", 50)
        with tenant_scope(acme.tenant.pk), pytest.raises(NotFound):
            services.end_entitlement(tenant_id=acme.tenant.pk, entitlement_id=row.pk, now=NOW)
        assert limits(globex)["seats"] == 50

    @pytest.mark.parametrize(
        ("feature", "value"),
        [("seats", True), ("seats", -1), ("seats", "many"), ("call_recording", 1), ("call_recording", None)],
    )
    def test_refuses_what_is_not_of_the_feature_s_kind(self, acme: Company, feature: str, value: Any) -> None:
        before = limits(acme)
        with pytest.raises(Invalid):
            entitle(acme, feature, value)
        assert limits(acme) == before

    def test_refuses_two_that_start_at_once_and_one_that_ends_before(self, acme: Company) -> None:
        entitle(acme, "seats", 50)
        with pytest.raises(Conflict):
            entitle(acme, "seats", 51)
        with pytest.raises(Invalid):
            entitle(acme, "widgets", 51, ends_at=NOW)

    def test_the_task_follows_the_clock_and_the_plan(self, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        entitle(acme, "seats", 50, starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
        with system_access("test"):
            PlanFeature.objects.filter(plan__slug="free_trial", slug="widgets").update(value=4)
        seen = []
        for days in range(3):
            monkeypatch.setattr(limit_tasks.timezone, "now", lambda days=days: NOW + days * DAY)
            limit_tasks.copy_limits()
            seen.append((limits(acme)["widgets"], limits(acme)["seats"]))
        assert seen == [(4, 2), (4, 50), (4, 2)]


class TestInUse:
    def test_shows_each_feature_with_what_is_used(self, acme: Company) -> None:
        entitle(acme, "sms_messages", 10)
        record(acme, quantity=D(4))
        consume(acme)
        with tenant_scope(acme.tenant.pk):
            found = {
                row.allowed.feature.slug: row
                for row in limits_in_use(tenant_id=acme.tenant.pk, period=periods(acme)[0], now=NOW)
            }
        sms, seats = found["sms_messages"], found["seats"]
        assert (sms.allowed.limit, sms.used) == (10, 5)
        assert (seats.allowed.limit, seats.used) == (2, None)
        assert found["call_recording"].allowed.value is False
        assert list(found)[:3] == ["widgets", "seats", "concurrent_calls"]
