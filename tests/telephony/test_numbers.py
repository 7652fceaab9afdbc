"""E.164."""

import pytest

from common.errors import Invalid
from telephony.numbers import e164


@pytest.mark.parametrize("text", ["+15550100200", "+1 555 010-0200", "+1 (555) 010-0200"])
def test_a_fictional_number_is_written_in_one_way(text: str):
    assert e164(text, pointer="/to") == "+15550100200"


@pytest.mark.parametrize("text", ["+4930123456", "+442079460000", "+819012345678"])
def test_other_countries_are_numbers_too(text: str):
    assert e164(text, pointer="/to") == text


HOSTILE = ["', origination_uuid=x}${system(id)}", "+15550100200,x=y", "+15550100200\r\napi system id"]


@pytest.mark.parametrize(
    "text", ["", "15550100200", "911", "+1", "+99999999999999999", "call +15550100200", "+15550100200 ext. 5", *HOSTILE]
)
def test_anything_else_is_refused(text: str):
    with pytest.raises(Invalid) as refused:
        e164(text, pointer="/to")

    assert refused.value.errors[0].pointer == "/to"
