"""Telephone numbers: E.164 or refused."""

import re

import phonenumbers

from common.errors import Invalid

_WRITTEN = re.compile(r"\+[0-9 ().-]{6,30}", re.ASCII)


def e164(text: str, *, pointer: str) -> str:
    """Return a number in E.164; raises Invalid for anything that can't be one.

    Possible is enough: fictional numbers (555-01xx) and ranges newer than our data are valid to dial.
    """
    if not _WRITTEN.fullmatch(text):
        raise _refusal(pointer)
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException as error:
        raise _refusal(pointer) from error
    if not phonenumbers.is_possible_number(number):
        raise _refusal(pointer)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _refusal(pointer: str) -> Invalid:
    return Invalid("This is no telephone number in E.164, for example +15550100200.", code="not-e164", pointer=pointer)
