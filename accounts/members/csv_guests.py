"""People to invite, as a CSV file: `email,name,role,extension`. Pure: the whole file is read, every wrong row is named."""

import csv
import io
import re
from dataclasses import dataclass
from typing import Final

from accounts.permissions import Role
from common.errors import FieldProblem

COLUMNS: Final = ("email", "name", "role", "extension")
MOST_ROWS: Final = 5_000
MOST_PROBLEMS: Final = 100
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
EXTENSION = re.compile(r"\d{2,8}")


@dataclass(frozen=True)
class Row:
    """A row that is right. `number` counts the file's rows from 1, its header apart."""

    number: int
    email: str
    name: str
    role: Role
    extension: str


def read(content: bytes) -> tuple[list[Row], list[FieldProblem]]:
    """Return (rows, problems), of the latter at most a hundred; `/rows/3/email` is the third row's."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], [FieldProblem("/", "encoding", "The file must be UTF-8.")]
    if "\x00" in text:
        return [], [FieldProblem("/", "encoding", "The file holds a NUL character.")]
    try:
        table = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        return [], [FieldProblem("/", "not-csv", f"The file is no CSV: {error}.")]
    header = [name.strip().lower() for name in table[0]] if table else []
    if "email" not in header or len(set(header)) != len(header) or not set(header) <= set(COLUMNS):
        return [], [FieldProblem("/rows/0", "header", f"The first row names the columns: {', '.join(COLUMNS)}.")]
    lines = [line for line in table[1:] if any(cell.strip() for cell in line)]
    if len(lines) > MOST_ROWS:
        return [], [FieldProblem("/", "too-many-rows", f"At most {MOST_ROWS} rows at once.")]
    return _rows(header, lines)


def _rows(header: list[str], lines: list[list[str]]) -> tuple[list[Row], list[FieldProblem]]:
    rows: list[Row] = []
    problems: list[FieldProblem] = []
    seen: dict[str, dict[str, int]] = {"email": {}, "extension": {}}
    for number, line in enumerate(lines, 1):
        if len(line) != len(header):
            problems.append(
                FieldProblem(f"/rows/{number}", "cells", f"{len(header)} cells are wanted, {len(line)} are here.")
            )
            continue
        cells = {name: cell.strip() for name, cell in zip(header, line, strict=True)}
        row = Row(number, cells["email"].lower(), cells.get("name", ""), Role.AGENT, cells.get("extension", ""))
        role = cells.get("role", "").lower().replace("-", "_") or Role.AGENT.value
        wrong = [*_wrong(row, role), *_twice(row, seen)]
        problems += [FieldProblem(f"/rows/{number}/{name}", code, detail) for name, code, detail in wrong]
        if not wrong:
            rows.append(Row(number, row.email, row.name, Role(role), row.extension))
    return rows, problems[:MOST_PROBLEMS]


def _wrong(row: Row, role: str) -> list[tuple[str, str, str]]:
    found = []
    if not EMAIL.fullmatch(row.email) or len(row.email) > 254:
        found.append(("email", "no-address", "This is no e-mail address."))
    if len(row.name) > 120:
        found.append(("name", "too-long", "A name has at most 120 characters."))
    if role not in Role.values:
        found.append(("role", "unknown-role", f"A role is one of {', '.join(Role.values)}."))
    if row.extension and not EXTENSION.fullmatch(row.extension):
        found.append(("extension", "no-extension", "An extension has 2 to 8 digits."))
    return found


def _twice(row: Row, seen: dict[str, dict[str, int]]) -> list[tuple[str, str, str]]:
    found = []
    for name, value in (("email", row.email), ("extension", row.extension)):
        if value and (first := seen[name].setdefault(value, row.number)) != row.number:
            found.append((name, "twice", f"Row {first} says the same."))
    return found
