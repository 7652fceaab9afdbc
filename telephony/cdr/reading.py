"""Read what mod_json_cdr sends: JSON bare, or as the form field `cdr`, percent-encoded or in base64. Pure.

Its JSON has `nan` where a figure of the media has no value, and by default its variables are percent-encoded once more.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, unquote_to_bytes
from uuid import UUID

FIELD = b"cdr="
_STRING_OR_NAN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\b(?:nan|inf(?:inity)?)\b', re.IGNORECASE | re.DOTALL)


class Unreadable(Exception):
    """This is no call detail record."""


def read(body: bytes) -> dict[str, str]:
    """Return the record's channel variables, decoded, its channel among them as `uuid`; raises Unreadable."""
    found = _parsed(_json_of(body))
    variables = found.get("variables") if isinstance(found, dict) else None
    if not isinstance(variables, Mapping):
        raise Unreadable("there are no variables")
    read = {str(name): unquote(value) for name, value in variables.items() if isinstance(value, str)}
    try:
        UUID(read.get("uuid", ""))
    except ValueError:
        raise Unreadable("it names no channel") from None
    return read


def _json_of(body: bytes) -> str:
    """Return the JSON, whichever way it was wrapped. A plus stands for itself: the switch writes a space as %20."""
    stripped = body.strip()
    if stripped.startswith(FIELD):
        stripped = unquote_to_bytes(stripped.removeprefix(FIELD)).strip()
    if not stripped.startswith(b"{"):
        try:
            stripped = base64.b64decode(b"".join(stripped.split()), validate=True)
        except (binascii.Error, ValueError):
            raise Unreadable("it is neither JSON nor base64") from None
    return stripped.decode("utf-8", errors="replace")


def _parsed(text: str) -> Any:
    try:
        return json.loads(_STRING_OR_NAN.sub(_null_unless_string, text), strict=False)
    except (ValueError, RecursionError):
        raise Unreadable("its JSON is broken") from None


def _null_unless_string(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith('"') else "null"
