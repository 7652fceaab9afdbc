"""VAT ids: their form and check digits. Offline: whether one is registered only the tax authority can say."""

from types import ModuleType

import stdnum
from stdnum.exceptions import ValidationError

from billing.tax import EU

PREFIXES = {"GR": "EL"}  # Greece writes its ids by its language's code
ELSEWHERE = frozenset({"CH", "GB", "NO"})  # whose ids can be checked too


def compact(text: str) -> str:
    """Return an id as it is stored: capitals, without spaces, dots and dashes."""
    return "".join(character for character in text.upper() if character not in " .-/")


def is_checked(country: str) -> bool:
    """Say whether ids of this country can be checked here."""
    return country in EU or country in ELSEWHERE


def is_vat_id(text: str, country: str) -> bool:
    """Say whether `text` is a VAT id of this country: its prefix (`IE…`, for Greece `EL…`), form and check digits."""
    prefix = PREFIXES.get(country, country)
    number = compact(text)
    if country == "CH":  # CHE is a part of the number
        return number.startswith("CHE") and _is_valid(country, number)
    return is_checked(country) and number.startswith(prefix) and _is_valid(country, number.removeprefix(prefix))


def _is_valid(country: str, number: str) -> bool:
    module = stdnum.get_cc_module(country.lower(), "vat")
    if not isinstance(module, ModuleType):
        return False
    try:
        module.validate(number)
    except ValidationError:
        return False
    return True
