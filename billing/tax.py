"""Tax, purely: which applies between two parties, and what it comes to. No ORM, no clock: values in, values out.

Categories are those of EN 16931 (UNTDID 5305): S standard, Z zero, E exempt, AE reverse charge, O not subject to tax.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, localcontext

from common.money import WIDEST, exponent, round_money

ZERO = Decimal(0)
# Member states of the European Union, by ISO 3166-1.
_MEMBERS = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU = frozenset(_MEMBERS.split())
STANDARD, EXEMPT, REVERSE_CHARGE, OUTSIDE = "S", "E", "AE", "O"
REVERSE_CHARGE_REASON = "Reverse charge: the recipient is liable for the tax"
OUTSIDE_REASON = "Not subject to tax here: the service is supplied where the recipient is"


@dataclass(frozen=True)
class Treatment:
    """How something is taxed: the category, the rate in percent, and why nothing is charged where nothing is."""

    category: str
    rate: Decimal
    reason: str = ""


@dataclass(frozen=True)
class Seller:
    """What of the seller decides about tax. `uses_oss`: it charges consumers in other EU countries their country's."""

    country: str
    uses_oss: bool = False


@dataclass(frozen=True)
class Buyer:
    """What of the buyer decides about tax. `has_vat_id`: a VAT id whose form and check digits are right."""

    country: str
    has_vat_id: bool = False
    is_reverse_charged: bool = False
    exemption_reason: str = ""


def place_of_taxation(seller: Seller, buyer: Buyer) -> Treatment | str:
    """Return the treatment where the parties alone decide it, else the country whose rate applies.

    Services across borders: a business in another member state owes the tax itself (Directive 2006/112/EC, articles 44
    and 196); a consumer there is charged the seller's rate, or under the one-stop shop its own country's (article 58);
    a buyer elsewhere is outside the scope.
    """
    if buyer.exemption_reason:
        return Treatment(EXEMPT, ZERO, buyer.exemption_reason)
    if buyer.is_reverse_charged:
        return Treatment(REVERSE_CHARGE, ZERO, REVERSE_CHARGE_REASON)
    if seller.country == buyer.country:
        return seller.country
    if buyer.country not in EU:
        return Treatment(OUTSIDE, ZERO, OUTSIDE_REASON)
    if seller.country in EU and buyer.has_vat_id:
        return Treatment(REVERSE_CHARGE, ZERO, REVERSE_CHARGE_REASON)
    if seller.uses_oss and not buyer.has_vat_id:
        return buyer.country
    return seller.country if seller.country in EU else Treatment(OUTSIDE, ZERO, OUTSIDE_REASON)


@dataclass(frozen=True)
class TaxableLine:
    """An amount, rounded, before credit. `takes_allowance`: credit may cover it (usage; never a fee)."""

    amount: Decimal
    treatment: Treatment
    takes_allowance: bool = True


@dataclass(frozen=True)
class TaxedLine:
    """What credit takes off a line, and its share of its group's tax."""

    allowance: Decimal
    tax: Decimal


@dataclass(frozen=True)
class TaxGroup:
    """All lines of one treatment. `base` is their amount less allowance, `tax` is rounded once for the group."""

    treatment: Treatment
    amount: Decimal
    allowance: Decimal
    base: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Taxed:
    """Lines in their order, groups by category and rate, and the sums over them."""

    lines: tuple[TaxedLine, ...]
    groups: tuple[TaxGroup, ...]
    subtotal: Decimal
    allowance: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.subtotal - self.allowance + self.tax


def tax_lines(lines: Sequence[TaxableLine], *, allowance: Decimal, currency: str) -> Taxed:
    """Tax an invoice: spread the allowance over the lines it may cover, sum by treatment, round each group's tax once.

    EN 16931, BR-CO-17: a group's tax is its base times its rate, rounded to the minor unit. A line's tax is its share of
    that, by largest remainder, so that the lines add up to the group. The allowance is no more than what it may cover.
    """
    allowances = share_out(allowance, [_coverable(line) for line in lines], currency)
    bases = [line.amount - taken for line, taken in zip(lines, allowances, strict=True)]
    taxes = [ZERO] * len(lines)
    groups = []
    for treatment in sorted({line.treatment for line in lines}, key=lambda one: (one.category, -one.rate, one.reason)):
        members = [index for index, line in enumerate(lines) if line.treatment == treatment]
        base = sum((bases[index] for index in members), ZERO)
        tax = tax_on(base, treatment.rate, currency)
        shares = share_out(tax, [max(ZERO, bases[index]) for index in members], currency)
        for index, share in zip(members, shares, strict=True):
            taxes[index] = share
        taken = sum((allowances[index] for index in members), ZERO)
        groups.append(TaxGroup(treatment, base + taken, taken, base, tax))
    return Taxed(
        lines=tuple(TaxedLine(*pair) for pair in zip(allowances, taxes, strict=True)),
        groups=tuple(groups),
        subtotal=sum((line.amount for line in lines), ZERO),
        allowance=allowance,
        tax=sum((group.tax for group in groups), ZERO),
    )


def tax_on(base: Decimal, rate: Decimal, currency: str) -> Decimal:
    """Return `rate` percent of a base, rounded half up to the minor unit."""
    with localcontext(prec=WIDEST):
        return round_money(base * rate / 100, currency)


def share_out(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Divide an amount in proportion to weights, to the minor unit, so that the shares add up to it exactly.

    Largest remainder: everybody's share is rounded down, and what is left goes, a unit each, to those who lost most (the
    first of equals). No share of an amount up to the weights' sum exceeds its weight. Weights are 0 or more; an amount
    below 0 is divided as its opposite. Where all weights are 0 the first takes it all. Raises ValueError for an amount
    and nobody to take it.
    """
    if not amount:
        return [ZERO] * len(weights)
    if not weights:
        raise ValueError(f"There is nothing to divide {amount} over.")
    if amount < 0:
        return [-share for share in share_out(-amount, weights, currency)]
    unit = Decimal(1).scaleb(-exponent(currency))
    total = sum(weights, ZERO) or Decimal(1)
    weights = weights if any(weights) else [Decimal(1), *[ZERO] * (len(weights) - 1)]
    with localcontext(prec=WIDEST):
        exact = [amount * weight / total for weight in weights]
        shares = [share.quantize(unit, rounding=ROUND_FLOOR) for share in exact]
        left = int((amount - sum(shares, ZERO)) / unit)
        lost = sorted(range(len(weights)), key=lambda index: shares[index] - exact[index])
    for index in lost[:left]:
        shares[index] += unit
    return shares


def credited_tax(*, group_base: Decimal, group_tax: Decimal, before: Decimal, now: Decimal, currency: str) -> Decimal:
    """Return the tax of crediting `now` of a group's base, when `before` of it is credited already.

    By cumulative remainder: after each note the tax credited so far is the group's tax in proportion to the base credited
    so far, rounded; so the notes of a whole group add up to its tax, whatever the parts were.
    """
    if not group_base:
        return ZERO

    def so_far(base: Decimal) -> Decimal:
        with localcontext(prec=WIDEST):
            return round_money(group_tax * base / group_base, currency)

    return so_far(before + now) - so_far(before)


def _coverable(line: TaxableLine) -> Decimal:
    return max(ZERO, line.amount) if line.takes_allowance else ZERO
