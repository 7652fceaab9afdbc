"""Nothing a customer writes can break out of a command."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.esl import commands
from telephony.esl.commands import Command, Gateway, Loopback
from telephony.esl.errors import UnsafeValue

CHANNEL = UUID("02c41fcf-6391-4a80-8502-0f74d78c8ac9")
JOB = UUID("0fa7e4ae-3376-48ca-858a-05a311da84d3")
HOSTILE = [
    "',origination_uuid=x}${system(id)}",
    "1555\r\napi system id",
    "1555\n\nexit",
    "1555\x00",
    "$${domain}",
    "{a=b}",
    "1555,origination_uuid=x",
    "'1555'",
    '"1555"',
    "1555 &system(id)",
    "1555|sofia/gateway/other/1",
    "1555[leg_timeout=1]",
    "٣٣٣٣",
    "1555\u2028",
    "",
]


def dial(number: str = "+15550100203", gateway: str = "carrier", caller: str = "+15550109999") -> Command:
    return commands.originate(
        channel=CHANNEL, to=Gateway(gateway, number), caller_number=caller, ring_seconds=60, job=JOB
    )


def test_originate_is_the_line_the_switch_understands():
    limited = commands.originate(
        channel=CHANNEL,
        to=Gateway("carrier", "+15550100203"),
        caller_number="+15550109999",
        ring_seconds=60,
        time_limit_seconds=3600,
        job=JOB,
    )

    assert limited.wire() == (
        b"bgapi originate {origination_uuid=02c41fcf-6391-4a80-8502-0f74d78c8ac9,"
        b"origination_caller_id_number=15550109999,ignore_early_media=true,originate_timeout=60,"
        b"'execute_on_answer=sched_hangup +3600 ALLOTTED_TIMEOUT'}sofia/gateway/carrier/15550100203 &park\n"
        b"Job-UUID: 0fa7e4ae-3376-48ca-858a-05a311da84d3\n\n"
    )


def test_the_other_commands():
    assert commands.kill(CHANNEL).wire() == f"api uuid_kill {CHANNEL} NORMAL_CLEARING\n\n".encode()
    assert commands.exists(CHANNEL).wire() == f"api uuid_exists {CHANNEL}\n\n".encode()
    assert commands.dump(CHANNEL).wire() == f"api uuid_dump {CHANNEL} json\n\n".encode()
    assert commands.show_channels().wire() == b"api show channels as json\n\n"
    assert commands.subscribe(["HEARTBEAT", "DTMF"]).wire() == b"event json HEARTBEAT DTMF\n\n"
    assert commands.auth("ClueCon").wire() == b"auth ClueCon\n\n"
    assert commands.userauth("irisx@pbx", "s3cret").wire() == b"userauth irisx@pbx:s3cret\n\n"
    assert commands.leave().wire() == b"exit\n\n"


def test_a_command_shows_neither_numbers_nor_passwords():
    assert repr(commands.auth("ClueCon")) == "Command(auth)"
    assert repr(dial()) == "Command(bgapi)"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_refused_wherever_it_stands(text: str):
    for attempt in (
        lambda: dial(number=text),
        lambda: dial(gateway=text),
        lambda: dial(caller=text),
        lambda: commands.kill(CHANNEL, cause=text),
        lambda: commands.subscribe([text]),
        lambda: Loopback(text, "default").dial_string(),
        lambda: Loopback("9196", text).dial_string(),
    ):
        with pytest.raises(UnsafeValue):
            attempt()


@given(number=st.text(), gateway=st.text(), caller=st.text())
def test_whatever_is_accepted_keeps_its_place(number: str, gateway: str, caller: str):
    try:
        wire = dial(number, gateway, caller).wire().decode()
    except UnsafeValue:
        return
    line, job, *rest = wire.split("\n")
    assert (job, rest) == (f"Job-UUID: {JOB}", ["", ""])
    assert (line.count("{"), line.count("}"), line.count(","), line.count(" ")) == (1, 1, 3, 3)
    assert not set(line) & set("\r\0$'\"\\|<>[]`")


@given(st.text())
def test_a_password_never_ends_its_line(password: str):
    try:
        wire = commands.auth(password).wire()
    except UnsafeValue:
        return
    assert wire.count(b"\n") == 2
    assert b"\r" not in wire


@pytest.mark.parametrize("line", ["", "a\nb", "a\rb", "a\x00b", "a\n\n"])
def test_no_control_character_leaves_whoever_built_the_line(line: str):
    with pytest.raises(UnsafeValue):
        Command(line).wire()


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_times_out_of_range_are_refused(seconds: int):
    with pytest.raises(UnsafeValue):
        commands.originate(
            channel=CHANNEL, to=Gateway("carrier", "15550100203"), caller_number="1555", ring_seconds=seconds, job=JOB
        )
