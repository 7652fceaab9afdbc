"""Decide what becomes of a call: the one table of allowed moves, and SURFACE's table from hangup cause to status.

Pure: values in, values out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class CallStatus(StrEnum):
    """Where a call stands."""

    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"
    FAILED = "failed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CANCELED = "canceled"


class Direction(StrEnum):
    """Who began the call, seen from the switch."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class HangupSource(StrEnum):
    """Who ended the call."""

    API = "api"
    CALLER = "caller"
    CALLEE = "callee"
    LIMIT = "limit"
    PLATFORM = "platform"
    UNKNOWN = ""


class Dispatch(StrEnum):
    """What we know of a leg's way to the switch; only an unsent leg may be dialled."""

    UNSENT = "unsent"
    SENT = "sent"
    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


class Evidence(StrEnum):
    """What a leg's end is known from, the weakest first; only stronger evidence corrects it."""

    NONE = ""
    ESTIMATE = "estimate"
    EVENT = "event"
    REPORT = "report"

    def is_stronger_than(self, other: "Evidence") -> bool:
        """Say whether this may correct what the other told."""
        order = list(Evidence)
        return order.index(self) > order.index(other)


class Retry(StrEnum):
    """Whether dialling again can help."""

    YES = "yes"
    NO = "no"
    ONCE = "once"
    LATER = "later"
    NEVER = "never"
    NEXT_TRUNK = "next_trunk"
    NONE = ""


FINAL = frozenset({CallStatus.COMPLETED, CallStatus.FAILED, CallStatus.BUSY, CallStatus.NO_ANSWER, CallStatus.CANCELED})
_UNANSWERED_ENDS = FINAL - {CallStatus.COMPLETED}

# A listener that was away may hear of the answer first: stages may be skipped, never gone back.
MOVES: dict[CallStatus, frozenset[CallStatus]] = {
    CallStatus.QUEUED: _UNANSWERED_ENDS | {CallStatus.INITIATED, CallStatus.RINGING, CallStatus.ANSWERED},
    CallStatus.INITIATED: _UNANSWERED_ENDS | {CallStatus.RINGING, CallStatus.ANSWERED},
    CallStatus.RINGING: _UNANSWERED_ENDS | {CallStatus.ANSWERED},
    CallStatus.ANSWERED: frozenset({CallStatus.COMPLETED}),
} | {status: frozenset() for status in FINAL}


def may_move(*, current: CallStatus, to: CallStatus) -> bool:
    """Say whether a call may go from one status to another."""
    return to in MOVES[current]


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known when a leg has ended; `cause` is FreeSWITCH's name, `q850` and `sip_status` numbers or None."""

    direction: Direction
    is_answered: bool
    cause: str = ""
    q850: int | None = None
    sip_status: int | None = None
    was_ringing: bool = False
    has_channel: bool = True
    canceled_by_us: bool = False
    timed_out_by_us: bool = False
    caller_left: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The status published, why, whether to try again, and whether an operator should look."""

    status: CallStatus
    reason: str = ""
    retry: Retry = Retry.NONE
    is_alarm: bool = False


def verdict(ending: Ending) -> Verdict:
    """Return the status of an ended call by the first row of SURFACE.md's table that matches."""
    if ending.is_answered:
        return Verdict(CallStatus.COMPLETED)
    if ending.canceled_by_us:
        return Verdict(CallStatus.CANCELED)
    if ending.timed_out_by_us:
        return Verdict(CallStatus.NO_ANSWER, retry=Retry.YES)
    return next((found for matches, found in _rows(ending) if matches(ending)), _UNKNOWN)


_UNKNOWN = Verdict(CallStatus.FAILED, "unknown", Retry.ONCE, is_alarm=True)
_Row = tuple[Callable[[Ending], bool], Verdict]


def _cause(*names: str) -> Callable[[Ending], bool]:
    return lambda ending: ending.cause in names


def _cause_or_q850(names: dict[int, str], *more: str) -> Callable[[Ending], bool]:
    """Match by name; by number only when the switch gave no name we know."""
    wanted = {*names.values(), *more}
    return lambda ending: ending.cause in wanted or (not ending.cause and ending.q850 in names)


def _rejected(*sip: int) -> Callable[[Ending], bool]:
    return lambda ending: ending.cause == "CALL_REJECTED" and ending.sip_status in sip


