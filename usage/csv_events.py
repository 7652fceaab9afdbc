"""Events in CSV: the fields of JSON as columns, metadata as JSON in its cell."""

from collections.abc import Iterator
from typing import Any

import orjson

from usage.csv_reading import Row, rows_of
from usage.ingest_reading import FIELDS, REQUIRED


def events_of(content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each row's line and event, as JSON would have brought it; raise Unreadable or Invalid as `rows_of` does."""
    for row in rows_of(content, columns=FIELDS, required=REQUIRED):
        yield row.line, _event(row)


def _event(row: Row) -> dict[str, Any]:
    event: dict[str, Any] = dict(row.cells)
    if "metadata" in event:
        event["metadata"] = _json(event["metadata"])
    if row.surplus:
        event["more cells than the header"] = ", ".join(row.surplus)
    return event


def _json(text: str) -> Any:
    """Return the cell's JSON; what is none stays text, and is refused as no object."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
