"""Rate versions read as values, in plain SQL: every metered fact asks, and the ORM would cost more than the database."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from common.db import prepared
from common.periods import local_day
from usage.rating import PricingModel, Rate, Tier

PREFIX_DIGITS = 15
# In the order of Rate's fields.
COLUMNS = """
    r.id, r.channel, r.resource_type, r.currency, r.unit_price, r.direction, r.destination_prefix, r.model, r.tiers,
    m.price_per, r.package_size, r.connect_fee, r.initial_seconds, r.step_seconds, r.included_quantity,
    r.minimum_amount, r.effective_from, r.effective_until, r.version, r.tenant_id IS NOT NULL
"""
FROM = "FROM pricing_rates r JOIN usage_meters m ON m.channel = r.channel AND m.resource_type = r.resource_type"
BY_ID = f"SELECT {COLUMNS} {FROM} WHERE r.id = ANY(%s)"
THAT_MAY_APPLY = f"""
    SELECT {COLUMNS} {FROM}
    WHERE (r.plan_id = %s OR r.tenant_id = %s) AND r.channel = %s AND r.resource_type = %s AND r.currency = %s
        AND r.destination_prefix = ANY(%s)
"""
OF_METERS = f"""
    SELECT r.plan_id, {COLUMNS} {FROM}
    WHERE (r.plan_id = ANY(%s) OR r.tenant_id = %s)
        AND (r.channel, r.resource_type) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
        AND r.currency = ANY(%s) AND r.destination_prefix = ANY(%s)
"""  # noqa: S608 - constants of this module
CLOSED_HOMES = """
    SELECT starts_at, ends_at, timezone FROM billing_periods
    WHERE tenant_id = %s AND state <> 'open' AND ends_at > %s AND starts_at <= %s ORDER BY starts_at
"""
OPEN_TERMS = """
    SELECT p.id, p.starts_at, p.ends_at, p.timezone, p.plan_id, s.currency
    FROM billing_periods p JOIN subscriptions s ON s.id = p.subscription_id
    WHERE p.tenant_id = %s AND p.state = 'open' ORDER BY p.starts_at
"""


@dataclass(frozen=True, slots=True)
class OpenTerms:
    """An open billing period and what is agreed for it."""

    period_id: UUID
    starts_at: datetime
    ends_at: datetime
    timezone: str
    plan_id: UUID
    currency: str

    def holds(self, moment: datetime) -> bool:
        return self.starts_at <= moment < self.ends_at

    def day_of(self, moment: datetime) -> date:
        """Return the local day of a moment, in the zone that holds for the period."""
        return local_day(moment, self.timezone)


@dataclass(frozen=True, slots=True)
class Home:
    """A period that is not open any more: it still says on which day its moments lay."""

    starts_at: datetime
    ends_at: datetime
    timezone: str

    def holds(self, moment: datetime) -> bool:
        return self.starts_at <= moment < self.ends_at

    def day_of(self, moment: datetime) -> date:
        """Return the local day of a moment, in the zone that held for the period."""
        return local_day(moment, self.timezone)


def open_terms(*, tenant_id: UUID) -> list[OpenTerms]:
    """Return the tenant's open periods with their terms, the earliest first; one query."""
    return [OpenTerms(*row) for row in prepared(OPEN_TERMS, [tenant_id])]


def closed_homes(*, tenant_id: UUID, first: datetime, last: datetime) -> list[Home]:
    """Return the tenant's periods that are not open and hold a moment from `first` to `last`; one query."""
    return [Home(*row) for row in prepared(CLOSED_HOMES, [tenant_id, first, last])]


def rates_for(
    *, tenant_id: UUID, plan_id: UUID, currency: str, channel: str, resource_type: str, destination: str = ""
) -> list[Rate]:
    """Return every rate of the plan and of the tenant itself that might apply to a destination; one query."""
    values = [plan_id, tenant_id, channel, resource_type, currency, prefixes_of(destination)]
    return [_rate(row) for row in prepared(THAT_MAY_APPLY, values)]


def rates_of_meters(
    *, tenant_id: UUID, terms: Iterable[OpenTerms], meters: Iterable[tuple[str, str]], destinations: Iterable[str]
) -> dict[tuple[str, str], list[tuple[UUID | None, Rate]]]:
    """Return every rate that might apply to any of these meters and destinations, by meter, each with its plan; one query.

    A tenant's own rates have no plan.
    """
    wanted, periods = sorted(set(meters)), list(terms)
    prefixes = sorted({prefix for destination in set(destinations) for prefix in prefixes_of(destination)} | {""})
    values = [
        list({period.plan_id for period in periods}),
        tenant_id,
        [channel for channel, _ in wanted],
        [resource_type for _, resource_type in wanted],
        list({period.currency for period in periods}),
        prefixes,
    ]
    found: dict[tuple[str, str], list[tuple[UUID | None, Rate]]] = {}
    for plan_id, *row in prepared(OF_METERS, values):
        rate = _rate(tuple(row))
        found.setdefault((rate.channel, rate.resource_type), []).append((plan_id, rate))
    return found


def prefixes_of(destination: str) -> list[str]:
    """Return every prefix a rate for this E.164 number may have, '' first."""
    digits = destination.removeprefix("+")[:PREFIX_DIGITS]
    return [digits[:length] for length in range(len(digits) + 1)]


def rates_by_id(*, ids: Iterable[UUID]) -> dict[UUID, Rate]:
    """Return rate versions by their ids; one query."""
    return {row[0]: _rate(row) for row in prepared(BY_ID, [list(ids)])}


def _rate(row: tuple[Any, ...]) -> Rate:
    model, tiers, price_per = row[7:10]
    values: list[Any] = [*row[:7], PricingModel(model), tiers_of(json.loads(tiers)), Decimal(price_per), *row[10:]]
    return Rate(*values)


def tiers_of(stored: Iterable[Mapping[str, Any]]) -> tuple[Tier, ...]:
    """Return tiers as they are stored; numbers stand in strings, `up_to` null is the last tier's."""
    return tuple(
        Tier(
            up_to=None if tier["up_to"] is None else Decimal(tier["up_to"]),
            unit_price=Decimal(tier["unit_price"]),
            flat_amount=Decimal(tier.get("flat_amount", "0")),
        )
        for tier in stored
    )
