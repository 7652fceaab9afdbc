"""The rules of the protocol, one by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.esl.protocol import (
    ApiReply,
    CommandReply,
    DisconnectNotice,
    Event,
    LogLine,
    Malformed,
    Message,
    OversizedFrame,
    Parser,
    RudeRejection,
)
from tests.telephony.esl import traces


def parse(*pieces: bytes) -> list[Message]:
    parser = Parser()
    return [message for piece in pieces for message in parser.feed(piece)]


def plain_event(payload: bytes) -> Event:
    (event,) = parse(b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(payload), payload))
    assert isinstance(event, Event)
    return event


def json_event(payload: bytes) -> Message:
    (message,) = parse(b"Content-Length: %d\nContent-Type: text/event-json\n\n%s" % (len(payload), payload))
    return message


def test_lengths_count_bytes_not_characters():
    body = "Zoë ☎".encode()

    messages = parse(b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(body), body) * 2)

    assert messages == [ApiReply("Zoë ☎"), ApiReply("Zoë ☎")]


def test_a_reply_without_a_newline_ends_where_its_length_says():
    reply = b"Content-Type: command/reply\nReply-Text: +OK\n\n"

    messages = parse(b"Content-Type: api/response\nContent-Length: 4\n\ntrue" + reply)

    assert messages == [ApiReply("true"), CommandReply("+OK", {"Content-Type": "command/reply", "Reply-Text": "+OK"})]


def test_percent_is_decoded_and_plus_stays():
    event = plain_event(b"Event-Name: CUSTOM\nX-Text: 1%2B1+1%20%C3%BC%0A\n\n")

    assert event.text("X-Text") == "1+1+1 ü\n"


def test_an_encoded_newline_forges_no_header():
    event = plain_event(b"Event-Name: CHANNEL_ANSWER\nvariable_name: Eve%0AUnique-ID%3A%20stolen\n\n")

    assert event.text("Unique-ID") == ""
    assert event.text("variable_name") == "Eve\nUnique-ID: stolen"


def test_arrays_are_lists_in_plain_and_json():
    plain = plain_event(b"Event-Name: X\nvariable_tags: ARRAY%3A%3Aalpha%7C%3Abeta,%20with%20comma\n\n")
    as_json = json_event(b'{"Event-Name":"X","variable_tags":["alpha","beta, with comma"]}')

    assert isinstance(as_json, Event)
    assert plain.values("variable_tags") == as_json.values("variable_tags") == ["alpha", "beta, with comma"]
    assert as_json.text("variable_tags") == "alpha"


def test_of_a_repeated_header_the_last_counts_in_every_format():
    assert plain_event(b"Hangup-Cause: A\nHangup-Cause: B\n\n").text("Hangup-Cause") == "B"
    assert json_event(b'{"Hangup-Cause":"A","Hangup-Cause":"B"}') == Event({"Hangup-Cause": "B"})


def test_the_inner_content_length_bounds_the_body():
    event = plain_event(b"Event-Name: BACKGROUND_JOB\nContent-Length: 4\n\n+OK\nrest that was never announced")

    assert event.body == "+OK\n"


def test_a_json_body_is_taken_out_of_the_headers():
    event = json_event(b'{"Event-Name":"BACKGROUND_JOB","_body":"-ERR USER_BUSY\\n"}')

    assert event == Event({"Event-Name": "BACKGROUND_JOB"}, "-ERR USER_BUSY\n")


@pytest.mark.parametrize(
    "payload",
    [b'{"Event-Name":"X","a":"\xff\xfe"}', b'{"Event-Name":"X","a":"\\ud800"}', b'{"Event-Name":"X","a":"\x01"}'],
)
def test_json_that_is_not_strict_is_still_an_event(payload: bytes):
    event = json_event(payload)

    assert isinstance(event, Event)
    assert event.name == "X"


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b"[" * 5000, b'"text"', b"\xff"])
def test_what_is_no_json_object_is_malformed_and_reading_goes_on(payload: bytes):
    message = json_event(payload)

    assert isinstance(message, Malformed)
    assert message.content_type == "text/event-json"


@pytest.mark.parametrize("payload", [b"<event>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><event/>", b"\xff"])
def test_broken_xml_is_malformed(payload: bytes):
    (message,) = parse(b"Content-Length: %d\nContent-Type: text/event-xml\n\n%s" % (len(payload), payload))

    assert isinstance(message, Malformed)


def test_an_unknown_content_type_is_malformed():
    assert parse(b"Content-Type: text/new\n\n") == [Malformed("text/new", "unknown content type")]


def test_a_rude_rejection_carries_the_switchs_words():
    assert traces.load("acl-rejected").messages() == [
        RudeRejection("Access Denied, go away."),
        DisconnectNotice("Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/"),
    ]


def test_a_lingering_notice_is_not_the_end():
    notices = [
        message
        for message in traces.load("outbound-socket-async-full-play-and-get-digits.plain").messages()
        if isinstance(message, DisconnectNotice)
    ]

    assert [(notice.is_final, notice.linger_seconds) for notice in notices] == [(False, 5), (True, 0)]


def test_the_answer_to_connect_is_a_decoded_dump():
    dump = traces.load("outbound-socket-async-full-play-and-get-digits.plain").messages()[0]

    assert isinstance(dump, CommandReply)
    assert dump.is_ok
    assert dump.headers["Caller-Caller-ID-Name"] == "Alice Caller"
    assert dump.headers["variable_sip_h_X-Trunk-Id"] == "trunk-7"


def test_log_lines_keep_their_level():
    lines = [m for m in traces.load("log-and-events-interleaved.plain").messages() if isinstance(m, LogLine)]

    assert [line.level for line in lines] == [5, 6, 5, 6, 6, 5, 6, 5, 5]


def test_plain_and_xml_events_say_the_same_as_json():
    busy = {kind: traces.load(name).events("CHANNEL_HANGUP_COMPLETE")[0] for kind, name in BUSY.items()}

    assert {event.text("Hangup-Cause") for event in busy.values()} == {"USER_BUSY"}
    assert busy["plain"].headers.keys() - OWN == busy["json"].headers.keys() - OWN
    assert busy["xml"].headers.keys() - OWN == busy["json"].headers.keys() - OWN


def test_an_xml_body_ends_where_its_length_says():
    (job,) = traces.load("event-xml.xml").events("BACKGROUND_JOB")

    assert job.body == "-ERR USER_BUSY\n"


BUSY = {"json": "originate-sip-486.json", "plain": "originate-sip-486.plain", "xml": "event-xml.xml"}
OWN = {"variable_origination_uuid"}


def test_crlf_line_ends_are_understood():
    assert parse(b"Content-Type: api/response\r\nContent-Length: 2\r\n\r\nok") == [ApiReply("ok")]


def test_an_endless_header_is_refused():
    with pytest.raises(OversizedFrame):
        parse(b"X: " + b"a" * (4 * 1024 * 1024 + 1))


def test_an_absurd_length_is_refused_after_what_was_whole():
    parser = Parser()

    assert len(parser.feed(b"Content-Type: auth/request\n\nContent-Length: 99999999999\n\n")) == 1
    with pytest.raises(OversizedFrame):
        parser.feed(b"")


def test_a_three_megabyte_event_passes():
    event = plain_event(b"Event-Name: CUSTOM\nX: " + b"a" * 3_000_000 + b"\n\n")

    assert len(event.text("X")) == 3_000_000


@given(st.lists(st.binary(max_size=400), max_size=8))
@settings(max_examples=300, deadline=None)
def test_no_bytes_crash_the_parser(pieces: list[bytes]):
    parse(*pieces)


FRAGMENTS = [
    b"Content-Type: text/event-json\n",
    b"Content-Type: text/event-plain\n",
    b"Content-Type: text/event-xml\n",
    b"Content-Type: command/reply\n",
    b"Content-Type: log/data\nLog-Level: 9\xb2\n",
    b"Content-Length: 12\n",
    b"content-length: -5\n",
    b"Reply-Text: +OK\n",
    b"Event-Name: %0A%\n",
    b"X: ARRAY::|:\n",
    b"\n",
    b"\r\n",
    b'{"a":["b"]}\n',
    b"<event><headers><a>%3</a></headers></event>",
    b"\xff\x00",
]


@given(st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=12), max_size=30), st.integers(1, 17))
@settings(max_examples=500, deadline=None)
def test_any_cut_of_any_mixture_gives_the_same_messages(parts: list[bytes], size: int):
    raw = b"".join(parts)

    assert parse(*(raw[at : at + size] for at in range(0, len(raw), size))) == parse(raw)
