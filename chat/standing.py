"""How a widget stands right now: open or not, anybody there, how soon visitors are usually answered."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import redis
from django.db import connection

from accounts.presence import services as presence
from accounts.tenancy import tenant_scope
from chat.models import Widget
from chat.presenters import widget_look
from common import hours, valkey
from common.timestamps import rfc3339

LOOK_BACK = timedelta(days=7)
REMEMBERED_SECONDS = 600
NONE = "none"
# The median of a widget's first responses; reads the tenant's conversations of a week by their age.
MEDIAN = """
SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM first_response_at - created_at)))::bigint
FROM chat_conversations
WHERE tenant_id = %s AND widget_id = %s AND created_at > %s AND first_response_at IS NOT NULL AND NOT is_offline
"""


def public_look(widget: Widget, *, now: datetime) -> dict[str, Any]:
    """Return what launcher and panel draw: the widget's look and how it stands. At most two queries.

    `opens_at` is the next opening while business hours are over; `is_offline` says that nobody will answer at once.
    """
    zone = widget.tenant.timezone
    is_open = hours.is_open(widget.business_hours, zone, now)
    with tenant_scope(widget.tenant_id):
        agents_online = presence.online(tenant_id=widget.tenant_id, now=now).exists()
        reply_seconds = _reply_seconds(widget, now)
    return {
        **widget_look(widget),
        "agents_online": agents_online,
        "is_open": is_open,
        "opens_at": rfc3339(hours.next_opening(widget.business_hours, zone, now)),
        "is_offline": not (is_open and agents_online),
        "reply_seconds": reply_seconds,
    }


def _reply_seconds(widget: Widget, now: datetime) -> int | None:
    """Return the median first response of the last seven days, remembered for ten minutes; None without any."""
    key = f"chat:reply-seconds:{widget.pk.hex}"
    with suppress(redis.RedisError):
        if (known := valkey.client().get(key)) is not None:
            return None if known == NONE else int(str(known))
    with connection.cursor() as cursor:
        cursor.execute(MEDIAN, [widget.tenant_id, widget.pk, now - LOOK_BACK])
        found: int | None = cursor.fetchone()[0]
    with suppress(redis.RedisError):
        valkey.client().set(key, NONE if found is None else str(found), ex=REMEMBERED_SECONDS)
    return found
