"""Import rates from CSV: the whole file or nothing; a new version ends the one it replaces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q

from common.errors import FieldProblem, Invalid
from common.periods import A_DAY
from usage.csv_rates import COLUMNS, REQUIRED, reads
from usage.csv_reading import Row, rows_of
from usage.models import Meter, PricingPlan, PricingRate
from usage.ratebook import tiers_of

MOST_ROWS = 50_000
EASTERNMOST = ZoneInfo("Pacific/Kiritimati")  # where days begin first
Key = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Owner:
    """Whose rates they are: a plan's, or one tenant's own."""

    currency: str
    plan_id: UUID | None = None
    tenant_id: UUID | None = None


@dataclass
class Imported:
    """What an import did, in rows."""

    created: int = 0
    replaced: int = 0
    unchanged: int = 0


@dataclass
class _Plan:
    """What is to be written once the whole file is known to be right."""

    new: list[PricingRate] = field(default_factory=list)
    ended: list[PricingRate] = field(default_factory=list)
    done: Imported = field(default_factory=Imported)


def import_rates(*, owner: Owner, content: bytes, now: datetime, is_trial_run: bool = False) -> Imported:
    """Add the rates of a CSV file to a plan or a tenant; return what was done, or would be in a trial run.

    Raises Invalid with a pointer `/<line>/<column>` for every fault of the whole file, and then nothing is written. What a
    rate replaces ends the day before; it must begin after today, wherever on earth, so that no day has two prices. A row that
    says what is in force already changes nothing. Needs system access.
    """
    rows = list(rows_of(content, columns=COLUMNS, required=REQUIRED))
    if not 1 <= len(rows) <= MOST_ROWS:
        raise Invalid(f"The file has {len(rows):,} rows; 1 to {MOST_ROWS:,} are imported.", pointer="/rows")
    with transaction.atomic():
        _take_turn(owner)
        plan = _planned(owner, rows, now.astimezone(EASTERNMOST).date())
        if not is_trial_run:
            PricingRate.objects.bulk_update(plan.ended, ["effective_until"], batch_size=1_000)
            PricingRate.objects.bulk_create(plan.new, batch_size=1_000)
    return plan.done


def owner_of_plan(slug: str) -> Owner:
    """Return a plan as an owner of rates; raise Invalid."""
    plan = PricingPlan.objects.filter(slug=slug).first()
    if plan is None:
        raise Invalid(f"There is no plan {slug[:40]!r}.", code="unknown-plan", pointer="/plan")
    return Owner(plan.currency, plan_id=plan.pk)


def _take_turn(owner: Owner) -> None:
    """Let two imports for the same owner happen one after the other."""
    with connection.cursor() as cursor:
        name = f"rates:{owner.plan_id or owner.tenant_id}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _planned(owner: Owner, rows: Sequence[Row], last_begun_day: date) -> _Plan:
    meters = {(meter.channel, meter.resource_type) for meter in Meter.objects.all()}
    stored = _stored(owner)
    faults: list[FieldProblem] = []
    plan, lines = _Plan(), dict[tuple[Key, date], int]()
    for row in rows:
        found = list(_faults(row, owner, meters))
        if not found:
            rate = _rate(row, owner)
            found = list(_repeated(row, rate, lines)) or list(_place(row, rate, stored, plan, last_begun_day))
        faults += found
    if faults:
        raise Invalid.many(faults)
    return plan


def _stored(owner: Owner) -> dict[Key, list[PricingRate]]:
    """Return the owner's rates by what they price, the earliest first."""
    whose = Q(plan_id=owner.plan_id) if owner.plan_id else Q(tenant_id=owner.tenant_id)
    found: dict[Key, list[PricingRate]] = {}
    for rate in PricingRate.objects.filter(whose).order_by("effective_from"):
        found.setdefault(_key(rate), []).append(rate)
    return found


def _place(
    row: Row, rate: PricingRate, stored: dict[Key, list[PricingRate]], plan: _Plan, last_begun_day: date
) -> Iterator[FieldProblem]:
    """Put a rate between the versions there are; yield what is wrong with that."""
    versions = stored.setdefault(_key(rate), [])
    in_force = next((one for one in reversed(versions) if one.effective_from <= rate.effective_from), None)
    later = next((one for one in versions if one.effective_from > rate.effective_from), None)
    if in_force is not None and _is_open_on(in_force, rate.effective_from):
        if _terms(in_force) == _terms(rate) and in_force.effective_until == rate.effective_until:
            plan.done.unchanged += 1
            return
        if in_force.effective_from == rate.effective_from:
            yield _fault(row, "effective_from", "in-force", "A rate from that day is there already, and never changes.")
            return
        if rate.effective_from <= last_begun_day:
            detail = f"It replaces a rate in force, so it begins after {last_begun_day}."
            yield _fault(row, "effective_from", "too-early", detail)
            return
        in_force.effective_until = rate.effective_from - A_DAY
        if in_force in plan.new:
            plan.done.created += 1
        else:
            plan.ended.append(in_force)
            plan.done.replaced += 1
    else:
        plan.done.created += 1
    if later is not None and (rate.effective_until is None or rate.effective_until >= later.effective_from):
        rate.effective_until = later.effective_from - A_DAY
    rate.version = len(versions) + 1
    versions.append(rate)
    versions.sort(key=lambda one: one.effective_from)
    plan.new.append(rate)


