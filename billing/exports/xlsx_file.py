"""A list as XLSX (ISO/IEC 29500): amounts are numbers, days are dates, text is text and never a formula."""

from datetime import date, datetime
from decimal import Decimal
from io import BytesIO

import xlsxwriter  # type: ignore[import-untyped] # it ships no types

from billing.exports.cells import Cell, Row, Table

OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
WIDEST, NARROWEST = 48, 10
MOST_ROWS = 1_048_575  # of a sheet, besides the headings


class XlsxFile:
    """Takes rows and returns the workbook at last: one sheet, the headings fixed above it."""

    def __init__(self, table: Table, *, now: datetime) -> None:
        self._bytes = BytesIO()
        self._book = xlsxwriter.Workbook(self._bytes, OPTIONS)
        self._book.set_properties({"title": table.title, "created": now.replace(tzinfo=None)})
        self._sheet = self._book.add_worksheet(table.title)
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self._money = {digits: self._book.add_format({"num_format": _money_format(digits)}) for digits in (0, 2, 3)}
        self._widths = [max(NARROWEST, len(heading) + 2) for heading in table.headings]
        self._count = 0
        bold = self._book.add_format({"bold": True, "bottom": 1})
        for column, heading in enumerate(table.headings):
            self._sheet.write_string(0, column, heading, bold)

    def add(self, row: Row) -> None:
        """Write one row."""
        self._count += 1
        for column, cell in enumerate(row):
            self._write(column, cell)

    def finish(self) -> bytes:
        """Return the workbook."""
        self._sheet.freeze_panes(1, 1)
        self._sheet.autofilter(0, 0, self._count, len(self._widths) - 1)
        for column, width in enumerate(self._widths):
            self._sheet.set_column(column, column, min(width, WIDEST))
        self._book.close()
        return self._bytes.getvalue()

    def _write(self, column: int, cell: Cell) -> None:
        if cell is None or cell == "":
            return
        if isinstance(cell, Decimal):
            digits = -int(cell.as_tuple().exponent)
            self._sheet.write_number(self._count, column, float(cell), self._money.get(digits))
        elif isinstance(cell, date):
            self._sheet.write_datetime(self._count, column, cell, self._day)
        else:
            self._sheet.write_string(self._count, column, cell)
        self._widths[column] = max(self._widths[column], len(str(cell)) + 2)


def _money_format(digits: int) -> str:
    return f"#,##0.{'0' * digits}" if digits else "#,##0"
