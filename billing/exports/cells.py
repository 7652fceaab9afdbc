"""What a cell may hold, and how its text is kept from being run as a formula."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

Cell = str | Decimal | date | None


@dataclass(frozen=True)
class Table:
    """The columns of a list: their headings, and which hold money."""

    title: str
    headings: tuple[str, ...]


Row = Sequence[Cell]
