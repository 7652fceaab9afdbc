"""Holds set credit aside: never more than there is, however many ask at once, and never for ever."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.tenancy import system_access, tenant_scope
from common.errors import DomainError, Invalid, NotFound
from tests.factories import NOW, Company
from tests.usage.credit_helpers import balance, burn, give
from tests.usage.helpers import at, call, periods, record
from usage import services
from usage.credit import PREPAID
from usage.errors import HoldConflict, HoldEnded, NotEnoughCredit
from usage.models import CreditHold, PricingPlan
from usage.selectors import current_period, period_usage
from usage.services import Hold, refresh_balance

D = Decimal
HOUR = timedelta(hours=1)
SOON = NOW + HOUR


@contextmanager
def scope(company: Company) -> Iterator[dict[str, Any]]:
    with tenant_scope(company.tenant.pk):
        yield {"tenant_id": company.tenant.pk}


def hold(
    company: Company, amount: str, key: str = "call:1", *, expires_at: datetime = SOON, now: datetime = NOW
) -> Hold:
    with scope(company) as of:
        return services.hold(**of, key=key, amount=D(amount), expires_at=expires_at, now=now)


def settle(company: Company, actual: str, key: str = "call:1", *, now: datetime = NOW) -> Hold:
    with scope(company) as of:
        return services.settle_hold(**of, key=key, actual=D(actual), now=now)


def release(company: Company, key: str = "call:1", *, now: datetime = NOW) -> Hold:
    with scope(company) as of:
        return services.release_hold(**of, key=key, now=now)


def extend(
    company: Company, amount: str, key: str = "call:1", *, expires_at: datetime = SOON, now: datetime = NOW
) -> Hold:
    with scope(company) as of:
        return services.extend_hold(**of, key=key, amount=D(amount), expires_at=expires_at, now=now)


def refresh(company: Company, now: datetime = NOW) -> None:
    with scope(company) as of:
        refresh_balance(**of, now=now)


class TestHold:
    def test_sets_aside_what_is_free(self, acme: Company) -> None:
        assert hold(acme, "20").status == "held"
        assert balance(acme) == (30, 20, 0)

    def test_twice_with_one_key_is_one(self, acme: Company) -> None:
        assert hold(acme, "20") == hold(acme, "20")
        assert balance(acme) == (30, 20, 0)

    def test_refuses_a_key_that_holds_another_amount(self, acme: Company) -> None:
        hold(acme, "20")
        with pytest.raises(HoldConflict):
            hold(acme, "21")

    def test_refuses_more_than_there_is(self, acme: Company) -> None:
        hold(acme, "20")
        with pytest.raises(NotEnoughCredit):
            hold(acme, "30.01", "call:2")
        hold(acme, "30", "call:3")
        assert balance(acme) == (0, 50, 0)

    def test_refuses_where_there_is_none(self, acme: Company) -> None:
        burn(acme, "50")
        with pytest.raises(NotEnoughCredit):
            hold(acme, "0.01")
        assert balance(acme) == (0, 0, 0)

    @pytest.mark.parametrize(("amount", "expires_at"), [("0", SOON), ("-1", SOON), ("1", NOW)])
    def test_refuses_nonsense(self, acme: Company, amount: str, expires_at: datetime) -> None:
        with pytest.raises(Invalid):
            hold(acme, amount, expires_at=expires_at)
        assert balance(acme) == (0, 0, 50)

    def test_counts_usage_that_no_hold_announced(self, acme: Company) -> None:
        record(acme, quantity=D(4000))
        with pytest.raises(NotEnoughCredit):
            hold(acme, "21")
        hold(acme, "20")
        assert balance(acme) == (0, 20, 30)

    def test_counts_later_usage_within_a_minute(self, acme: Company) -> None:
        hold(acme, "1")
        record(acme, quantity=D(4000))
        hold(acme, "30", "call:2")
        with pytest.raises(NotEnoughCredit):
            hold(acme, "19", "call:3", now=NOW + timedelta(seconds=60))

    def test_a_top_up_is_free_at_once(self, acme: Company) -> None:
        hold(acme, "50")
        give(acme, "10")
        hold(acme, "10", "call:2")
        assert balance(acme) == (0, 60, 0)

    def test_credit_for_later_is_not_free_yet(self, acme: Company) -> None:
        give(acme, "10", starts_at=SOON)
        with pytest.raises(NotEnoughCredit):
            hold(acme, "51")
        hold(acme, "51", now=SOON, expires_at=SOON + HOUR)

    def test_credit_that_ended_is_not_free_though_nobody_noted_it(self, acme: Company) -> None:
        give(acme, "10", expires_at=NOW + timedelta(seconds=30))
        hold(acme, "1")
        with pytest.raises(NotEnoughCredit):
            hold(acme, "50", "call:2", now=NOW + timedelta(seconds=30))

    def test_costs_one_update_while_the_balance_is_fresh(self, acme: Company) -> None:
        hold(acme, "1")
        with scope(acme) as of, connection.execute_wrapper(counting := Counting()):
            services.hold(**of, key="call:2", amount=D(1), expires_at=SOON, now=NOW)
        assert counting.tables.count("credit_balances") == 1


class Counting:
    """Notes which tables statements write or read first."""

    def __init__(self) -> None:
        self.tables: list[str] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.tables += [table for table in ("credit_balances",) if table in str(sql)]
        return execute(sql, params, many, context)


class TestEnding:
    def test_settles_the_cost_and_frees_the_rest(self, acme: Company) -> None:
        hold(acme, "20")
        assert settle(acme, "3.50").settled_amount == D("3.50")
        assert balance(acme) == (D("46.50"), 0, D("3.50"))

    def test_settled_in_the_call_s_transaction_it_is_counted_once(self, acme: Company) -> None:
        hold(acme, "20")
        with tenant_scope(acme.tenant.pk):
            cost = call(acme, 600).total_cost
            assert cost is not None
            settle(acme, str(cost))
        assert balance(acme) == (D("49.85"), 0, D("0.15"))
        refresh(acme)
        assert balance(acme) == (D("49.85"), 0, D("0.15"))

    def test_a_cost_over_the_hold_is_taken_of_what_is_free_and_never_of_what_is_not(self, acme: Company) -> None:
        hold(acme, "20")
        hold(acme, "25", "call:2")
        settle(acme, "40")
        assert balance(acme) == (0, 25, 25)

    def test_a_repeat_returns_the_first_answer(self, acme: Company) -> None:
        hold(acme, "20")
        assert settle(acme, "3") == settle(acme, "4")
        assert release(acme).status == "settled"
        assert balance(acme) == (47, 0, 3)

    def test_releases_all(self, acme: Company) -> None:
        hold(acme, "20")
        assert release(acme).status == release(acme).status == "released"
        assert balance(acme) == (50, 0, 0)

    def test_what_was_released_is_not_settled(self, acme: Company) -> None:
        hold(acme, "20")
        release(acme)
        with pytest.raises(HoldEnded):
            settle(acme, "1")

    def test_refuses_a_hold_there_is_not(self, acme: Company, globex: Company) -> None:
        hold(globex, "20")
        for end in (lambda: settle(acme, "1"), lambda: release(acme), lambda: extend(acme, "1")):
            with pytest.raises(NotFound):
                end()
        assert balance(globex) == (30, 20, 0)

    def test_expires_by_itself(self, acme: Company) -> None:
        hold(acme, "50")
        assert hold(acme, "50", now=SOON).status == "expired"
        hold(acme, "50", "call:2", now=SOON, expires_at=SOON + HOUR)
        with scope(acme):
            status = CreditHold.objects.for_tenant(acme.tenant).get(key="call:1")
        assert (status.status, status.ended_at) == ("expired", SOON)

    def test_expired_it_is_settled_nevertheless(self, acme: Company) -> None:
        hold(acme, "20")
        refresh(acme, SOON)
        settle(acme, "3", now=SOON)
        assert balance(acme) == (47, 0, 3)


class TestExtend:
    def test_holds_more_and_longer(self, acme: Company) -> None:
        hold(acme, "20")
        extended = extend(acme, "35", expires_at=SOON + HOUR)
        assert (extended.amount, extended.expires_at) == (35, SOON + HOUR)
        assert extend(acme, "35", expires_at=SOON + HOUR) == extended
        assert balance(acme) == (15, 35, 0)

    def test_refuses_more_than_there_is_and_keeps_what_it_has(self, acme: Company) -> None:
        hold(acme, "20")
        with pytest.raises(NotEnoughCredit):
            extend(acme, "51")
        assert balance(acme) == (30, 20, 0)

    def test_refuses_to_shrink(self, acme: Company) -> None:
        hold(acme, "20")
        with pytest.raises(Invalid):
            extend(acme, "19")

    def test_refuses_what_has_expired(self, acme: Company) -> None:
        hold(acme, "20")
        with pytest.raises(HoldEnded):
            extend(acme, "20", now=SOON, expires_at=SOON + HOUR)


class TestBesideInvoices:
    def test_an_invoice_burns_nothing_that_is_held(self, acme: Company) -> None:
        give(acme, "20")
        hold(acme, "65")
        assert burn(acme, "10", sources=PREPAID) == [("prepaid", 5)]
        assert balance(acme) == (0, 65, 0)

    def test_what_is_held_does_not_lapse(self, acme: Company) -> None:
        hold(acme, "20", expires_at=at(2026, 4, 3))
        burn(acme, "0", period_id=periods(acme)[0].pk, at=at(2026, 4, 2))
        with scope(acme) as of:
            assert services.expire_credit(**of, now=at(2026, 4, 2)) == 30
        release(acme, now=at(2026, 4, 2))
        with scope(acme) as of:
            assert services.expire_credit(**of, now=at(2026, 4, 2, 13)) == 20
        assert balance(acme) == (0, 0, 0)

    def test_current_period_shows_what_usage_and_holds_leave(self, acme: Company) -> None:
        record(acme, quantity=D(1000))
        hold(acme, "20")
        with scope(acme) as of:
            usage = period_usage(**of, period=current_period(**of, now=NOW), now=NOW)
        assert usage.credit_remaining == D("22.50")
        refresh(acme)
        assert balance(acme)[0] == D("22.50")


OPERATIONS = st.tuples(
    st.sampled_from(["hold", "extend", "settle", "release", "burn", "grant", "expire", "refresh", "wait"]),
    st.integers(1, 4),
    st.sampled_from(["0.01", "7", "19.99", "50"]),
)


def play(company: Company, what: str, number: int, amount: str, now: datetime) -> None:
    """Do one thing; a refusal is an answer too."""
    of = {"tenant_id": company.tenant.pk}
    key, money, later = f"call:{number}", D(amount), now + timedelta(minutes=5 * number)
    actions: dict[str, Callable[[], object]] = {
        "hold": lambda: services.hold(**of, key=key, amount=money, expires_at=later, now=now),
        "extend": lambda: services.extend_hold(**of, key=key, amount=money, expires_at=later, now=now),
        "settle": lambda: services.settle_hold(**of, key=key, actual=money, now=now),
        "release": lambda: services.release_hold(**of, key=key, now=now),
        "burn": lambda: services.burn(**of, key=f"invoice:{number}", amount=money, at=now, sources=("trial", *PREPAID)),
        "grant": lambda: services.grant(
            **of, source="prepaid", key=f"topup:{number}", amount=money, currency="USD", starts_at=now
        ),
        "expire": lambda: services.expire_credit(**of, now=now),
        "refresh": lambda: refresh_balance(**of, now=now),
        "wait": lambda: None,
    }
    with tenant_scope(company.tenant.pk):
        try:
            with transaction.atomic():
                actions[what]()
        except DomainError:
            pass


def spoken_for(company: Company) -> tuple[Decimal, Decimal]:
    """Return what was ever granted, and what was burned, lapsed or is held."""
    query = """
        SELECT (SELECT sum(amount) FROM credit_entries WHERE kind = 'grant'),
            (SELECT coalesce(-sum(amount), 0) FROM credit_entries WHERE kind <> 'grant')
            + (SELECT held FROM credit_balances)
    """
    with tenant_scope(company.tenant.pk), connection.cursor() as cursor:
        cursor.execute(query)
        granted, spent = cursor.fetchone()
    return granted, spent


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(OPERATIONS, max_size=25))
def test_whatever_is_done_in_whatever_order_nothing_is_spent_twice(
    acme: Company, operations: list[tuple[str, int, str]]
) -> None:
    with transaction.atomic():
        for step, (what, number, amount) in enumerate(operations):
            play(acme, what, number, amount, NOW + timedelta(minutes=2 * step))
            granted, spent = spoken_for(acme)
            assert spent <= granted
            assert min(balance(acme)) >= 0
        transaction.set_rollback(True)


class TestManyAtOnce:
    def at_once(self, count: int, run: Callable[[int], Any]) -> list[Any]:
        def one(number: int) -> Any:
            try:
                return run(number)
            except DomainError as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(16) as pool:
            return list(pool.map(one, range(count)))

    def test_sixteen_threads_hold_exactly_what_there_is(self, committed_db: None, acme: Company) -> None:
        answers = self.at_once(64, lambda number: hold(acme, "1.50", f"call:{number}"))
        held = [answer for answer in answers if isinstance(answer, Hold)]
        assert len(held) == 33
        assert balance(acme) == (D("0.50"), D("49.50"), 0)

    def test_one_key_from_sixteen_threads_is_one_hold(self, committed_db: None, acme: Company) -> None:
        answers = self.at_once(32, lambda _: hold(acme, "30"))
        assert [answer.status for answer in answers] == ["held"] * 32
        assert balance(acme) == (20, 30, 0)

    def test_one_burn_from_sixteen_threads_is_one_burn(self, committed_db: None, acme: Company) -> None:
        answers = self.at_once(32, lambda _: burn(acme, "30"))
        assert answers == [[("trial", 30)]] * 32
        assert balance(acme) == (0, 0, 20)

    def test_everything_at_once_keeps_the_balance_and_the_ledger_equal(self, committed_db: None, acme: Company) -> None:
        dice = Random(7)
        names = ["hold", "hold", "hold", "extend", "settle", "release", "burn", "grant", "expire", "refresh"]
        plan = [(dice.choice(names), dice.randint(1, 30), dice.choice(["1", "4.25", "9"])) for _ in range(400)]

        def run(number: int) -> None:
            what, which, amount = plan[number]
            play(acme, what, which, amount, NOW + timedelta(seconds=number))
            assert min(balance(acme)) >= 0

        failures = [answer for answer in self.at_once(len(plan), run) if answer is not None]
        assert failures == []
        granted, spent = spoken_for(acme)
        assert spent <= granted

    def test_calls_that_settle_and_a_period_that_closes_never_wait_in_a_circle(
        self, committed_db: None, acme: Company
    ) -> None:
        with system_access("test"):
            PricingPlan.objects.filter(slug="free_trial").update(
                is_credit_once=False
            )  # each period grants, in its lock
        march = periods(acme)[0]

        def work(number: int) -> None:
            if number == 20:
                with scope(acme) as of:
                    services.close_period(**of, period_id=march.pk, now=at(2026, 4, 1, 2))
                return
            key = f"call:{number}"
            hold(acme, "0.60", key)
            with tenant_scope(acme.tenant.pk):
                cost = call(acme, 61, dedup_key=key, occurred_at=NOW).total_cost
                settle(acme, str(cost), key)

        assert [answer for answer in self.at_once(40, work) if answer is not None] == []
        with system_access("test"):
            PricingPlan.objects.filter(slug="free_trial").update(is_credit_once=True)
        refresh(acme)
        assert min(balance(acme)) >= 0
