"""Call detail records in every wrapping the switch knows."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import facts
from telephony.cdr.reading import Unreadable, read
from tests.factories import NOW

TRACES = Path(__file__).resolve().parent.parent / "traces"
BODIES = sorted(TRACES.glob("json-cdr-*.body.json"))
ANSWERED = TRACES / "json-cdr-outbound-answered.body.json"


def wrappings(body: bytes) -> list[bytes]:
    encoded = base64.b64encode(body)
    folded = b"\n".join(encoded[at : at + 76] for at in range(0, len(encoded), 76))
    return [body, b"cdr=" + quote(body, safe="").encode(), b"cdr=" + encoded, b"cdr=" + folded, encoded]


@pytest.mark.parametrize("file", BODIES, ids=lambda file: file.name)
def test_every_recorded_record_reads_alike_in_every_wrapping(file: Path) -> None:
    raw = file.read_bytes()
    microseconds = int(json.loads(raw)["variables"]["billusec"])

    told = [facts.reported(read(body), received_at=NOW) for body in wrappings(raw)]

    assert told[0] is not None
    assert told == [told[0]] * len(told)
    answered, ended = told[0].answered_at, told[0].at
    assert (ended - answered if answered else timedelta()) == timedelta(microseconds=microseconds)


def test_there_are_as_many_recorded_as_expected() -> None:
    assert len(BODIES) == 12


def test_encoded_and_plain_values_read_alike() -> None:
    encoded = read(ANSWERED.read_bytes())
    plain = read((TRACES / "json-cdr-plain-values.body.json").read_bytes())

    assert encoded["sip_destination_url"] == "sip:15550100203@127.0.0.1:5090"
    assert encoded["proto_specific_hangup_cause"] == plain["proto_specific_hangup_cause"] == "sip:200"


@pytest.mark.parametrize("figure", ["nan", "-nan", "inf", "-Infinity", "NaN"])
def test_a_figure_without_a_value_hides_nothing(figure: str) -> None:
    body = ANSWERED.read_bytes().replace(b'"mos":4.5', f'"mos":{figure}'.encode())
    assert body != ANSWERED.read_bytes()

    assert read(body) == read(ANSWERED.read_bytes())


def test_a_word_in_a_text_stays_what_it_is() -> None:
    uuid = "99086159-f2c3-45e6-b9b3-0b526cc3af2a"
    body = json.dumps({"variables": {"uuid": uuid, "name": 'nan "nan", inf'}}).encode()

    assert read(body)["name"] == 'nan "nan", inf'


@pytest.mark.parametrize(
    "body", [b"", b"cdr=", b"{", b"[]", b"null", b"{}", b'{"variables":{}}', b'{"variables":{"uuid":"x"}}', b"\xff\xfe"]
)
def test_what_is_no_record_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_unreadable(body: bytes) -> None:
    for wrapped in (body, b"cdr=" + body, b"{" + body):
        try:
            read(wrapped)
        except Unreadable:
            continue
