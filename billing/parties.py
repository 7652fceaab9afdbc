"""Both parties of an invoice as they were when it was finalized: plain values, stored with it as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True)
class _Snapshot:
    """`address` is street lines, one line each; `country` ISO 3166-1; `tax_id` a VAT id with its country."""

    name: str
    address: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""
    tax_id: str = ""
    email: str = ""

    def stored(self) -> dict[str, str]:
        """Return it as the invoice keeps it."""
        return asdict(self)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Return what an invoice keeps; what an older release did not store is empty."""
        return cls(**{field.name: stored.get(field.name, "") for field in fields(cls)})


@dataclass(frozen=True)
class SellerSnapshot(_Snapshot):
    """The seller, with where to pay to."""

    bank_name: str = ""
    iban: str = ""
    bic: str = ""


@dataclass(frozen=True)
class BuyerSnapshot(_Snapshot):
    """The buyer, with its own reference and the language it is written to in (en, de)."""

    reference: str = ""
    language: str = "en"
