"""Statistics of conversations: how many, how soon answered, how long, how they were rated.

Every number is about the conversations that began in the range, days counted in the company's zone:

* `active`, `closed`, `abandoned`: what has become of them by now; together all `conversations`.
* `missed`: ended (closed or abandoned) without any answer of an agent.
* `messages`, of visitors and of agents: all messages in these conversations, later ones too; private notes do not count.
* `first_response_seconds`: from the beginning to the first message of an agent, where there is one.
* `resolution_seconds`: from the beginning to the (last) close; closed conversations only.
* `rating`: of those that were rated.

A conversation counts for the agent it is or was last assigned to. Quantiles interpolate between neighbours (percentile_cont).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from common.periods import bounds

COLUMNS = (
    "conversations", "active", "closed", "abandoned", "missed", "messages", "visitor_messages", "agent_messages",
    "first_count", "first_mean", "first_median", "first_p90", "resolution_count", "resolution_mean", "resolution_median",
    "resolution_p90", "rating_count", "rating_mean", "rated_1", "rated_2", "rated_3", "rated_4", "rated_5",
)  # fmt: skip

SQL = """
WITH chosen AS (
  SELECT *, (created_at AT TIME ZONE %(zone)s)::date AS day,
    extract(epoch FROM first_response_at - created_at)::float8 AS first_seconds,
    CASE WHEN status = 'closed' THEN extract(epoch FROM closed_at - created_at)::float8 END AS resolution_seconds
  FROM chat_conversations
  WHERE tenant_id = %(tenant_id)s AND created_at >= %(start)s AND created_at < %(end)s
    AND (%(widget_id)s::uuid IS NULL OR widget_id = %(widget_id)s)
    AND (%(agent_id)s::uuid IS NULL OR assigned_agent_id = %(agent_id)s)
)
SELECT grouping(day), grouping(assigned_agent_id), grouping(widget_id), day, assigned_agent_id, widget_id,
  count(*), count(*) FILTER (WHERE status = 'active'), count(*) FILTER (WHERE status = 'closed'),
  count(*) FILTER (WHERE status = 'abandoned'), count(*) FILTER (WHERE status <> 'active' AND first_response_at IS NULL),
  coalesce(sum(message_count), 0)::bigint, coalesce(sum(visitor_message_count), 0)::bigint,
  coalesce(sum(agent_message_count), 0)::bigint,
  count(first_seconds), round(avg(first_seconds)::numeric, 3),
  round((percentile_cont(0.5) WITHIN GROUP (ORDER BY first_seconds))::numeric, 3),
  round((percentile_cont(0.9) WITHIN GROUP (ORDER BY first_seconds))::numeric, 3),
  count(resolution_seconds), round(avg(resolution_seconds)::numeric, 3),
  round((percentile_cont(0.5) WITHIN GROUP (ORDER BY resolution_seconds))::numeric, 3),
  round((percentile_cont(0.9) WITHIN GROUP (ORDER BY resolution_seconds))::numeric, 3),
  count(rating), round(avg(rating), 2),
  count(*) FILTER (WHERE rating = 1), count(*) FILTER (WHERE rating = 2), count(*) FILTER (WHERE rating = 3),
  count(*) FILTER (WHERE rating = 4), count(*) FILTER (WHERE rating = 5)
FROM chosen
GROUP BY GROUPING SETS ((), (day), (assigned_agent_id), (widget_id))
"""


# The numbers of one group by COLUMNS; seconds and means are Decimal, None where nothing was counted.
Figures = dict[str, Any]
NOTHING: Figures = {name: None if name.endswith(("mean", "median", "p90")) else 0 for name in COLUMNS}


@dataclass(frozen=True)
class Report:
    """One range's numbers, whole and by day, by agent (None: nobody's) and by widget."""

    totals: Figures
    by_day: dict[date, Figures]
    by_agent: dict[UUID | None, Figures]
    by_widget: dict[UUID, Figures]


def report(
    *,
    tenant_id: UUID,
    first: date,
    last: date,
    zone: str,
    widget_id: UUID | None = None,
    agent_id: UUID | None = None,
) -> Report:
    """Return the numbers of the conversations begun from day `first` to day `last`, both inclusive. One query."""
    start, end = bounds(first, last, zone)
    values: dict[str, str | UUID | datetime | None] = {
        "tenant_id": tenant_id,
        "zone": zone,
        "start": start,
        "end": end,
        "widget_id": widget_id,
        "agent_id": agent_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL, values)
        rows = cursor.fetchall()
    return Report(
        totals=next((figures for _, figures in _grouped(rows, None)), NOTHING),
        by_day=dict(_grouped(rows, 0)),
        by_agent=dict(_grouped(rows, 1)),
        by_widget=dict(_grouped(rows, 2)),
    )


def _grouped(rows: Sequence[tuple[Any, ...]], by: int | None) -> list[tuple[Any, Figures]]:
    """Return (key, numbers) of the rows grouped by one of day, agent, widget; by None: the row of all."""
    masks = [int(place != by) for place in range(3)]
    return [
        (None if by is None else row[3 + by], dict(zip(COLUMNS, row[6:], strict=True)))
        for row in rows
        if list(row[:3]) == masks
    ]
