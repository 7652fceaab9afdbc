"""Who is offered a conversation, and what becomes of one nobody tends: decisions on values, nothing is read or written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

# How long an agent is believed to be there after the last sign of life.
GRACE = timedelta(seconds=70)
# A visitor's message reopens what was closed no longer ago than this.
REOPENS_FOR = timedelta(hours=24)


class Step(StrEnum):
    """What the round does with a conversation; the first two are also the reasons its log gives."""

    NO_ANSWER = "no-answer"
    AGENT_GONE = "agent-gone"
    ABANDON = "abandon"
    CLOSE_IDLE = "idle"


@dataclass(frozen=True)
class Rules:
    """A widget's patience. Zero: never."""

    answer: timedelta
    abandon: timedelta
    idle: timedelta


@dataclass(frozen=True)
class Situation:
    """An open conversation as the round finds it. An agent is gone whose lease ran out, beyond grace."""

    has_agent: bool
    is_agent_gone: bool
    assigned_at: datetime | None
    accepted_at: datetime | None
    queued_at: datetime | None
    waiting_since: datetime | None
    last_message_at: datetime
    is_answered: bool
    is_offline: bool
    visitor_seen_at: datetime | None

    @property
    def is_offered(self) -> bool:
        """Say whether an agent has it who did not take it up yet."""
        return self.has_agent and self.accepted_at is None


def next_step(situation: Situation, rules: Rules, now: datetime) -> Step | None:
    """Return what is due, the final before the passing: nobody is offered what is abandoned."""
    if _is_abandoned(situation, rules, now):
        return Step.ABANDON
    if situation.is_offered and _over(situation.assigned_at, rules.answer, now):
        return Step.NO_ANSWER
    if _is_deserted(situation, now):
        return Step.AGENT_GONE
    if _is_idle(situation, rules, now):
        return Step.CLOSE_IDLE
    return None


def _is_abandoned(situation: Situation, rules: Rules, now: datetime) -> bool:
    if situation.is_answered or situation.is_offline:
        return False
    last = _latest(situation.visitor_seen_at, situation.last_message_at)
    return _over(last, rules.abandon, now)


def _is_deserted(situation: Situation, now: datetime) -> bool:
    if not situation.is_agent_gone or not (situation.is_offered or situation.waiting_since):
        return False
    # Taking a chat is a sign of life too: agents who work through the API have no socket.
    return _over(_latest(situation.assigned_at, situation.accepted_at), GRACE, now)


def _is_idle(situation: Situation, rules: Rules, now: datetime) -> bool:
    if situation.waiting_since is not None:
        return False
    last = _latest(situation.last_message_at, situation.assigned_at, situation.accepted_at, situation.queued_at)
    return _over(last, rules.idle, now)


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _over(since: datetime | None, patience: timedelta, now: datetime) -> bool:
    return bool(patience) and since is not None and since + patience <= now


def rounds(missed: Sequence[UUID]) -> Iterator[list[UUID]]:
    """Yield whom not to ask, strictest first: all who missed it, then the last of them alone, then nobody.

    With one agent alone at the desk the chat is offered to them again; with two it goes back and forth.
    """
    yield list(missed)
    if len(missed) > 1:
        yield [missed[-1]]
    if missed:
        yield []


def queued_since(situation: Situation, now: datetime) -> datetime:
    """Return where a conversation that comes back stands in the queue: as long as its visitor has been waiting."""
    if situation.waiting_since is not None:
        return situation.waiting_since
    return situation.assigned_at if situation.is_offered and situation.assigned_at else now


def may_reopen(closed_at: datetime | None, now: datetime) -> bool:
    """Say whether a visitor's message still reopens it."""
    return closed_at is not None and now - closed_at <= REOPENS_FOR
