"""Presence is a lease: renewed by signs of life, shortened by a goodbye, never ended by the loss of Valkey's memory."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis

from accounts.models import AgentPresence
from accounts.presence import leases
from accounts.presence import services as presence
from accounts.presence.leases import Agent
from accounts.signals import presence_changed
from accounts.tenancy import tenant_scope
from tests import factories
from tests.assertions import rows

NOW = factories.NOW


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def bob(acme: factories.Company) -> Agent:
    """Bob, who chose online at NOW."""
    choose(acme, "online")
    return Agent(acme.tenant.pk, acme.agent.pk)


@pytest.fixture
def told() -> Iterator[list[tuple[str, datetime]]]:
    heard: list[tuple[str, datetime]] = []

    def hear(status: str, now: datetime, **kwargs: Any) -> None:
        heard.append((status, now))

    presence_changed.connect(hear)
    yield heard
    presence_changed.disconnect(hear)


def choose(company: factories.Company, status: str, now: datetime = NOW) -> None:
    with tenant_scope(company.tenant.pk):
        presence.choose_status(tenant_id=company.tenant.pk, user_id=company.agent.pk, status=status, now=now)


def arrive(bob: Agent, now: datetime) -> None:
    with tenant_scope(bob.tenant_id):
        presence.arrive(tenant_id=bob.tenant_id, user_id=bob.user_id, now=now)


def part(bob: Agent, now: datetime) -> None:
    with tenant_scope(bob.tenant_id):
        presence.part(tenant_id=bob.tenant_id, user_id=bob.user_id, now=now)


def row_of(bob: Agent) -> AgentPresence:
    [row] = rows(AgentPresence)
    assert (row.tenant_id, row.user_id) == (bob.tenant_id, bob.user_id)
    return row


def status_at(bob: Agent, seconds: float) -> str:
    return presence.effective_status(row_of(bob), after(seconds))


class TestTheLease:
    def test_ends_after_seventy_seconds_and_keeps_the_chosen_status(self, bob: Agent) -> None:
        assert [status_at(bob, seconds) for seconds in (69, 70)] == ["online", "offline"]
        assert row_of(bob).status == "online"

    def test_a_sign_of_life_renews_it(self, bob: Agent) -> None:
        presence.note_signs([(bob, after(30))], now=after(31))
        assert [status_at(bob, seconds) for seconds in (99, 100)] == ["online", "offline"]

    def test_an_earlier_sign_never_turns_it_back(self, bob: Agent) -> None:
        presence.note_signs([(bob, after(30))], now=after(31))
        presence.note_signs([(bob, after(10))], now=after(32))
        assert row_of(bob).last_seen_at == after(30)

    def test_who_is_online_is_who_chose_it_and_lives(self, bob: Agent, globex: factories.Company) -> None:
        choose(globex, "online")
        with tenant_scope(bob.tenant_id):
            assert [p.user_id for p in presence.online(tenant_id=bob.tenant_id, now=after(69))] == [bob.user_id]
            assert not presence.online(tenant_id=bob.tenant_id, now=after(70)).exists()

    def test_signs_of_two_companies_are_stored_by_one_call(self, bob: Agent, globex: factories.Company) -> None:
        choose(globex, "online")
        mark = Agent(globex.tenant.pk, globex.agent.pk)
        presence.note_signs([(mark, after(40)), (bob, after(41))], now=after(42))
        assert {row.user_id: row.last_seen_at for row in rows(AgentPresence)} == {
            mark.user_id: after(40),
            bob.user_id: after(41),
        }


class TestAGoodbye:
    def test_shortens_the_lease_to_eight_seconds(self, bob: Agent) -> None:
        part(bob, after(5))
        assert [status_at(bob, seconds) for seconds in (12, 13)] == ["online", "offline"]

    def test_leaves_the_lease_another_process_holds(self, bob: Agent) -> None:
        leases.renew([(bob, after(4))], now=after(4), process="another")
        part(bob, after(5))
        assert [status_at(bob, seconds) for seconds in (69, 74)] == ["online", "offline"]

    def test_counts_although_valkey_is_away(self, bob: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(leases, "client", _away)
        part(bob, after(5))
        assert [status_at(bob, seconds) for seconds in (12, 13)] == ["online", "offline"]

    def test_is_taken_back_by_a_new_socket(self, bob: Agent, told: list[Any]) -> None:
        part(bob, after(5))
        arrive(bob, after(7))
        assert status_at(bob, 76) == "online"
        assert told == []


class TestWhoIsGone:
    @pytest.fixture(autouse=True)
    def old_memory(self, valkey_client: redis.Redis, bob: Agent) -> None:
        """Valkey remembers since long before."""
        valkey_client.set(leases.ERA, int(after(-600).timestamp()))

    def test_is_told_once(self, bob: Agent, told: list[tuple[str, datetime]]) -> None:
        assert presence.declare_gone(now=after(69)) == 0
        assert presence.declare_gone(now=after(70)) == 1
        assert presence.declare_gone(now=after(80)) == 0
        assert told == [("offline", after(70))]
        assert presence.is_gone(row_of(bob))
        assert row_of(bob).gone_at == after(70)

    def test_who_chose_to_be_offline_is_not_told_of(self, acme: factories.Company, told: list[Any]) -> None:
        choose(acme, "offline")
        told.clear()
        assert presence.declare_gone(now=after(200)) == 0
        assert told == []

    def test_who_comes_back_is_told_with_the_status_they_chose(self, bob: Agent, told: list[Any]) -> None:
        presence.declare_gone(now=after(70))
        arrive(bob, after(90))
        assert told == [("offline", after(70)), ("online", after(90))]
        assert not presence.is_gone(row_of(bob))

    def test_a_late_sign_brings_them_back_too(self, bob: Agent, told: list[Any]) -> None:
        presence.declare_gone(now=after(70))
        presence.note_signs([(bob, after(80))], now=after(81))
        assert told[-1] == ("online", after(81))

    def test_is_nobody_whose_lease_valkey_still_knows(self, bob: Agent, told: list[Any]) -> None:
        """PostgreSQL could not be written for two minutes."""
        leases.renew([(bob, after(115))], now=after(115))
        assert presence.declare_gone(now=after(120)) == 0
        assert told == []

    def test_is_nobody_until_a_full_lease_after_valkey_forgot(
        self, bob: Agent, valkey_client: redis.Redis, told: list[Any]
    ) -> None:
        valkey_client.flushall()
        assert presence.declare_gone(now=after(100)) == 0
        assert presence.declare_gone(now=after(169)) == 0
        assert presence.declare_gone(now=after(170)) == 1
        assert told == [("offline", after(170))]

    def test_is_decided_by_postgresql_while_valkey_is_away(self, bob: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(leases, "client", _away)
        assert presence.declare_gone(now=after(70)) == 1


class TestTelling:
    def test_a_choice_is_told_of(self, acme: factories.Company, told: list[Any]) -> None:
        choose(acme, "busy")
        assert told == [("busy", NOW)]

    def test_a_first_arrival_after_the_lease_is_told_of(self, bob: Agent, told: list[Any]) -> None:
        told.clear()
        arrive(bob, after(75))
        assert told == [("online", after(75))]

    def test_a_second_tab_is_not(self, bob: Agent, told: list[Any]) -> None:
        told.clear()
        arrive(bob, after(10))
        assert told == []


def _away() -> redis.Redis:
    return redis.Redis(port=9, socket_connect_timeout=0.2)
