"""Every row of the table from hangup cause to call status, and every allowed move."""

import pytest

from telephony.states import (
    FINAL,
    CallStatus,
    Direction,
    Ending,
    Retry,
    Verdict,
    may_move,
    verdict,
)

BUSY = Verdict(CallStatus.BUSY, "", Retry.YES)
NO_ANSWER = Verdict(CallStatus.NO_ANSWER, "", Retry.YES)
DECLINED = Verdict(CallStatus.NO_ANSWER, "declined", Retry.ONCE)
CARRIER = Verdict(CallStatus.FAILED, "carrier", Retry.NO, is_alarm=True)
REJECTED = Verdict(CallStatus.FAILED, "rejected", Retry.ONCE)
ELSEWHERE = Verdict(CallStatus.CANCELED, "answered_elsewhere", Retry.NO)
INVALID = Verdict(CallStatus.FAILED, "invalid_number", Retry.NEVER)
BLOCKED = Verdict(CallStatus.FAILED, "blocked", Retry.NEVER)
UNREACHABLE = Verdict(CallStatus.FAILED, "unreachable", Retry.LATER)
NETWORK = Verdict(CallStatus.FAILED, "network", Retry.NEXT_TRUNK)
BARRED = Verdict(CallStatus.FAILED, "barred", Retry.NO)
INCOMPATIBLE = Verdict(CallStatus.FAILED, "incompatible", Retry.NO)
CONFIGURATION = Verdict(CallStatus.FAILED, "configuration", Retry.NO, is_alarm=True)
PLATFORM = Verdict(CallStatus.FAILED, "platform", Retry.YES)
UNKNOWN = Verdict(CallStatus.FAILED, "unknown", Retry.ONCE, is_alarm=True)

BY_CAUSE = [
    ("USER_BUSY", 486, BUSY),
    ("BUSY_EVERYWHERE", 600, BUSY),
    ("NO_ANSWER", None, NO_ANSWER),
    ("NO_USER_RESPONSE", 408, NO_ANSWER),
    ("ALLOTTED_TIMEOUT", 487, NO_ANSWER),
    ("NO_PICKUP", None, NO_ANSWER),
    ("CALL_REJECTED", 603, DECLINED),
    ("CALL_REJECTED", 608, DECLINED),
    ("DECLINE", 603, DECLINED),
    ("CALL_REJECTED", 401, CARRIER),
    ("CALL_REJECTED", 402, CARRIER),
    ("CALL_REJECTED", 403, CARRIER),
    ("CALL_REJECTED", 407, CARRIER),
    ("CALL_REJECTED", None, REJECTED),
    ("CALL_REJECTED", 607, REJECTED),
    ("LOSE_RACE", None, ELSEWHERE),
    ("PICKED_OFF", None, ELSEWHERE),
    ("UNALLOCATED_NUMBER", 404, INVALID),
    ("NO_ROUTE_DESTINATION", 404, INVALID),
    ("NUMBER_CHANGED", 410, INVALID),
    ("INVALID_NUMBER_FORMAT", 484, INVALID),
    ("UNWANTED", 607, BLOCKED),
    ("NORMAL_UNSPECIFIED", 607, BLOCKED),
    ("SUBSCRIBER_ABSENT", 480, UNREACHABLE),
    ("DESTINATION_OUT_OF_ORDER", 502, UNREACHABLE),
    ("USER_NOT_REGISTERED", None, UNREACHABLE),
    ("EXCHANGE_ROUTING_ERROR", 483, NETWORK),
    ("NORMAL_CIRCUIT_CONGESTION", 503, NETWORK),
    ("NETWORK_OUT_OF_ORDER", 500, NETWORK),
    ("NORMAL_TEMPORARY_FAILURE", 503, NETWORK),
    ("SWITCH_CONGESTION", None, NETWORK),
    ("REQUESTED_CHAN_UNAVAIL", None, NETWORK),
    ("SERVICE_UNAVAILABLE", None, NETWORK),
    ("RECOVERY_ON_TIMER_EXPIRE", 504, NETWORK),
    ("INTERWORKING", 505, NETWORK),
    ("PROGRESS_TIMEOUT", None, NETWORK),
    ("MEDIA_TIMEOUT", None, NETWORK),
    ("OUTGOING_CALL_BARRED", 403, BARRED),
    ("INCOMING_CALL_BARRED", None, BARRED),
    ("BEARERCAPABILITY_NOTAUTH", None, BARRED),
    ("USER_CHALLENGE", 401, BARRED),
    ("BEARERCAPABILITY_NOTIMPL", None, INCOMPATIBLE),
    ("CHAN_NOT_IMPLEMENTED", None, INCOMPATIBLE),
    ("INCOMPATIBLE_DESTINATION", 488, INCOMPATIBLE),
    ("GATEWAY_DOWN", None, CONFIGURATION),
    ("INVALID_GATEWAY", None, CONFIGURATION),
    ("INVALID_PROFILE", None, CONFIGURATION),
    ("MANAGER_REQUEST", None, PLATFORM),
    ("SYSTEM_SHUTDOWN", None, PLATFORM),
    ("CRASH", None, PLATFORM),
    ("SOMETHING_NEW", None, UNKNOWN),
    ("", None, UNKNOWN),
]


