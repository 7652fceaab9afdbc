"""Numbers not to call, as a CSV file: `number,note`. Pure: each wrong row is named, the right ones are taken."""

import csv
import io
from dataclasses import dataclass
from typing import Final

from common.errors import FieldProblem, Invalid
from telephony.numbers import e164

COLUMNS: Final = ("number", "note")
MOST_ROWS: Final = 50_000
MOST_PROBLEMS: Final = 100
MOST_NOTE: Final = 200


@dataclass(frozen=True)
class Found:
    """The right rows (number in E.164: note), how many were wrong, and what is wrong with the first hundred of them."""

    notes: dict[str, str]
    refused: int
    problems: list[FieldProblem]


def read(content: bytes) -> Found:
    """Read a file; `/rows/3/number` is the third row's, its header apart. Raises Invalid for what is no such file at all."""
    table = _table(content)
    header = [name.strip().lower() for name in table[0]] if table else []
    if "number" not in header or len(set(header)) != len(header) or not set(header) <= set(COLUMNS):
        raise Invalid(f"The first row names the columns: {', '.join(COLUMNS)}.", code="header", pointer="/rows/0")
    lines = [line for line in table[1:] if any(cell.strip() for cell in line)]
    if len(lines) > MOST_ROWS:
        raise Invalid(f"At most {MOST_ROWS} rows at once.", code="too-many-rows", pointer="/")
    notes: dict[str, str] = {}
    problems: list[FieldProblem] = []
    for number, line in enumerate(lines, 1):
        try:
            row = dict(zip(header, line, strict=False))
            notes[e164(row.get("number", "").strip(), pointer=f"/rows/{number}/number")] = row.get("note", "").strip()[
                :MOST_NOTE
            ]
        except Invalid as refusal:
            problems += refusal.errors
    return Found(notes, len(problems), problems[:MOST_PROBLEMS])


def _table(content: bytes) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("The file must be UTF-8.", code="encoding", pointer="/") from error
    if "\x00" in text:
        raise Invalid("The file holds a NUL character.", code="encoding", pointer="/")
    try:
        return list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise Invalid(f"The file is no CSV: {error}.", code="not-csv", pointer="/") from error
