"""How numbers, days and countries are written in each language a document may be in."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from babel import Locale

from billing.documents.content import Party
from common.money import exponent, plain

MINUS = "\N{MINUS SIGN}"
EN_DASH = "\N{EN DASH}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
# Where the postal code stands behind the place (Universal Postal Union, addressing systems).
CODE_LAST = frozenset(
    {
        "AU",
        "BH",
        "BR",
        "CA",
        "CN",
        "GB",
        "ID",
        "IE",
        "IN",
        "JP",
        "KR",
        "NZ",
        "PK",
        "SA",
        "SG",
        "TH",
        "TW",
        "US",
        "VN",
        "ZA",
    }
)


@dataclass(frozen=True)
class Language:
    """Marks of numbers, and whether a month is named: 3 Nov 2026 or 03.11.2026."""

    code: str
    decimal: str
    group: str
    names_months: bool

    def money(self, amount: Decimal, currency: str) -> str:
        """Return an amount with the currency's digits and a true minus sign, e.g. `1,234.50`."""
        return self._marked(f"{amount:,.{exponent(currency)}f}")

    def price(self, amount: Decimal, currency: str) -> str:
        """Return a unit price with all its digits, at least the currency's."""
        digits = plain(amount).partition(".")[2]
        return self._marked(f"{amount:,.{max(exponent(currency), len(digits))}f}")

    def quantity(self, number: Decimal | int) -> str:
        """Return a number with grouped digits and no needless zeros."""
        whole, point, digits = plain(Decimal(number)).partition(".")
        return self._marked(f"{int(whole):,}{point}{digits}")

    def percent(self, rate: Decimal) -> str:
        """Return a percentage, e.g. `19%` or `5,5 %` as the language has it."""
        return f"{self.quantity(rate)}{'' if self.code == 'en' else NO_BREAK_SPACE}%"

    def day(self, value: date) -> str:
        """Return a date that cannot be misread, e.g. `3 Nov 2026` or `03.11.2026`."""
        if not self.names_months:
            return f"{value:%d.%m.%Y}"
        return f"{value.day} {_months(self.code)[value.month]} {value.year}".replace(" ", NO_BREAK_SPACE)

    def days(self, first: date, last: date) -> str:
        """Return a range of days, naming month and year once where they are the same."""
        if first == last:
            return self.day(first)
        if first.year != last.year or (self.names_months and first.month != last.month):
            return f"{self.day(first)} {EN_DASH} {self.day(last)}"
        if self.names_months:
            return f"{first.day}{EN_DASH}{self.day(last)}"
        same_month = first.month == last.month
        return f"{first:%d.}{EN_DASH}{self.day(last)}" if same_month else f"{first:%d.%m.} {EN_DASH} {self.day(last)}"

    def country(self, code: str) -> str:
        """Return a country's name, or its code where it has none."""
        return _countries(self.code).get(code, code)

    def address(self, party: Party) -> list[str]:
        """Return the lines below a name: street, place, country."""
        code_last = party.country in CODE_LAST
        place = [party.city, party.postal_code] if code_last else [party.postal_code, party.city]
        return [line for line in [*party.address, " ".join(filter(None, place)), self.country(party.country)] if line]

    def _marked(self, text: str) -> str:
        """Exchange the marks of `1,234.5` for the language's."""
        marks: dict[str, str | int | None] = {",": self.group, ".": self.decimal, "-": MINUS}
        return text.translate(str.maketrans(marks))


@cache
def language_of(code: str) -> Language:
    """Return a language of documents: German for `de`, English for any other."""
    code = code if code in ("en", "de") else "en"
    symbols = Locale(code).number_symbols["latn"]
    return Language(code, symbols["decimal"], symbols["group"], names_months=code == "en")


@cache
def _countries(code: str) -> dict[str, str]:
    return dict(Locale(code).territories)


@cache
def _months(code: str) -> dict[int, str]:
    return dict(Locale(code).months["format"]["abbreviated"])
