"""CSV files as rows: UTF-8, a header first, separated by comma, semicolon or tab."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from common.errors import Invalid, Unreadable

SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Row:
    """One row: the line it ends on, its cells by column (empty ones left out), and cells beyond the header's."""

    line: int
    cells: dict[str, str]
    surplus: tuple[str, ...] = ()


def rows_of(content: bytes, *, columns: Iterable[str], required: Sequence[str]) -> Iterator[Row]:
    """Yield the rows that are not empty.

    Raises Unreadable for what is no CSV in UTF-8, and Invalid for a header with unknown, repeated or missing columns.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"The file is not UTF-8: byte {error.start} is none.") from error
    first_line = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check(header, set(columns), required)
        for cells in reader:
            if any(cells):
                found = {name: cell for name, cell in zip(header, cells, strict=False) if cell != ""}
                yield Row(reader.line_num, found, tuple(cells[len(header) :]))
    except csv.Error as error:
        raise Unreadable(f"Line {reader.line_num} is not CSV: {error}.") from error


def _check(header: Sequence[str], columns: set[str], required: Sequence[str]) -> None:
    if missing := [name for name in required if name not in header]:
        raise Invalid(f"The header has no column {', '.join(missing)}.", code="missing-column", pointer="/header")
    if unknown := [name for name in header if name not in columns]:
        shown = ", ".join(repr(name[:40]) for name in unknown[:10])
        raise Invalid(
            f"The header has columns that mean nothing here: {shown}.", code="unknown-column", pointer="/header"
        )
    if len(set(header)) < len(header):
        raise Invalid("The header names a column twice.", code="repeated-column", pointer="/header")
