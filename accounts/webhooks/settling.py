"""Write down what came of attempts: many in one transaction, each lane given back with its next turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts.tenancy import system_access
from accounts.webhooks import schedule
from accounts.webhooks.claiming import Job
from accounts.webhooks.health import Health, after_failure, after_success
from accounts.webhooks.models import MOST_ANSWER, MOST_ERROR
from accounts.webhooks.noticing import tell_disabled

GONE: Final = 410
NOTED_EVERY: Final = timedelta(minutes=1)  # how exact last_success_at is


@dataclass(frozen=True)
class Outcome:
    """What an attempt brought: a status code, or the reason that there was none. `answer` are the answer's first bytes."""

    job: Job
    started_at: datetime
    duration_ms: int
    status_code: int | None = None
    error: str = ""
    answer: str = ""
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def is_gone(self) -> bool:
        """Say whether the endpoint asks for nothing more; a callback speaks for its own address alone."""
        return self.status_code == GONE and not self.job.is_callback


@dataclass(frozen=True)
class Settled:
    """`has_more` says that a lane given back has something due already; `disabled` are endpoints that were disabled."""

    has_more: bool
    disabled: tuple[UUID, ...] = ()


# Endpoints first, then lanes, each in the order of their keys, as everybody locks them.
LOCK_ENDPOINTS: Final = """
SELECT id, failures, failing_since, last_failure_at, last_success_at, paused_until FROM webhook_endpoints
WHERE id = ANY (%(all)s) AND is_active AND (id = ANY (%(failed)s) OR failures > 0 OR last_success_at IS NULL
  OR last_success_at < %(noted)s)
ORDER BY id FOR NO KEY UPDATE
"""
NOTE_HEALTH: Final = """
UPDATE webhook_endpoints e SET failures = h.failures, failing_since = h.failing_since, last_failure_at = h.last_failure_at,
  last_success_at = h.last_success_at, paused_until = h.paused_until, is_active = h.reason = '', disabled_reason = h.reason,
  disabled_at = CASE WHEN h.reason = '' THEN NULL ELSE %s END
FROM unnest(%s::uuid[], %s::int[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::text[])
  AS h (id, failures, failing_since, last_failure_at, last_success_at, paused_until, reason)
WHERE e.id = h.id
"""
LOCK_LANES: Final = """
SELECT l.id FROM webhook_lanes l JOIN unnest(%s::uuid[], %s::uuid[]) AS held (id, lease) USING (id, lease)
ORDER BY l.id FOR UPDATE OF l
"""
# A delivery that was settled otherwise meanwhile stays as it is; what arrived is delivered, whoever holds the lane now.
NOTE_ATTEMPTS: Final = """
WITH outcome AS MATERIALIZED (
  SELECT * FROM unnest(%(tenants)s::uuid[], %(deliveries)s::uuid[], %(started)s::timestamptz[], %(ms)s::int[],
    %(codes)s::int[], %(errors)s::text[], %(answers)s::text[], %(statuses)s::text[], %(next)s::timestamptz[])
    AS o (tenant_id, delivery_id, started_at, ms, code, error, answer, status, next_attempt_at)
), noted AS (
  UPDATE webhook_deliveries d SET attempt_count = d.attempt_count + 1, last_attempt_at = o.started_at, status_code = o.code,
    error = o.error, tries = CASE WHEN d.status = 'pending' THEN d.tries + 1 ELSE d.tries END,
    status = CASE WHEN d.status = 'pending' THEN o.status ELSE d.status END,
    next_attempt_at = CASE WHEN d.status = 'pending' THEN o.next_attempt_at END,
    finished_at = CASE WHEN d.status = 'pending' AND o.status <> 'pending' THEN %(now)s ELSE d.finished_at END
  FROM outcome o WHERE d.tenant_id = o.tenant_id AND d.id = o.delivery_id
  RETURNING d.id, d.attempt_count
)
INSERT INTO webhook_attempts (id, tenant_id, delivery_id, number, started_at, duration_ms, status_code, error, answer)
SELECT gen_random_uuid(), o.tenant_id, o.delivery_id, n.attempt_count, o.started_at, o.ms, o.code, o.error, o.answer
FROM outcome o JOIN noted n ON n.id = o.delivery_id
"""
# What is next in each lane is read anew, after its lock: the dispatcher may have added to it meanwhile.
GIVE_BACK: Final = """
WITH upcoming AS MATERIALIZED (
  SELECT l.id, first.sequence IS NOT NULL AS is_held, (
    SELECT min(d.next_attempt_at) FROM webhook_deliveries d
    WHERE d.endpoint_id = l.endpoint_id AND d.object_id = l.object_id AND d.status = 'pending'
      AND d.sequence <= coalesce(first.sequence, 9223372036854775807)
  ) AS due_at
  FROM webhook_lanes l
  LEFT JOIN LATERAL (
    SELECT min(h.sequence) AS sequence FROM webhook_deliveries h
    WHERE h.endpoint_id = l.endpoint_id AND h.object_id = l.object_id AND h.status = 'pending' AND h.tries < %(holding)s
  ) first ON true
  WHERE l.id = ANY (%(lanes)s)
), emptied AS (
  DELETE FROM webhook_lanes l USING upcoming u WHERE l.id = u.id AND u.due_at IS NULL
), kept AS (
  UPDATE webhook_lanes l SET due_at = u.due_at, is_held = u.is_held, leased_until = NULL, lease = NULL
  FROM upcoming u WHERE l.id = u.id AND u.due_at IS NOT NULL
)
SELECT coalesce(bool_or(due_at <= %(now)s), false) FROM upcoming
"""


