"""Counters of quotas follow what was recorded."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

# Only upwards: what was consumed and not recorded yet stays counted.
RAISE = """
UPDATE quota_counters SET used = %(used)s
WHERE tenant_id = %(tenant)s AND period_id = %(period)s AND feature = %(feature)s AND used < %(used)s
"""


def raise_counters(*, tenant_id: UUID, period_id: UUID, used: dict[str, Decimal]) -> None:
    """Raise counters to what was recorded, where that is more; in the order of their names, whoever does it."""
    values: dict[str, Any] = {"tenant": tenant_id, "period": period_id}
    with connection.cursor() as cursor:
        for feature, quantity in sorted(used.items()):
            if quantity > 0:
                cursor.execute(RAISE, {**values, "feature": feature, "used": quantity})
