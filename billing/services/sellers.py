"""Who sells."""

from dataclasses import asdict, dataclass

from billing.models import LegalEntity


@dataclass(frozen=True)
class Seller:
    """What an invoice says about the company that sells; `address` is one line each."""

    name: str
    address: str = ""
    country: str = ""
    tax_id: str = ""
    email: str = ""
    postal_code: str = ""
    city: str = ""
    timezone: str = "UTC"
    bank_name: str = ""
    iban: str = ""
    bic: str = ""


def set_seller(seller: Seller) -> LegalEntity:
    """Make this the default seller; a repeat changes what is stored."""
    return LegalEntity.objects.update_or_create(is_default=True, defaults=asdict(seller))[0]
