"""What stands in a document after FreeSWITCH's preprocessor is what was written."""

from xml.etree.ElementTree import SubElement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.switch import document
from tests.telephony.switch.conftest import parsed


def written(text: str) -> bytes:
    root, section = document.section("directory")
    SubElement(section, "param", {"value": text})
    return document.write(root)


@pytest.mark.parametrize(
    "text",
    [
        "$${esl_password}",
        "${system(id)}",
        '<X-PRE-PROCESS cmd="exec" data="id"/>',
        'x-pre-process cmd="include"',
        "<!--#set a=b-->",
        "<?xml?>",
        "</section>\"'&",
        "Zoë\n$",
    ],
)
def test_nothing_is_left_for_the_preprocessor(text: str) -> None:
    body = written(text)

    assert b"$" not in body
    assert b"x-pre-process" not in body.lower()
    assert b"<!--" not in body
    assert b"<?" not in body
    assert parsed(body)[0][0].attrib == {"value": text}


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
def test_a_reader_finds_what_was_written(text: str) -> None:
    assert parsed(written(text))[0][0].attrib == {"value": text}


@pytest.mark.parametrize("text", ["\x00", "\x1b", "\ufffe", "\ud800"])
def test_refuses_what_xml_cannot_hold(text: str) -> None:
    with pytest.raises(document.Unwritable):
        written(text)


def test_not_found_is_the_answer_freeswitch_documents() -> None:
    assert document.NOT_FOUND == (
        b'<document type="freeswitch/xml"><section name="result"><result status="not found" /></section></document>'
    )
