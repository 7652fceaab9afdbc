"""Rating: what a quantity costs. Pure and exact; everything it needs comes in as values.

Two quantities are told apart: the metered one (voice: seconds) and the priced one (voice: minutes of `price_per` 60).
A rate's cost over a whole period comes from the sum of its billed quantities, so that the order and the split of events
never change it; a single event has a cost of its own only where the price is linear (see `is_linear`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from enum import StrEnum
from uuid import UUID

EXACT = Context(prec=60)
STORED = Decimal(1).scaleb(-12)  # a single event's cost is kept to twelve places
ZERO = Decimal(0)


class PricingModel(StrEnum):
    FLAT = "flat"
    GRADUATED = "graduated"
    VOLUME = "volume"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to and including `up_to` (None: without end) at `unit_price`, plus `flat_amount` once it is reached."""

    up_to: Decimal | None
    unit_price: Decimal
    flat_amount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Rate:
    """One version of one price. Never changes: a new price is a new version.

    Prices are per `price_per` metered units. `destination_prefix` is digits, '' for any. Effective days are inclusive.
    `initial_seconds` 0: the quantity is billed as it is, without call increments.
    """

    id: UUID
    channel: str
    resource_type: str
    currency: str
    unit_price: Decimal
    direction: str = ""
    destination_prefix: str = ""
    model: PricingModel = PricingModel.FLAT
    tiers: tuple[Tier, ...] = ()
    price_per: Decimal = Decimal(1)
    package_size: Decimal = Decimal(1)
    connect_fee: Decimal = ZERO
    initial_seconds: int = 0
    step_seconds: int = 0
    included_quantity: Decimal = ZERO
    minimum_amount: Decimal = ZERO
    effective_from: date = date.min
    effective_until: date | None = None
    version: int = 1
    is_override: bool = False

    @property
    def is_linear(self) -> bool:
        """Say whether each event's cost stands alone, so that the costs of events add up to the period's."""
        return self.model is PricingModel.FLAT and not self.included_quantity and not self.minimum_amount


def choose_rate(rates: Iterable[Rate], *, on: date, direction: str = "", destination: str = "") -> Rate | None:
    """Return the rate of one meter that applies: the tenant's own first, then longest prefix, exact direction, newest.

    `destination` is an E.164 number or '' when the meter knows none. None: nothing is priced for it.
    """
    digits = destination.removeprefix("+")
    fitting = (rate for rate in rates if _applies(rate, on, direction, digits))
    return max(fitting, key=_precedence, default=None)


def choose_for_period(
    rates: Sequence[Rate], *, day: date, period_start: date, direction: str = "", destination: str = ""
) -> Rate | None:
    """Return the rate for an event of a local day, billed in the period that starts on `period_start`.

    Flat prices change from one day to the next. Where a price comes from the period's sum, one version holds for the whole
    period: the one in force on its first day; a meter that had none then takes the one of the event's day.
    """
    fitting = [rate for rate in rates if _reaches(rate, direction, destination.removeprefix("+"))]
    if all(rate.is_linear for rate in fitting):
        return choose_rate(fitting, on=day, direction=direction, destination=destination)
    chosen = choose_rate(fitting, on=period_start, direction=direction, destination=destination)
    return chosen or choose_rate(fitting, on=day, direction=direction, destination=destination)


def _applies(rate: Rate, on: date, direction: str, digits: str) -> bool:
    in_force = rate.effective_from <= on and (rate.effective_until is None or on <= rate.effective_until)
    return in_force and _reaches(rate, direction, digits)


def _reaches(rate: Rate, direction: str, digits: str) -> bool:
    return rate.direction in ("", direction) and digits.startswith(rate.destination_prefix)


def _precedence(rate: Rate) -> tuple[bool, int, bool, date, int]:
    return rate.is_override, len(rate.destination_prefix), bool(rate.direction), rate.effective_from, rate.version


def call_seconds(answered_microseconds: int | None, *, limit_seconds: int | None = None) -> int:
    """Return the whole seconds of a call that count; at least 1 when answered, 0 when not (None).

    A leg ended by our own limit counts no more than that limit, though hanging up took a moment longer.
    """
    if answered_microseconds is None:
        return 0
    seconds = max(1, -(-answered_microseconds // 1_000_000))
    return seconds if limit_seconds is None else min(seconds, limit_seconds)


def billed_seconds(seconds: int, *, initial: int, step: int) -> int:
    """Return the seconds billed under increments `initial/step`, e.g. 60/60 or 30/6; 0 stays 0."""
    if seconds <= 0:
        return 0
    if seconds <= initial:
        return initial
    return initial + -(-(seconds - initial) // step) * step


def billed_quantity(rate: Rate, quantity: Decimal) -> Decimal:
    """Return the quantity one event is billed for: increments for calls, the quantity itself otherwise."""
    if not rate.initial_seconds:
        return quantity
    with localcontext(EXACT):
        whole = int(quantity.to_integral_value(rounding="ROUND_CEILING"))
    return Decimal(billed_seconds(whole, initial=rate.initial_seconds, step=rate.step_seconds))


def event_cost(rate: Rate, billed: Decimal) -> Decimal | None:
    """Return one event's cost to twelve places; None where only the period's sum has a price."""
    if not rate.is_linear:
        return None
    with localcontext(EXACT):
        return total_cost(rate, billed=billed, events=1).quantize(STORED, rounding=ROUND_HALF_UP)


def total_cost(rate: Rate, *, billed: Decimal, events: int) -> Decimal:
    """Return the unrounded cost of a period's sum of billed quantities over `events` events (a reversal counts -1).

    A linear price gives back what was reversed in a later period: the sum, and the cost, may be below 0.
    """
    with localcontext(EXACT):
        if rate.is_linear:
            # Multiply before dividing: a third of a cent must not be cut before it is tripled.
            return billed * rate.unit_price / rate.price_per + rate.connect_fee * events
        units = max(ZERO, billed - rate.included_quantity) / rate.price_per
        match rate.model:
            case PricingModel.FLAT:
                priced = max(ZERO, billed - rate.included_quantity) * rate.unit_price / rate.price_per
            case PricingModel.GRADUATED:
                priced = _graduated(rate.tiers, units)
            case PricingModel.VOLUME:
                priced = _volume(rate.tiers, units)
            case PricingModel.PACKAGE:
                packages = (units / rate.package_size).to_integral_value(rounding="ROUND_CEILING")
                priced = packages * rate.unit_price
        return max(rate.minimum_amount, priced + rate.connect_fee * events)


def _graduated(tiers: tuple[Tier, ...], units: Decimal) -> Decimal:
    """Price each unit by the tier it falls in."""
    cost, start = ZERO, ZERO
    for tier in tiers:
        if units <= start:
            break
        end = units if tier.up_to is None else min(units, tier.up_to)
        cost += (end - start) * tier.unit_price + tier.flat_amount
        start = end
    return cost


def _volume(tiers: tuple[Tier, ...], units: Decimal) -> Decimal:
    """Price all units by the tier their number falls in."""
    if units <= 0:
        return ZERO
    tier = next(tier for tier in tiers if tier.up_to is None or units <= tier.up_to)
    return units * tier.unit_price + tier.flat_amount
