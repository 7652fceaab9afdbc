"""What the recorded events of a real switch mean."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from telephony import facts
from telephony.esl.protocol import Event
from telephony.facts import Alive, Answered, Created, Ended, Refused, Ringing
from telephony.states import CallStatus, Direction, Ending, HangupSource, verdict
from tests.telephony.esl import traces

LEG = UUID("02c41fcf-6391-4a80-8502-0f74d78c8ac9")
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
NEVER = None
ANSWERED = "originate-answered-remote-hangup.json"


def at(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def fact(event: Event) -> facts.Fact | None:
    return facts.read(event, received_at=NOW)


def test_an_answered_call_is_read_from_its_microsecond_fields():
    known = [fact(event) for event in traces.load(ANSWERED).events() if event.name in facts.EVENTS]

    assert known == [
        Created(LEG, at(1795431460835246)),
        Ringing(LEG, at(1795431460835246)),
        Answered(LEG, at(1795431461854842)),
        None,
        Ended(
            leg_id=LEG,
            at=at(1795431464874854),
            created_at=at(1795431460835246),
            ringing_at=at(1795431460835246),
            answered_at=at(1795431461854842),
            cause="NORMAL_CLEARING",
            q850=16,
            sip_status=200,
            source=HangupSource.CALLEE,
        ),
    ]


ENDINGS = [
    ("originate-answered-remote-hangup.json", 3_020_012, "NORMAL_CLEARING", 16, 200, HangupSource.CALLEE),
    ("originate-answered-remote-hangup.plain", 3_020_026, "NORMAL_CLEARING", 16, 200, HangupSource.CALLEE),
    ("originate-answered-local-kill.plain", 1_540_002, "NORMAL_CLEARING", 16, None, HangupSource.PLATFORM),
    ("originate-early-media-park.plain", 2_999_991, "NORMAL_CLEARING", 16, 200, HangupSource.CALLEE),
    ("originate-sip-486.json", NEVER, "USER_BUSY", 17, 486, HangupSource.CALLEE),
    ("originate-sip-404.json", NEVER, "UNALLOCATED_NUMBER", 1, 404, HangupSource.CALLEE),
    ("originate-sip-403.plain", NEVER, "CALL_REJECTED", 21, 403, HangupSource.CALLEE),
    ("originate-sip-603.json", NEVER, "CALL_REJECTED", 21, 603, HangupSource.CALLEE),
    ("originate-no-answer-timeout.plain", NEVER, "NO_ANSWER", 19, 487, HangupSource.PLATFORM),
    ("originate-100-only-timeout.json", NEVER, "NO_ANSWER", 19, 487, HangupSource.PLATFORM),
    ("originate-gateway-unreachable.plain", NEVER, "NORMAL_TEMPORARY_FAILURE", 41, 503, HangupSource.CALLEE),
    ("inbound-no-route.plain", NEVER, "NO_ROUTE_DESTINATION", 3, None, HangupSource.PLATFORM),
]


@pytest.mark.parametrize(("trace", "microseconds", "cause", "q850", "sip", "source"), ENDINGS)
def test_every_kind_of_end_is_read(
    trace: str, microseconds: int | None, cause: str, q850: int, sip: int | None, source: HangupSource
):
    (event,) = traces.load(trace).events("CHANNEL_HANGUP_COMPLETE")

    ended = fact(event)

    assert isinstance(ended, Ended)
    talked = (ended.at - ended.answered_at) // timedelta(microseconds=1) if ended.answered_at else None
    assert (talked, ended.cause, ended.q850, ended.sip_status, ended.source) == (microseconds, cause, q850, sip, source)
    assert talked is None or talked == int(event.text("variable_billusec"))


STATUSES = [
    ("originate-answered-remote-hangup.json", CallStatus.COMPLETED, ""),
    ("originate-sip-486.plain", CallStatus.BUSY, ""),
    ("originate-sip-404.json", CallStatus.FAILED, "invalid_number"),
    ("originate-sip-403.plain", CallStatus.FAILED, "carrier"),
    ("originate-sip-603.json", CallStatus.NO_ANSWER, "declined"),
    ("originate-no-answer-timeout.plain", CallStatus.NO_ANSWER, ""),
    ("originate-gateway-unreachable.plain", CallStatus.FAILED, "network"),
    ("inbound-no-route.plain", CallStatus.FAILED, "invalid_number"),
]


@pytest.mark.parametrize(("trace", "status", "reason"), STATUSES)
def test_a_recorded_end_gets_its_status(trace: str, status: CallStatus, reason: str):
    (event,) = traces.load(trace).events("CHANNEL_HANGUP_COMPLETE")
    ended = fact(event)
    assert isinstance(ended, Ended)

    found = verdict(
        Ending(
            direction=Direction(event.text("Call-Direction")),
            is_answered=ended.answered_at is not None,
            cause=ended.cause,
            q850=ended.q850,
            sip_status=ended.sip_status,
            was_ringing=ended.ringing_at is not None,
        )
    )

    assert (found.status, found.reason) == (status, reason)


def test_a_failed_job_is_a_refusal_and_a_good_one_is_nothing():
    jobs = traces.load("originate-no-such-gateway.json").events("BACKGROUND_JOB")
    done = traces.load(ANSWERED).events("BACKGROUND_JOB")[0]

    refused = [fact(job) for job in jobs]

    assert [(type(item), item.cause) for item in refused if item] == [
        (Refused, "INVALID_GATEWAY"),
        (Refused, "CHAN_NOT_IMPLEMENTED"),
    ]
    assert fact(done) is None


def test_a_dump_of_a_living_channel_tells_when_it_rang_and_answered():
    dump = Event(
        {
            "Unique-ID": str(LEG),
            "Caller-Channel-Progress-Time": "1795431680274836",
            "Caller-Channel-Answered-Time": "1795431681294849",
        }
    )

    assert facts.alive(dump, at=NOW) == Alive(LEG, NOW, at(1795431680274836), at(1795431681294849))


@pytest.mark.parametrize(
    "headers",
    [
        {"Event-Name": "CHANNEL_ANSWER"},
        {"Event-Name": "CHANNEL_ANSWER", "Unique-ID": "no-uuid"},
        {"Event-Name": "HEARTBEAT", "Unique-ID": str(LEG)},
        {"Event-Name": "BACKGROUND_JOB", "Job-UUID": "my-own-job-id-0001"},
    ],
)
def test_what_is_not_about_a_leg_means_nothing(headers: dict[str, str]):
    assert fact(Event(dict(headers))) is None


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "9" * 30, "1795431461854842x", "٣"])
def test_a_time_that_is_none_is_replaced_by_the_time_of_receipt(text: str):
    event = Event(
        {"Event-Name": "CHANNEL_ANSWER", "Unique-ID": str(LEG), "Caller-Channel-Answered-Time": text},
    )

    assert fact(event) == Answered(LEG, NOW)


@pytest.mark.parametrize("cause", ["normal clearing", "X\nY", "A" * 49, "", "'; DROP TABLE calls"])
def test_a_cause_that_is_no_name_is_dropped(cause: str):
    event = Event({"Event-Name": "CHANNEL_HANGUP_COMPLETE", "Unique-ID": str(LEG), "Hangup-Cause": cause})

    ended = fact(event)

    assert isinstance(ended, Ended)
    assert ended.cause == ""
