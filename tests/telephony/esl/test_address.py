"""FREESWITCH_URL."""

import pytest

from telephony.esl.address import NodeAddress, parse_url
from telephony.esl.errors import BadAddress


def test_one_node_with_the_bare_password():
    assert parse_url("esl://:ClueCon@127.0.0.1:8021") == NodeAddress("127.0.0.1", 8021, "ClueCon")


def test_a_user_and_an_encoded_password():
    node = parse_url("esl://irisx%40pbx:a%40b%2Cc@switch.example:8021")

    assert (node.user, node.password, node.port) == ("irisx@pbx", "a@b,c", 8021)


def test_an_ipv6_address():
    assert parse_url("esl://:x@[::1]:8021").host == "::1"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tcp://:x@a:1",
        "esl://",
        "esl://:x@a:99999",
        "esl://:x@a:1,b:2",
        "esl://:x@a:0",
        "esl://:x@a",
        "esl://:a%0Ab@c:1",
        "esl://:x@a b:1",
    ],
)
def test_anything_else_is_refused_without_showing_the_password(url: str):
    with pytest.raises(BadAddress) as refused:
        parse_url(url)

    assert ":x@" not in str(refused.value)


def test_the_password_is_not_in_the_repr():
    assert "secret" not in repr(parse_url("esl://:secret@a:1"))
