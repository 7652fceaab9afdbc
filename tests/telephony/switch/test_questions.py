"""What the recorded switch posted."""

import pytest

from telephony.switch.questions import Question, read
from tests.telephony.switch.conftest import TRACES

RECORDED = sorted(TRACES.glob("xml-curl-dialplan-*.http.txt"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_reads_what_was_recorded(path) -> None:
    body = path.read_bytes().partition(b"\r\n\r\n")[2]
    dialled = path.name.split("-")[3].split(".")[0]

    assert read(body) == Question("dialplan", "", "", "", "", "public", dialled, "")


def test_all_of_them_are_here() -> None:
    assert len(RECORDED) == 5


@pytest.mark.parametrize("body", [b"", b"&&&=", b"\xff\xfe=%ff%zz", b"a=1&" * 20_000, b"section"])
def test_reads_anything(body: bytes) -> None:
    assert read(body) == Question("", "", "", "", "", "", "", "")


def test_what_the_switch_says_itself_counts_before_what_follows() -> None:
    found = read(b"section=directory&user=one&user=two&section=dialplan")
    assert (found.section, found.user) == ("directory", "one")


def test_only_who_signed_in_is_a_telephone() -> None:
    assert read(b"variable_user_name=acme-1").sip_user == ""
    assert read(b"variable_user_name=acme-1&variable_sip_authorized=true").sip_user == "acme-1"
