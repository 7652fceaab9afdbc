"""Read header blocks as FreeSWITCH writes them."""

from urllib.parse import unquote

from telephony.esl.protocol.messages import Headers

_ARRAY_MARK = "ARRAY::"
_ARRAY_SEPARATOR = "|:"


def header_lines(block: bytes) -> Headers:
    """Split a block into its headers, values as sent; lines without a colon are dropped.

    Lines are split before anything is decoded: a `%0A` inside a value can't forge a header.
    """
    headers: Headers = {}
    for line in block.decode("utf-8", "replace").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip()] = value.strip(" \r")
    return headers


def percent_decoded(headers: Headers) -> Headers:
    """Decode the values of an event's headers; `+` stays a plus."""
    return {name: event_value(value) if isinstance(value, str) else value for name, value in headers.items()}


def event_value(raw: str) -> str | list[str]:
    """Decode one value of a plain or XML event, an array into a list.

    FreeSWITCH doesn't escape `|:` inside an element, so such an element arrives as two.
    """
    value = unquote(raw) if "%" in raw else raw
    if value.startswith(_ARRAY_MARK):
        return value.removeprefix(_ARRAY_MARK).split(_ARRAY_SEPARATOR)
    return value
