"""How an endpoint does: what successes and failures make of it. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from accounts.webhooks import schedule


@dataclass(frozen=True)
class Health:
    """An endpoint's state as its row keeps it; `disabled_reason` is empty while it is enabled."""

    failures: int = 0
    failing_since: datetime | None = None
    last_failure_at: datetime | None = None
    last_success_at: datetime | None = None
    paused_until: datetime | None = None
    disabled_reason: str = ""


def after_success(health: Health, *, at: datetime) -> Health:
    """Return the state after an attempt that succeeded: nothing is held against it any more."""
    return replace(health, failures=0, failing_since=None, last_success_at=at, paused_until=None)


def after_failure(
    health: Health, *, at: datetime, spread: float, is_gone: bool = False, retry_after: timedelta | None = None
) -> Health:
    """Return the state after a failed attempt; disabled when it answered 410, or has failed for five days on end."""
    is_same = (
        health.failing_since is not None
        and health.last_failure_at is not None
        and at - health.last_failure_at <= schedule.SAME_FAILURE_WITHIN
    )
    since = health.failing_since if is_same and health.failing_since else at
    failures = health.failures + 1
    wait = max(
        schedule.pause(failures=failures, spread=spread),
        min(retry_after or timedelta(), schedule.LONGEST_REQUESTED_PAUSE),
    )
    reason = "gone" if is_gone else "failing" if at - since >= schedule.DISABLED_AFTER else ""
    return replace(
        health,
        failures=failures,
        failing_since=since,
        last_failure_at=at,
        paused_until=_later(health.paused_until, at + wait) if wait else health.paused_until,
        disabled_reason=health.disabled_reason or reason,
    )


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)
