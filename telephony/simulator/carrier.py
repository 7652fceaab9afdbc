"""How the far end behaves: chosen by the last four digits dialled, as the carrier of the recorded traces does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A final SIP answer, with the cause FreeSWITCH makes of it."""

    status: int
    phrase: str
    cause: str
    q850: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What the far end does, in seconds from the start (`hangs_up_after`: from the answer); None means never."""

    rings_after: float | None = None
    early_media_after: float | None = None
    refusal: Refusal | None = None
    refused_after: float = 0.0
    answered_after: float | None = None
    hangs_up_after: float | None = None
    digits: str = ""


FORBIDDEN = Refusal(403, "Forbidden", "CALL_REJECTED", 21)
NOT_FOUND = Refusal(404, "Not Found", "UNALLOCATED_NUMBER", 1)
UNAVAILABLE = Refusal(480, "Temporarily Unavailable", "NO_USER_RESPONSE", 18)
BUSY = Refusal(486, "Busy Here", "USER_BUSY", 17)
OVERLOADED = Refusal(503, "Service Unavailable", "NORMAL_TEMPORARY_FAILURE", 41)
DECLINE = Refusal(603, "Decline", "CALL_REJECTED", 21)

ORDINARY = Plan(rings_after=0.0, answered_after=1.0, hangs_up_after=5.0)
PLANS = {
    "0100": Plan(),
    "0180": Plan(rings_after=0.0),
    "0183": Plan(early_media_after=0.0, answered_after=1.5, hangs_up_after=3.0),
    "0200": Plan(rings_after=0.0, answered_after=1.0),
    "0203": Plan(rings_after=0.0, answered_after=1.0, hangs_up_after=3.0),
    "0211": Plan(rings_after=0.0, answered_after=1.0, digits="15#"),
    "0212": Plan(answered_after=0.0, hangs_up_after=1.0),
    "0403": Plan(refusal=FORBIDDEN),
    "0404": Plan(refusal=NOT_FOUND),
    "0480": Plan(rings_after=0.0, refusal=UNAVAILABLE, refused_after=1.5),
    "0486": Plan(refusal=BUSY),
    "0503": Plan(refusal=OVERLOADED),
    "0603": Plan(rings_after=0.0, refusal=DECLINE, refused_after=1.5),
}


def plan_for(number: str) -> Plan:
    """Return the behaviour a number stands for; any other rings a second, talks for five and hangs up."""
    return PLANS.get(number[-4:], ORDINARY)
