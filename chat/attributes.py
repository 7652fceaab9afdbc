"""What a customer's page says of a visitor: up to 50 short facts by name. Pure."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from common.errors import FieldProblem, Invalid

Scalar = str | int | float | bool | None

MOST: Final = 50
LONGEST_VALUE: Final = 500
# What PostgreSQL stores in no text: NUL, and halves of surrogate pairs.
UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_. -]{0,39}")


def check_attributes(given: Any, *, pointer: str = "/attributes") -> dict[str, Scalar]:
    """Return attributes as given; raise Invalid, with a pointer to each, for what cannot be one."""
    if not isinstance(given, Mapping) or len(given) > MOST:
        raise Invalid(f"attributes must be an object of at most {MOST} entries.", pointer=pointer)
    wrong = [
        FieldProblem(f"{pointer}/{_escaped(str(name)[:60])}", "invalid", problem)
        for name, value in given.items()
        if (problem := _problem(name, value))
    ]
    if wrong:
        raise Invalid.many(wrong)
    return dict(given)


def merged(
    held: Mapping[str, Scalar], given: Mapping[str, Scalar], *, pointer: str = "/attributes"
) -> dict[str, Scalar]:
    """Return the attributes after a change: null takes one away. Raise Invalid when they become more than 50."""
    result: dict[str, Scalar] = {name: value for name, value in {**held, **given}.items() if value is not None}
    if len(result) > MOST:
        raise Invalid(f"A visitor has at most {MOST} attributes.", code="too-many-attributes", pointer=pointer)
    return result


def _problem(name: Any, value: Any) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return "The name of an attribute is 1 to 40 letters, digits, spaces, '_', '.' and '-', a letter first."
    if isinstance(value, str):
        too_much = len(value) > LONGEST_VALUE or UNSTORABLE.search(value)
        return f"The value must be at most {LONGEST_VALUE} characters, without NUL." if too_much else ""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, int | float):
        return "" if math.isfinite(value) and abs(value) < 2**53 else "The number must be below 2^53."
    return "The value must be a text, a number, true, false or null."


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
