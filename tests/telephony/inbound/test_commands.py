"""What is sent for calls that come in: exact lines, and nothing that could mean anything else."""

from uuid import UUID

import pytest

from telephony.esl import commands
from telephony.esl.commands import SipAddress, Telephone
from telephony.esl.errors import UnsafeValue

ONE, OTHER = UUID("0196f1d2-a4c8-7b3e-9d5f-0a1b2c3d4e5f"), UUID("0196f1d2-a4c8-7b3e-9d5f-0a1b2c3d4e60")
BROKEN_OUT = [
    "x}",
    "x,origination_uuid=y",
    "x y",
    "x\r\nexit",
    "${system(id)}",
    "x|error/USER_BUSY",
    "x'",
    "",
    "x@y@z",
    "x\0",
]


def test_every_command_is_one_line_of_its_own():
    lines = [
        commands.answer(ONE).line,
        commands.bridge(ONE, OTHER).line,
        commands.silence(ONE).line,
        commands.play_music(ONE).line,
        commands.play_music(ONE, position=2).line,
        commands.play_music(ONE, position=21).line,
    ]

    assert lines == [
        f"api uuid_answer {ONE}",
        f"api uuid_bridge {ONE} {OTHER}",
        f"api uuid_break {ONE} all",
        f"api uuid_broadcast {ONE} file_string://local_stream://moh aleg",
        f"api uuid_broadcast {ONE} file_string://ivr/ivr-you_are_number.wav!digits/2.wav!local_stream://moh aleg",
        f"api uuid_broadcast {ONE} file_string://local_stream://moh aleg",
    ]


def test_telephones_and_addresses_are_dialled_as_they_are():
    assert Telephone("101-5f2a9c01d4", "irisx.local").dial_string() == "user/101-5f2a9c01d4@irisx.local"
    assert SipAddress("sip:desk@pbx.example.com:5080").dial_string() == "sofia/external/sip:desk@pbx.example.com:5080"


@pytest.mark.parametrize("text", BROKEN_OUT)
def test_nothing_breaks_out_of_a_dial_string(text: str):
    for endpoint in (
        Telephone(text, "irisx.local"),
        Telephone("101", text),
        SipAddress(f"sip:{text}@pbx.example.com"),
        SipAddress(f"sip:desk@{text}"),
    ):
        with pytest.raises(UnsafeValue):
            endpoint.dial_string()
