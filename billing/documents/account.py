"""A statement of account as the text its template prints, in English or German."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from billing.documents.content import Logo, Party
from billing.documents.language import Language, language_of
from billing.documents.printing import cleaned, fonts, printed_party
from billing.documents.wording import WORDS, in_language

OWN: Final = {
    "en": {
        "title": "Statement of account",
        "days": "From, to",
        "customer": "Customer",
        "owed": "Invoices",
        "owed_text": "What is owed of invoices. An amount below 0 lowers it.",
        "prepaid": "Prepaid credit",
        "prepaid_text": "What was paid in advance. Invoices use it up.",
        "date": "Date",
        "entry": "Entry",
        "balance": "Balance",
        "opening": "Opening balance",
        "closing": "Closing balance",
        "invoice": "Invoice",
        "credit_note": "Credit note",
        "payment": "Payment",
        "refund": "Refund",
        "moved_to_credit": "Moved to prepaid credit",
        "granted": "Credit granted",
        "used": "Credit used",
        "expired": "Credit expired",
    },
    "de": {
        "title": "Kontoauszug",
        "days": "Von, bis",
        "customer": "Kunde",
        "owed": "Rechnungen",
        "owed_text": "Was aus Rechnungen offen ist. Ein Betrag unter 0 verringert es.",
        "prepaid": "Guthaben",
        "prepaid_text": "Was im Voraus bezahlt wurde. Rechnungen verbrauchen es.",
        "date": "Datum",
        "entry": "Vorgang",
        "balance": "Saldo",
        "opening": "Anfangssaldo",
        "closing": "Endsaldo",
        "invoice": "Rechnung",
        "credit_note": "Rechnungskorrektur",
        "payment": "Zahlung",
        "refund": "Erstattung",
        "moved_to_credit": "In Guthaben umgewandelt",
        "granted": "Guthaben gewährt",
        "used": "Guthaben verbraucht",
        "expired": "Guthaben verfallen",
    },
}
METHODS: Final = {
    "Bank transfer": "Überweisung", "Card": "Karte", "Cash": "Bar", "Cheque": "Scheck", "Direct debit": "Lastschrift",
    "Other": "Sonstige", "Prepaid credit": "Guthaben",
}  # fmt: skip


@dataclass(frozen=True)
class PrintedEntry:
    """A line of an account; `kind` names one of the words above, `texts` explain it."""

    day: date
    kind: str
    texts: Sequence[str]
    amount: Decimal
    balance: Decimal


@dataclass(frozen=True)
class PrintedAccount:
    opening: Decimal
    entries: Sequence[PrintedEntry]
    closing: Decimal


@dataclass(frozen=True)
class AccountContent:
    """All that a statement says; amounts are rounded already."""

    language: str
    currency: str
    seller: Party
    buyer: Party
    first: date
    last: date
    owed: PrintedAccount
    prepaid: PrintedAccount
    logo: Logo | None = None


def printed_account(content: AccountContent) -> dict[str, Any]:
    """Return the content as text in its language."""
    language = language_of(content.language)
    own, words = OWN[language.code], WORDS[language.code]
    return cleaned(
        {
            "language": language.code,
            "fonts": fonts(content.buyer.country or content.seller.country),
            "words": {**own, "page": words["page"], "from": words["from"], "amount": words["amount"]},
            "name": own["title"],
            "seller": printed_party(content.seller, language),
            "buyer": printed_party(content.buyer, language),
            "facts": [
                [own["days"], language.days(content.first, content.last)],
                [words["currency"], content.currency],
                [own["closing"], language.money(content.owed.closing, content.currency)],
            ],
            "accounts": [
                _account("owed", content.owed, content.currency, language),
                _account("prepaid", content.prepaid, content.currency, language),
            ],
            "logo_name": words["logo"].format(name=content.seller.name),
            "logo_type": content.logo.kind if content.logo else "",
        }
    )


def _account(name: str, account: PrintedAccount, currency: str, language: Language) -> dict[str, Any]:
    own = OWN[language.code]
    return {
        "title": own[name],
        "text": own[f"{name}_text"],
        "opening": language.money(account.opening, currency),
        "closing": language.money(account.closing, currency),
        "rows": [
            [
                language.day(entry.day),
                own[entry.kind],
                "  ·  ".join(filter(None, (_in_language(text, language) for text in entry.texts))),
                language.money(entry.amount, currency),
                language.money(entry.balance, currency),
            ]
            for entry in account.entries
        ],
    }


def _in_language(text: str, language: Language) -> str:
    return METHODS.get(text, text) if language.code == "de" else in_language(text, language.code)
