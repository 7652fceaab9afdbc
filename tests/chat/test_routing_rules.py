"""What becomes of an open conversation: the rules, on values alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chat.assignment import Rules, Situation, Step, may_reopen, next_step, queued_since, rounds

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
RULES = Rules(answer=timedelta(seconds=60), abandon=timedelta(minutes=15), idle=timedelta(minutes=60))
NEVER = Rules(timedelta(0), timedelta(0), timedelta(0))
A, B, C = (UUID(int=n) for n in (1, 2, 3))


def before(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


WAITING = Situation(
    has_agent=False,
    is_agent_gone=False,
    assigned_at=None,
    accepted_at=None,
    queued_at=before(minutes=1),
    waiting_since=before(minutes=1),
    last_message_at=before(minutes=1),
    is_answered=False,
    is_offline=False,
    visitor_seen_at=before(seconds=10),
)
OFFERED = replace(WAITING, has_agent=True, queued_at=None, assigned_at=before(seconds=30))
TAKEN = replace(OFFERED, accepted_at=before(seconds=20), waiting_since=None, is_answered=True)


@pytest.mark.parametrize("fresh", [WAITING, OFFERED, TAKEN, replace(TAKEN, waiting_since=before(minutes=50))])
def test_leaves_alone_what_is_in_good_hands(fresh: Situation) -> None:
    assert next_step(fresh, RULES, NOW) is None


class TestAnOffer:
    def test_comes_back_after_the_time_to_answer(self) -> None:
        assert next_step(replace(OFFERED, assigned_at=before(seconds=60)), RULES, NOW) == Step.NO_ANSWER
        assert next_step(replace(OFFERED, assigned_at=before(seconds=59)), RULES, NOW) is None

    def test_stays_when_there_is_no_such_time(self) -> None:
        assert next_step(replace(OFFERED, assigned_at=before(days=1)), NEVER, NOW) is None

    def test_that_was_taken_up_stays(self) -> None:
        assert next_step(replace(TAKEN, assigned_at=before(minutes=30)), RULES, NOW) is None


class TestAGoneAgentsChat:
    def test_comes_back_while_its_visitor_waits(self) -> None:
        taken = replace(TAKEN, is_agent_gone=True, assigned_at=before(minutes=5), accepted_at=before(minutes=4))
        assert next_step(replace(taken, waiting_since=before(minutes=1)), RULES, NOW) == Step.AGENT_GONE
        assert next_step(taken, RULES, NOW) is None

    def test_comes_back_when_nobody_took_it_up(self) -> None:
        offered = replace(OFFERED, is_agent_gone=True, assigned_at=before(seconds=80))
        assert next_step(offered, NEVER, NOW) == Step.AGENT_GONE

    def test_stays_through_the_grace_after_it_was_taken(self) -> None:
        taken = replace(TAKEN, is_agent_gone=True, waiting_since=before(minutes=1), accepted_at=before(seconds=69))
        assert next_step(taken, RULES, NOW) is None


class TestAnAbsentVisitorsChat:
    gone = replace(WAITING, visitor_seen_at=before(minutes=15), last_message_at=before(minutes=15))

    def test_is_abandoned(self) -> None:
        assert next_step(self.gone, RULES, NOW) == Step.ABANDON

    def test_is_abandoned_rather_than_offered_again(self) -> None:
        offered = replace(self.gone, has_agent=True, assigned_at=before(minutes=14))
        assert next_step(offered, RULES, NOW) == Step.ABANDON

    def test_is_not_while_the_visitor_is_here(self) -> None:
        assert next_step(replace(self.gone, visitor_seen_at=before(minutes=14)), RULES, NOW) is None

    def test_is_not_when_it_was_just_written(self) -> None:
        assert next_step(replace(self.gone, last_message_at=before(minutes=14)), RULES, NOW) is None

    def test_is_not_once_an_agent_answered(self) -> None:
        assert next_step(replace(self.gone, is_answered=True), RULES, NOW) is None

    def test_is_not_when_it_was_left_while_nobody_was_there(self) -> None:
        assert next_step(replace(self.gone, is_offline=True), RULES, NOW) is None

    def test_is_not_when_there_is_no_such_time(self) -> None:
        assert next_step(self.gone, NEVER, NOW) is None


class TestAnIdleChat:
    idle = replace(TAKEN, assigned_at=before(hours=2), accepted_at=before(hours=2), last_message_at=before(minutes=60))

    def test_is_closed(self) -> None:
        assert next_step(self.idle, RULES, NOW) == Step.CLOSE_IDLE
        assert next_step(replace(self.idle, last_message_at=before(minutes=59)), RULES, NOW) is None

    def test_is_not_while_its_visitor_waits_for_an_agent(self) -> None:
        assert next_step(replace(self.idle, waiting_since=before(hours=1)), RULES, NOW) is None

    def test_is_not_when_somebody_has_just_taken_it(self) -> None:
        assert next_step(replace(self.idle, accepted_at=before(minutes=1)), RULES, NOW) is None

    def test_is_not_when_there_is_no_such_time(self) -> None:
        assert next_step(self.idle, NEVER, NOW) is None


@pytest.mark.parametrize(
    ("missed", "asked"), [([], [[]]), ([A], [[A], []]), ([A, B, C], [[A, B, C], [C], []])], ids=str
)
def test_passes_over_who_missed_it_while_there_are_others(missed: list[UUID], asked: list[list[UUID]]) -> None:
    assert list(rounds(missed)) == asked


def test_what_comes_back_stands_where_its_visitor_began_to_wait() -> None:
    assert queued_since(replace(TAKEN, waiting_since=before(minutes=9)), NOW) == before(minutes=9)
    assert queued_since(replace(OFFERED, waiting_since=None), NOW) == OFFERED.assigned_at
    assert queued_since(TAKEN, NOW) == NOW


def test_a_visitors_message_reopens_for_a_day() -> None:
    assert may_reopen(before(hours=24), NOW)
    assert not may_reopen(before(hours=24, seconds=1), NOW)
    assert not may_reopen(None, NOW)
