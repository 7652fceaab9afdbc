"""Decode the three formats an event can arrive in."""

import json
import re
from typing import Any
from xml.etree import ElementTree

import orjson

from telephony.esl.protocol.headers import event_value, header_lines, percent_decoded
from telephony.esl.protocol.messages import Event, Headers

_BLANK_LINE = re.compile(rb"\n\r?\n")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Undecodable(Exception):
    """The frame is whole, its content is not what its type promises."""


def event_from_plain(payload: bytes) -> Event:
    """Read `text/event-plain`: percent-encoded header lines, then a body counted by the inner Content-Length."""
    blank = _BLANK_LINE.search(payload)
    block, rest = (payload[: blank.start()], payload[blank.end() :]) if blank else (payload, b"")
    headers = percent_decoded(header_lines(block))
    length = headers.get("Content-Length", "")
    return Event(headers=headers, body=_announced_part(length if isinstance(length, str) else "", rest))


def event_from_json(payload: bytes) -> Event:
    """Read `text/event-json`: an object of strings and arrays, the body under `_body`."""
    headers = _json_object(payload)
    body = headers.pop("_body", "")
    return Event(headers=headers, body=body if isinstance(body, str) else "")


def event_from_xml(payload: bytes) -> Event:
    """Read `text/event-xml`: percent-encoded values below `headers`, the body beside it."""
    root = _xml_root(payload)
    block = root.find("headers")
    headers: Headers = {item.tag: event_value(item.text or "") for item in (block if block is not None else ())}
    # The switch indents the closing tag: what exceeds the announced length is not the body's.
    body = (root.findtext("body") or "").encode("utf-8", "replace")
    return Event(headers=headers, body=_announced_part(root.findtext("Content-Length") or "", body))


def _announced_part(length: str, body: bytes) -> str:
    if length.isascii() and length.isdigit() and len(length) < 12:
        body = body[: int(length)]
    return body.decode("utf-8", "replace")


def _json_object(payload: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(payload)
    except orjson.JSONDecodeError:
        found = _forgiving_json(payload)
    if not isinstance(found, dict):
        raise Undecodable("the JSON is no object")
    return found


def _forgiving_json(payload: bytes) -> object:
    """Read what orjson refuses: bytes that aren't UTF-8, lone surrogates, bare control characters."""
    try:
        return json.loads(payload.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError) as error:
        raise Undecodable(f"not JSON: {error}") from error


def _xml_root(payload: bytes) -> ElementTree.Element:
    if b"<!" in payload:
        # A switch sends no document type; refusing it also refuses every entity trick.
        raise Undecodable("the XML declares a document type")
    text = _NOT_IN_XML.sub("�", payload.decode("utf-8", "replace"))
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - document types, the way in for attacks, are refused above
    except (ElementTree.ParseError, ValueError) as error:
        raise Undecodable(f"not XML: {error}") from error