_NETWORK = {
    25: "EXCHANGE_ROUTING_ERROR",
    34: "NORMAL_CIRCUIT_CONGESTION",
    38: "NETWORK_OUT_OF_ORDER",
    41: "NORMAL_TEMPORARY_FAILURE",
    42: "SWITCH_CONGESTION",
    44: "REQUESTED_CHAN_UNAVAIL",
    63: "SERVICE_UNAVAILABLE",
    102: "RECOVERY_ON_TIMER_EXPIRE",
    127: "INTERWORKING",
}
_BARRED = {52: "OUTGOING_CALL_BARRED", 54: "INCOMING_CALL_BARRED", 57: "BEARERCAPABILITY_NOTAUTH"}
_INCOMPATIBLE = {65: "BEARERCAPABILITY_NOTIMPL", 66: "CHAN_NOT_IMPLEMENTED", 88: "INCOMPATIBLE_DESTINATION"}
_NORMAL = _cause("NORMAL_CLEARING", "NORMAL_UNSPECIFIED", "NONE")


def _rows(ending: Ending) -> list[_Row]:
    missed = "missed" if ending.direction is Direction.INBOUND else ""
    return [
        (_cause("USER_BUSY", "BUSY_EVERYWHERE"), Verdict(CallStatus.BUSY, retry=Retry.YES)),
        (
            _cause("NO_ANSWER", "NO_USER_RESPONSE", "ALLOTTED_TIMEOUT", "NO_PICKUP"),
            Verdict(CallStatus.NO_ANSWER, retry=Retry.YES),
        ),
        (_rejected(603, 608), Verdict(CallStatus.NO_ANSWER, "declined", Retry.ONCE)),
        (_cause("DECLINE"), Verdict(CallStatus.NO_ANSWER, "declined", Retry.ONCE)),
        (_rejected(401, 402, 403, 407), Verdict(CallStatus.FAILED, "carrier", Retry.NO, is_alarm=True)),
        (_cause("CALL_REJECTED"), Verdict(CallStatus.FAILED, "rejected", Retry.ONCE)),
        (_cause("ORIGINATOR_CANCEL"), Verdict(CallStatus.CANCELED, missed, Retry.NO)),
        (_cause("LOSE_RACE", "PICKED_OFF"), Verdict(CallStatus.CANCELED, "answered_elsewhere", Retry.NO)),
        (
            _cause("UNALLOCATED_NUMBER", "NO_ROUTE_DESTINATION", "NUMBER_CHANGED", "INVALID_NUMBER_FORMAT"),
            Verdict(CallStatus.FAILED, "invalid_number", Retry.NEVER),
        ),
        (
            lambda ended: ended.cause == "UNWANTED" or ended.sip_status == 607,
            Verdict(CallStatus.FAILED, "blocked", Retry.NEVER),
        ),
        (
            _cause("SUBSCRIBER_ABSENT", "DESTINATION_OUT_OF_ORDER", "USER_NOT_REGISTERED"),
            Verdict(CallStatus.FAILED, "unreachable", Retry.LATER),
        ),
        (
            _cause_or_q850(_NETWORK, "PROGRESS_TIMEOUT", "MEDIA_TIMEOUT"),
            Verdict(CallStatus.FAILED, "network", Retry.NEXT_TRUNK),
        ),
        (_cause_or_q850(_BARRED, "USER_CHALLENGE"), Verdict(CallStatus.FAILED, "barred", Retry.NO)),
        (_cause_or_q850(_INCOMPATIBLE), Verdict(CallStatus.FAILED, "incompatible", Retry.NO)),
        (
            _cause("GATEWAY_DOWN", "INVALID_GATEWAY", "INVALID_PROFILE"),
            Verdict(CallStatus.FAILED, "configuration", Retry.NO, is_alarm=True),
        ),
        (
            _cause("MANAGER_REQUEST", "SYSTEM_SHUTDOWN", "CRASH"),
            Verdict(CallStatus.FAILED, "platform", Retry.YES),
        ),
        (_NORMAL, _unanswered_normally(ending)),
        (lambda ended: not ended.has_channel, Verdict(CallStatus.FAILED, "not_sent", Retry.YES)),
    ]


def _unanswered_normally(ending: Ending) -> Verdict:
    if ending.direction is Direction.OUTBOUND:
        status = CallStatus.NO_ANSWER if ending.was_ringing else CallStatus.FAILED
        return Verdict(status, "" if ending.was_ringing else "not_answered", Retry.YES)
    if ending.caller_left:
        return Verdict(CallStatus.CANCELED, "missed", Retry.YES)
    return Verdict(CallStatus.FAILED, "not_handled", Retry.YES)
