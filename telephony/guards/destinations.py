"""What a number is: which country's, whether help answers it, whether whoever answers earns by it. Pure, no I/O."""

import phonenumbers
from phonenumbers import PhoneNumberType

# Numbers of these kinds pay whoever is called: toll fraud lives on them.
PREMIUM = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})
MAX_EMERGENCY_DIGITS = 6


def country_of(number: str) -> str:
    """Return the ISO 3166 code of a number in E.164, or 001 of what belongs to no country (satellites).

    A number of no known range, a fictional one for example, is taken for the main country of its calling code.
    """
    parsed = phonenumbers.parse(number, None)
    known = phonenumbers.region_code_for_number(parsed)
    return known or phonenumbers.region_code_for_country_code(parsed.country_code or 0)


def is_emergency(text: str, *, country: str) -> bool:
    """Say whether help answers: `112` as people write it, and `+49112` as programs do."""
    digits = "".join(c for c in text if c.isascii() and c.isdigit())
    if not text.strip().startswith("+"):
        return len(digits) <= MAX_EMERGENCY_DIGITS and bool(phonenumbers.is_emergency_number(digits, country))
    try:
        parsed = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return False
    there = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return bool(phonenumbers.is_emergency_number(str(parsed.national_number), there))


def is_premium(number: str) -> bool:
    """Say whether a number in E.164 is of a premium-rate or shared-cost range."""
    return phonenumbers.number_type(phonenumbers.parse(number, None)) in PREMIUM
