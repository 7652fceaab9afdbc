"""A list as CSV (RFC 4180): UTF-8, commas, CRLF; amounts with a point, days as 2026-03-31."""

import csv
from datetime import date
from decimal import Decimal
from io import StringIO

from billing.exports.cells import Cell, Row, Table
from common.formulas import defused


class CsvFile:
    """Takes rows and returns the file at last."""

    def __init__(self, table: Table) -> None:
        self._text = StringIO(newline="")
        self._rows = csv.writer(self._text, lineterminator="\r\n")
        self._rows.writerow(table.headings)

    def add(self, row: Row) -> None:
        """Write one row."""
        self._rows.writerow([_written(cell) for cell in row])

    def finish(self) -> bytes:
        """Return the file."""
        return self._text.getvalue().encode()


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return cell.isoformat() if isinstance(cell, date) else defused(cell)
