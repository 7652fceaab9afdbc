"""Cursor pagination: newest first by (moment, id), stable while rows arrive. 50 a page, at most 200."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request

from common.errors import Invalid

DEFAULT_LIMIT, MOST = 50, 200
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Cursor:
    """A place between two rows; `backward` reads toward newer rows."""

    moment: datetime
    id: UUID
    backward: bool

    def encode(self) -> str:
        text = f"{'b' if self.backward else 'f'}|{self.moment.isoformat()}|{self.id.hex}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
            direction, text_of_moment, hexid = raw.split("|")
            moment = datetime.fromisoformat(text_of_moment)
            if moment.tzinfo is None:
                raise ValueError("a moment without its offset")
            # In UTC, where the database takes every moment Python has: not so with every offset.
            return cls(moment.astimezone(UTC), UUID(hex=hexid), direction == "b")
        except (ValueError, OverflowError, binascii.Error) as error:
            raise Invalid("The cursor is not one of ours; begin without it.", pointer="/cursor") from error


def limit_of(request: Request) -> int:
    """Return `?limit=`, 1 to 200, 50 when absent."""
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MOST):
        raise Invalid(f"limit must be a whole number from 1 to {MOST}.", pointer="/limit")
    return int(text)


def paginate(
    queryset: QuerySet[M], request: Request, *, present: Callable[[M], dict[str, Any]], moment: str = "created_at"
) -> dict[str, Any]:
    """Return `{results, next, previous}`; one query. `moment` names the column sorted by, newest first, then the id."""
    limit, text = limit_of(request), request.query_params.get("cursor")
    cursor = Cursor.decode(text) if text else None
    backward = cursor is not None and cursor.backward
    rows = list(_slice(queryset, cursor, moment)[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    if backward:
        rows.reverse()
    older = rows and (more or backward)
    newer = rows and cursor is not None and (more or not backward)
    return {
        "results": [present(row) for row in rows],
        "next": _link(request, rows[-1], moment, backward=False) if older else None,
        "previous": _link(request, rows[0], moment, backward=True) if newer else None,
    }


def _slice(queryset: QuerySet[M], cursor: Cursor | None, moment: str) -> QuerySet[M]:
    if cursor is None:
        return queryset.order_by(f"-{moment}", "-id")
    side = "gt" if cursor.backward else "lt"
    beyond = Q(**{f"{moment}__{side}": cursor.moment}) | Q(**{moment: cursor.moment, f"id__{side}": cursor.id})
    # The plain bound beside the OR lets PostgreSQL walk the index from the cursor.
    bound = Q(**{f"{moment}__{side}e": cursor.moment})
    order = (moment, "id") if cursor.backward else (f"-{moment}", "-id")
    return queryset.filter(bound, beyond).order_by(*order)


def _link(request: Request, row: Model, moment: str, *, backward: bool) -> str:
    cursor = Cursor(getattr(row, moment), row.pk, backward).encode()
    query = {**request.query_params.dict(), "cursor": cursor}
    return request.build_absolute_uri(f"{request.path}?{urlencode(query)}")
