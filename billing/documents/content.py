"""What stands on an invoice or a credit note, as plain values: the one source of its PDF and of its e-invoice."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Kind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    TOP_UP = "top_up"  # a request to pay in advance: no invoice, and no e-invoice is made of it


@dataclass(frozen=True)
class Party:
    """Seller or buyer; `address` is street lines, `country` ISO 3166-1, `tax_id` best a VAT id with its country."""

    name: str
    address: tuple[str, ...] = ()
    postal_code: str = ""
    city: str = ""
    country: str = ""
    tax_id: str = ""
    email: str = ""

    @property
    def has_vat_id(self) -> bool:
        """Say whether the tax id is a VAT id: one that begins with its country (Greece with EL, Northern Ireland with XI)."""
        prefixes = (self.country, {"GR": "EL", "GB": "XI"}.get(self.country, self.country))
        return len(self.tax_id) > 3 and self.country != "" and self.tax_id.startswith(prefixes)


@dataclass(frozen=True)
class Line:
    """One line; `detail` explains it in small print, `unit_price` None where the price has tiers.

    `tax_category` is of UNTDID 5305 and `tax_rate` in percent; a draft whose tax is not known yet has no category.
    """

    description: str
    service_start: date
    service_end: date
    quantity: Decimal
    unit: str
    unit_price: Decimal | None
    amount: Decimal
    detail: str = ""
    tax_category: str = ""
    tax_rate: Decimal = ZERO


@dataclass(frozen=True)
class TaxGroup:
    """All lines of one category and rate: `base` is their `amount` less `allowance`, `reason` why nothing is charged."""

    category: str
    rate: Decimal
    amount: Decimal
    allowance: Decimal
    base: Decimal
    tax: Decimal
    reason: str = ""


@dataclass(frozen=True)
class StatedTax:
    """The whole tax in the seller's currency too: `rate` is what one unit of the invoice's is worth in it."""

    currency: str
    rate: Decimal
    tax: Decimal


@dataclass(frozen=True)
class BankAccount:
    """Where to pay to."""

    iban: str
    bic: str = ""
    bank: str = ""


@dataclass(frozen=True)
class Logo:
    """The seller's picture, `media_type` image/png or image/svg+xml; checked when it was stored."""

    content: bytes
    media_type: str

    @property
    def kind(self) -> str:
        return "svg" if self.media_type == "image/svg+xml" else "png"


@dataclass(frozen=True)
class Corrected:
    """The invoice that a credit note corrects, and why."""

    number: str
    issue_date: date
    reason: str = ""


@dataclass(frozen=True)
class UsageDay:
    """What one meter counted on one local day."""

    day: date
    meter: str
    quantity: Decimal
    unit: str
    events: int


@dataclass(frozen=True)
class InvoiceContent:
    """All that a document says. Amounts are rounded already, and positive, on credit notes too.

    `allowance` is the credit taken off before tax, `prepaid` what was paid before it was issued. `as_of` is when its
    lines were made or, once final, when it was finalized: the document's own time.
    """

    number: str
    is_draft: bool
    currency: str
    seller: Party
    buyer: Party
    period_start: date
    period_end: date
    issue_date: date | None
    due_date: date | None
    lines: tuple[Line, ...]
    subtotal: Decimal
    allowance: Decimal
    tax: Decimal
    total: Decimal
    timezone: str
    as_of: datetime
    kind: Kind = Kind.INVOICE
    language: str = "en"
    plan: str = ""
    buyer_reference: str = ""
    payment_reference: str = ""  # empty: its number
    corrected: Corrected | None = None
    tax_groups: tuple[TaxGroup, ...] = ()
    stated_tax: StatedTax | None = None
    prepaid: Decimal = ZERO
    bank: BankAccount | None = None
    logo: Logo | None = None
    usage: tuple[UsageDay, ...] = ()

    @property
    def due(self) -> Decimal:
        """Return what is left to pay, or to be given back."""
        return self.total - self.prepaid
