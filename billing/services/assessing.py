"""How an invoice is taxed: who sells, who buys, and what follows from the two."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from django.db.models import Q

from accounts.models import Tenant
from billing.models import BillingProfile, ExchangeRate, LegalEntity, TaxRate
from billing.parties import BuyerSnapshot, SellerSnapshot
from billing.tax import Buyer, Seller, TaxableLine, Taxed, Treatment, place_of_taxation, tax_lines
from billing.vat import is_vat_id

ZERO = Decimal(0)
UNKNOWN = Treatment("", ZERO)  # a draft's, while something is missing
OLDEST_RATE = timedelta(days=31)  # an exchange rate published longer ago says nothing of today


@dataclass(frozen=True)
class Reason:
    """Something that keeps an invoice from being finalized, in words for operators."""

    code: str
    detail: str


@dataclass(frozen=True)
class Assessment:
    """Both parties, how what one sells the other is taxed, and what is missing; `treatment` is UNKNOWN while it is not known."""

    entity: LegalEntity | None
    buyer: BuyerSnapshot
    treatment: Treatment
    reasons: tuple[Reason, ...]

    @property
    def seller(self) -> SellerSnapshot | None:
        return seller_of(self.entity) if self.entity else None


class Priced(Protocol):
    """A line, stored or not."""

    @property
    def kind(self) -> str: ...
    @property
    def amount(self) -> Decimal: ...


def assess(*, tenant_id: UUID, on: date) -> Assessment:
    """Return the parties of a tenant's invoices and their treatment on a day; three queries at most."""
    profile = BillingProfile.objects.for_tenant(tenant_id).select_related("seller", "tenant").first()
    profile = profile or BillingProfile(tenant=Tenant.objects.get(pk=tenant_id))
    entity = profile.seller or LegalEntity.objects.filter(is_default=True).first()
    buyer = _buyer(profile.tenant, profile)
    reasons = [*_missing_of_seller(entity), *_missing_of_buyer(profile)]
    treatment = UNKNOWN
    if entity is not None and entity.country and buyer.country:
        found = _treatment(entity, profile, on)
        treatment = found if isinstance(found, Treatment) else UNKNOWN
        reasons += [found] if isinstance(found, Reason) else []
    return Assessment(entity, buyer, treatment, tuple(reasons))


def tax(lines: Sequence[Priced], *, allowance: Decimal, treatment: Treatment, currency: str) -> Taxed:
    """Tax an invoice's lines, credit covering usage alone."""
    taxable = [TaxableLine(line.amount, treatment, takes_allowance=line.kind == "usage") for line in lines]
    return tax_lines(taxable, allowance=allowance, currency=currency)


def coverable(lines: Sequence[Priced]) -> Decimal:
    """Return the most that credit may cover: what usage comes to, and never more than all lines do."""
    usage = sum((line.amount for line in lines if line.kind == "usage"), ZERO)
    return max(ZERO, min(usage, sum((line.amount for line in lines), ZERO)))


def estimate_tax(
    *, tenant_id: UUID, lines: Sequence[Priced], allowance: Decimal, currency: str, on: date
) -> tuple[Taxed, Assessment]:
    """Return what an invoice of these lines would be taxed at, without storing anything; 0 while something is missing."""
    assessment = assess(tenant_id=tenant_id, on=on)
    allowance = min(allowance, coverable(lines))
    return tax(lines, allowance=allowance, treatment=assessment.treatment, currency=currency), assessment


def exchange_rate(entity: LegalEntity, *, currency: str, on: date) -> ExchangeRate | Reason | None:
    """Return the rate into the seller's tax currency: the newest of the month before `on`; None where it needs none."""
    into = entity.tax_currency
    if not into or into == currency:
        return None
    rates = ExchangeRate.objects.filter(currency=currency, into_currency=into)
    found = rates.filter(rate_date__range=(on - OLDEST_RATE, on)).order_by("-rate_date").first()
    if found is None:
        detail = f"{entity} states tax in {into}: there is no rate of {currency} into it of the month before {on}."
        return Reason("no-exchange-rate", detail)
    return found


def _treatment(entity: LegalEntity, profile: BillingProfile, on: date) -> Treatment | Reason:
    buyer = Buyer(
        country=profile.country,
        has_vat_id=is_vat_id(profile.tax_id, profile.country),
        is_reverse_charged=profile.treatment == BillingProfile.Treatment.REVERSE_CHARGE,
        exemption_reason=profile.exemption_reason if profile.treatment == BillingProfile.Treatment.EXEMPT else "",
    )
    place = place_of_taxation(Seller(entity.country, entity.uses_oss), buyer)
    if isinstance(place, Treatment):
        return place
    in_force = Q(effective_until__isnull=True) | Q(effective_until__gte=on)
    rates = TaxRate.objects.filter(in_force, country=place, effective_from__lte=on)
    rate = rates.order_by("-effective_from").first()
    if rate is None:
        return Reason(
            "no-tax-rate", f"There is no tax rate of {place} on {on}; add one, of category O where none is due."
        )
    return Treatment(rate.category, rate.rate, rate.reason)


def _missing_of_seller(entity: LegalEntity | None) -> list[Reason]:
    if entity is None:
        return [Reason("no-seller", "No legal entity sells: name one in the billing profile, or a default.")]
    wanted = {
        "seller-country": (entity.country, "has no country"),
        "seller-tax-id": (entity.tax_id, "has no tax id"),
        "no-due-date": (entity.due_days is not None, "does not say after how many days an invoice is due"),
    }
    return [Reason(code, f"The seller {entity} {lack}.") for code, (given, lack) in wanted.items() if not given]


def _missing_of_buyer(profile: BillingProfile) -> list[Reason]:
    if not profile.country:
        return [Reason("buyer-country", "The buyer's billing profile has no country.")]
    if profile.treatment == BillingProfile.Treatment.REVERSE_CHARGE and not profile.tax_id:
        return [Reason("buyer-tax-id", "Reverse charge needs the buyer's VAT id.")]
    return []


def seller_of(entity: LegalEntity) -> SellerSnapshot:
    """Return the seller as an invoice keeps it."""
    return SellerSnapshot(
        name=entity.name,
        address=entity.address,
        postal_code=entity.postal_code,
        city=entity.city,
        country=entity.country,
        tax_id=entity.tax_id,
        email=entity.email,
        bank_name=entity.bank_name,
        iban=entity.iban,
        bic=entity.bic,
    )


def _buyer(tenant: Tenant, profile: BillingProfile) -> BuyerSnapshot:
    return BuyerSnapshot(
        name=profile.legal_name or tenant.name,
        address=profile.address,
        postal_code=profile.postal_code,
        city=profile.city,
        country=profile.country,
        tax_id=profile.tax_id,
        email=tenant.billing_email,
        reference=profile.reference,
        language=profile.language,
    )