def outbound(cause: str, sip_status: int | None = None, **known: bool) -> Ending:
    return Ending(direction=Direction.OUTBOUND, is_answered=False, cause=cause, sip_status=sip_status, **known)


@pytest.mark.parametrize(("cause", "sip_status", "expected"), BY_CAUSE)
def test_an_unanswered_call_gets_the_status_of_its_cause(cause: str, sip_status: int | None, expected: Verdict):
    assert verdict(outbound(cause, sip_status)) == expected


@pytest.mark.parametrize("cause", sorted({cause for cause, _, _ in BY_CAUSE}))
def test_an_answered_call_is_completed_whatever_ended_it(cause: str):
    ending = Ending(direction=Direction.OUTBOUND, is_answered=True, cause=cause, canceled_by_us=True)

    assert verdict(ending) == Verdict(CallStatus.COMPLETED)


def test_our_cancel_and_our_timeout_come_before_the_cause():
    assert verdict(outbound("USER_BUSY", canceled_by_us=True)) == Verdict(CallStatus.CANCELED)
    assert verdict(outbound("USER_BUSY", timed_out_by_us=True)) == NO_ANSWER


@pytest.mark.parametrize(
    ("direction", "expected"),
    [(Direction.INBOUND, "missed"), (Direction.OUTBOUND, "")],
)
def test_an_originators_cancel_is_a_missed_call_when_inbound(direction: Direction, expected: str):
    ending = Ending(direction=direction, is_answered=False, cause="ORIGINATOR_CANCEL")

    assert verdict(ending) == Verdict(CallStatus.CANCELED, expected, Retry.NO)


@pytest.mark.parametrize(
    ("q850", "expected"),
    [(q850, NETWORK) for q850 in (25, 34, 38, 41, 42, 44, 63, 102, 127)]
    + [(q850, BARRED) for q850 in (52, 54, 57)]
    + [(q850, INCOMPATIBLE) for q850 in (65, 66, 88)],
)
def test_a_number_alone_is_enough(q850: int, expected: Verdict):
    assert verdict(Ending(direction=Direction.OUTBOUND, is_answered=False, q850=q850)) == expected


@pytest.mark.parametrize("cause", ["NORMAL_CLEARING", "NORMAL_UNSPECIFIED", "NONE"])
class TestNormalWithoutAnswer:
    def test_outbound_that_rang_was_not_answered(self, cause: str):
        assert verdict(outbound(cause, was_ringing=True)) == NO_ANSWER

    def test_outbound_that_never_rang_failed(self, cause: str):
        assert verdict(outbound(cause)) == Verdict(CallStatus.FAILED, "not_answered", Retry.YES)

    def test_inbound_whose_caller_left_is_missed(self, cause: str):
        ending = Ending(direction=Direction.INBOUND, is_answered=False, cause=cause, caller_left=True)

        assert verdict(ending) == Verdict(CallStatus.CANCELED, "missed", Retry.YES)

    def test_inbound_that_we_dropped_was_not_handled(self, cause: str):
        ending = Ending(direction=Direction.INBOUND, is_answered=False, cause=cause)

        assert verdict(ending) == Verdict(CallStatus.FAILED, "not_handled", Retry.YES)


def test_what_was_refused_before_any_channel_was_not_sent():
    assert verdict(outbound("", has_channel=False)) == Verdict(CallStatus.FAILED, "not_sent", Retry.YES)


def test_a_refusal_with_a_known_cause_keeps_it():
    assert verdict(outbound("INVALID_GATEWAY", has_channel=False)) == CONFIGURATION


def test_final_statuses_are_left_by_nothing():
    assert [to for final in FINAL for to in CallStatus if may_move(current=final, to=to)] == []


def test_completed_is_reached_from_answered_only():
    assert [status for status in CallStatus if may_move(current=status, to=CallStatus.COMPLETED)] == [
        CallStatus.ANSWERED
    ]


def test_no_move_goes_back():
    order = [CallStatus.QUEUED, CallStatus.INITIATED, CallStatus.RINGING, CallStatus.ANSWERED]
    for place, current in enumerate(order):
        assert [to for to in order if may_move(current=current, to=to)] == order[place + 1 :]


def test_an_answered_call_can_only_complete():
    assert [to for to in CallStatus if may_move(current=CallStatus.ANSWERED, to=to)] == [CallStatus.COMPLETED]
