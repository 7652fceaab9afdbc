"""What a cell may hold, and how its text is kept from being run as a formula."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

Cell = str | Decimal | date | None
# What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection"), their full-width forms included.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - full-width on purpose


@dataclass(frozen=True)
class Table:
    """The columns of a list: their headings, and which hold money."""

    title: str
    headings: tuple[str, ...]


Row = Sequence[Cell]


def defused(text: str) -> str:
    """Return a text that no spreadsheet runs: with an apostrophe before what could begin a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
