"""Who a tenant is on its invoices."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from accounts.models import Tenant
from billing.countries import COUNTRIES
from billing.models import BillingProfile
from billing.vat import compact, is_checked, is_vat_id
from common.errors import FieldProblem, Invalid
from usage.services.auditing import Actor, audit


@dataclass(frozen=True)
class Buyer:
    """What a tenant says about itself; `address` is street lines, one line each. Operators decide about its tax."""

    country: str
    legal_name: str = ""
    address: str = ""
    postal_code: str = ""
    city: str = ""
    tax_id: str = ""
    reference: str = ""
    language: str = "en"
    billing_email: str = ""


def set_profile(*, tenant_id: UUID, buyer: Buyer, actor: Actor | None = None) -> BillingProfile:
    """Store who the tenant is; invoices that are final keep who it was. A repeat changes nothing.

    With an `actor` the tenant's audit log says who changed what.

    Raises Invalid with pointers for a country there is not, and for a VAT id whose form or check digits are wrong where
    they can be checked (the European Union, Switzerland, Norway, the United Kingdom).
    """
    _check(buyer)
    values = {
        "country": buyer.country,
        "legal_name": buyer.legal_name,
        "address": buyer.address,
        "postal_code": buyer.postal_code,
        "city": buyer.city,
        "tax_id": compact(buyer.tax_id) if is_checked(buyer.country) else buyer.tax_id,
        "reference": buyer.reference,
        "language": buyer.language,
    }
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)
        rows = BillingProfile.objects.for_tenant(tenant_id)
        before = rows.first() or BillingProfile(tenant=tenant)
        changes = {name: value for name, value in values.items() if getattr(before, name) != value}
        if tenant.billing_email != buyer.billing_email:
            changes["billing_email"] = buyer.billing_email
            Tenant.objects.filter(pk=tenant_id).update(billing_email=buyer.billing_email)
        profile = rows.update_or_create(tenant_id=tenant_id, defaults=values)[0]
        if changes and actor is not None:
            audit(
                tenant_id=tenant_id,
                action="billing_profile.changed",
                object_id=profile.pk,
                changes=changes,
                actor=actor,
            )
    return profile


def _check(buyer: Buyer) -> None:
    problems = []
    if buyer.country not in COUNTRIES:
        detail = f"{buyer.country[:10]!r} is no country; use two capital letters of ISO 3166-1, e.g. IE."
        problems.append(FieldProblem("/country", "unknown-country", detail))
    elif buyer.tax_id and is_checked(buyer.country) and not is_vat_id(buyer.tax_id, buyer.country):
        detail = (
            f"{buyer.tax_id[:40]!r} is no VAT id of {buyer.country}: it begins with the country, and has check digits."
        )
        problems.append(FieldProblem("/tax_id", "invalid-vat-id", detail))
    if problems:
        raise Invalid.many(problems)
