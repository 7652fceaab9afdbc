"""What may become of an event that was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from common.errors import FieldProblem


class Status(StrEnum):
    CREATED = "created"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event. `record_id` is its record's, or its first's; pointers of `problems` go into the event."""

    status: Status
    record_id: UUID | None = None
    problems: Sequence[FieldProblem] = ()