def settle(*, outcomes: Sequence[Outcome], unused: Sequence[Job] = (), now: datetime, spread: float) -> Settled:
    """Write outcomes down and give their lanes back, and those of `unused` jobs, which were not attempted.

    One transaction. An event that is no longer kept fails. `spread` (-1 to 1, by chance) varies the waits.
    """
    with system_access("webhook attempts are settled"), connection.cursor() as cursor:
        disabled = _note_health(cursor, outcomes, now, spread)
        jobs = [*(outcome.job for outcome in outcomes), *unused]
        cursor.execute(LOCK_LANES, [[job.lane_id for job in jobs], [job.lease for job in jobs]])
        lanes = [row[0] for row in cursor.fetchall()]
        if outcomes:
            cursor.execute(NOTE_ATTEMPTS, _columns(outcomes, now, spread))
        cursor.execute(GIVE_BACK, {"lanes": lanes, "holding": schedule.HOLDING_TRIES, "now": now})
        [has_more] = cursor.fetchone()
        for endpoint_id in disabled:
            tell_disabled(endpoint_id=endpoint_id)
    return Settled(bool(has_more), disabled)


def _note_health(cursor: Any, outcomes: Sequence[Outcome], now: datetime, spread: float) -> tuple[UUID, ...]:
    asked = [outcome for outcome in outcomes if outcome.job.body is not None]
    failed = {outcome.job.endpoint_id for outcome in asked if not outcome.is_success}
    touched = list({outcome.job.endpoint_id for outcome in asked})
    if not touched:
        return ()
    cursor.execute(LOCK_ENDPOINTS, {"all": touched, "failed": list(failed), "noted": now - NOTED_EVERY})
    states = {row[0]: Health(*row[1:]) for row in cursor.fetchall()}
    for outcome in asked:
        if state := states.get(outcome.job.endpoint_id):
            states[outcome.job.endpoint_id] = _after(state, outcome, now, spread)
    if states:
        columns = [list(states), *([getattr(state, name) for state in states.values()] for name in NOTED)]
        cursor.execute(NOTE_HEALTH, [now, *columns])
    return tuple(id for id, state in states.items() if state.disabled_reason)


NOTED: Final = ("failures", "failing_since", "last_failure_at", "last_success_at", "paused_until", "disabled_reason")


def _after(state: Health, outcome: Outcome, now: datetime, spread: float) -> Health:
    if outcome.is_success:
        return after_success(state, at=now)
    return after_failure(state, at=now, spread=spread, is_gone=outcome.is_gone, retry_after=outcome.retry_after)


def _columns(outcomes: Sequence[Outcome], now: datetime, spread: float) -> dict[str, Any]:
    following = [_following(outcome, now, spread) for outcome in outcomes]
    return {
        "now": now,
        "tenants": [outcome.job.tenant_id for outcome in outcomes],
        "deliveries": [outcome.job.delivery_id for outcome in outcomes],
        "started": [outcome.started_at for outcome in outcomes],
        "ms": [outcome.duration_ms for outcome in outcomes],
        "codes": [outcome.status_code for outcome in outcomes],
        "errors": [outcome.error[:MOST_ERROR] for outcome in outcomes],
        "answers": [outcome.answer[:MOST_ANSWER] for outcome in outcomes],
        "statuses": [status for status, _ in following],
        "next": [moment for _, moment in following],
    }


def _following(outcome: Outcome, now: datetime, spread: float) -> tuple[str, datetime | None]:
    if outcome.is_success:
        return "delivered", None
    if outcome.job.body is None:
        return "failed", None
    tries = outcome.job.tries + 1
    wanted = schedule.next_attempt(tries=tries, now=now, spread=spread, retry_after=outcome.retry_after)
    return ("pending", wanted) if wanted else ("failed", None)
