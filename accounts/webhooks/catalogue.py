"""The event types there are, and what an endpoint may ask for."""

from collections.abc import Sequence
from typing import Final

from common.errors import FieldProblem, Invalid

TEST: Final = "webhook.test"
TYPES: Final = (
    "call.initiated", "call.ringing", "call.answered", "call.completed", "call.failed", "call.busy", "call.no_answer",
    "call.canceled", "call.adjusted", "call.dtmf", "call.recording.completed",
    "chat.conversation.started", "chat.conversation.assigned", "chat.message.created", "chat.conversation.closed",
    "chat.conversation.rated", "chat.conversation.reopened",
    "usage.threshold.reached", "usage.limit.reached", "credit.low",
    "invoice.finalized", "invoice.paid", "invoice.overdue", "invoice.voided",
)  # fmt: skip
# `call.*` asks for every type of a family, those to come included.
FAMILIES: Final = tuple(sorted({f"{type_.partition('.')[0]}.*" for type_ in TYPES}))
MOST_FILTERS: Final = 50


def checked(wanted: Sequence[str]) -> list[str]:
    """Return the filters once each, in their order; raise Invalid for types there are not."""
    known = {*TYPES, *FAMILIES}
    problems = [
        FieldProblem(
            f"/event_types/{index}", "unknown-type", f"{text[:60]!r} is no event type; call.* or call.completed is."
        )
        for index, text in enumerate(wanted)
        if text not in known
    ]
    if problems:
        raise Invalid.many(problems)
    return list(dict.fromkeys(wanted))