def _is_open_on(rate: PricingRate, day: date) -> bool:
    return rate.effective_until is None or rate.effective_until >= day


def _key(rate: PricingRate) -> Key:
    return rate.channel, rate.resource_type, rate.direction, rate.destination_prefix, rate.currency


TERMS = (
    "country", "model", "unit_price", "tiers", "package_size", "connect_fee", "initial_seconds", "step_seconds",
    "included_quantity", "minimum_amount",
)  # fmt: skip


def _terms(rate: PricingRate) -> list[Any]:
    return [getattr(rate, name) for name in TERMS]


def _repeated(row: Row, rate: PricingRate, lines: dict[tuple[Key, date], int]) -> Iterator[FieldProblem]:
    line = lines.setdefault((_key(rate), rate.effective_from), row.line)
    if line != row.line:
        yield _fault(row, "destination_prefix", "repeated", f"Line {line} prices the same from the same day.")


def _rate(row: Row, owner: Owner) -> PricingRate:
    """Return a row as a rate; its cells are known to be right."""
    values = {name: column.read(row.cells[name]) for name, column in COLUMNS.items() if name in row.cells}
    channel, resource_type = values.get("channel", "voice"), values.get("resource_type", "minute")
    is_voice = (channel, resource_type) == ("voice", "minute")
    increments = {"initial_seconds": 60, "step_seconds": 60} if is_voice else {}
    values = {
        **increments,
        **({"direction": "outbound"} if is_voice else {}),
        **values,
        "channel": channel,
        "resource_type": resource_type,
        "currency": owner.currency,
    }
    return PricingRate(plan_id=owner.plan_id, tenant_id=owner.tenant_id, **values)


def _faults(row: Row, owner: Owner, meters: set[tuple[str, str]]) -> Iterator[FieldProblem]:
    """Yield everything that is wrong with a row by itself."""
    if row.surplus:
        yield _fault(row, "", "surplus", "The row has more cells than the header.")
    wrong = [name for name, cell in row.cells.items() if not reads(COLUMNS[name], cell)]
    for name in wrong:
        yield _fault(row, name, "unreadable", f"{row.cells[name][:40]!r} is not {COLUMNS[name].meaning}.")
    missing = [name for name in ("unit_price", "effective_from") if name not in row.cells]
    yield from (_fault(row, name, "required", f"{name} is missing.") for name in missing)
    if wrong or missing:
        return
    rate = _rate(row, owner)
    if (rate.channel, rate.resource_type) not in meters:
        detail = f"There is no meter {rate.channel}/{rate.resource_type}."
        yield _fault(row, "resource_type", "unknown-meter", detail)
    if row.cells.get("currency", owner.currency) != owner.currency:
        yield _fault(row, "currency", "other-currency", f"The rates of this owner are in {owner.currency}.")
    if rate.model in {PricingRate.Model.GRADUATED, PricingRate.Model.VOLUME} and not _ends_open(rate.tiers):
        yield _fault(row, "tiers", "tiers", "Tiers rise, and the last one's up_to is null.")
    if rate.effective_until is not None and rate.effective_until < rate.effective_from:
        yield _fault(row, "effective_until", "backwards", "The last day is not before the first.")
    try:
        rate.clean_fields(exclude=["plan", "tenant"])
        rate.validate_constraints(exclude=["plan", "tenant", "effective_from"])
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            yield _fault(row, "" if name == "__all__" else name, "invalid", " ".join(messages))


def _ends_open(tiers: list[dict[str, Any]]) -> bool:
    bounds = [tier.up_to for tier in tiers_of(tiers)]
    numbers = [bound for bound in bounds[:-1] if bound is not None]
    rises = all(one < other for one, other in pairwise(numbers))
    return bool(bounds) and bounds[-1] is None and len(numbers) == len(bounds) - 1 and rises


def _fault(row: Row, column: str, code: str, detail: str) -> FieldProblem:
    return FieldProblem(f"/{row.line}/{column}".rstrip("/"), code, f"Line {row.line}: {detail}")
