"""Write frames and events byte for byte as mod_event_socket does."""

from urllib.parse import quote
from xml.sax.saxutils import escape

import orjson

# switch_url_encode leaves these alone.
SAFE = "/!'(),"
FAREWELL = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"


def auth_request() -> bytes:
    """Return the greeting."""
    return b"Content-Type: auth/request\n\n"


def command_reply(text: str, **headers: str) -> bytes:
    """Return a reply without a body."""
    more = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
    return f"Content-Type: command/reply\nReply-Text: {text}\n{more}\n".encode()


def api_reply(body: str) -> bytes:
    """Return the reply to an api command."""
    return _with_body("Content-Type: api/response\n", body.encode())


def disconnect_notice() -> bytes:
    """Return the farewell."""
    return _with_body("Content-Type: text/disconnect-notice\n", FAREWELL.encode())


def rude_rejection() -> bytes:
    """Return what an address outside the access list hears."""
    return _with_body("Content-Type: text/rude-rejection\n", b"Access Denied, go away.\n")


def event(headers: dict[str, str], body: str, kind: str) -> bytes:
    """Return an event in one of the formats plain, json, xml."""
    payload = {"plain": _plain, "json": _json, "xml": _xml}[kind](headers, body)
    return f"Content-Length: {len(payload)}\nContent-Type: text/event-{kind}\n\n".encode() + payload


def _with_body(head: str, body: bytes) -> bytes:
    return f"{head}Content-Length: {len(body)}\n\n".encode() + body


def _plain(headers: dict[str, str], body: str) -> bytes:
    lines = "".join(f"{name}: {_encoded(value)}\n" for name, value in headers.items())
    length = f"Content-Length: {len(body.encode())}\n" if body else ""
    return f"{lines}{length}\n{body}".encode()


def _json(headers: dict[str, str], body: str) -> bytes:
    extra = {"Content-Length": str(len(body.encode())), "_body": body} if body else {}
    return orjson.dumps(headers | extra)


def _xml(headers: dict[str, str], body: str) -> bytes:
    lines = "".join(f"    <{name}>{escape(_encoded(value))}</{name}>\n" for name, value in headers.items())
    length = f"  <Content-Length>{len(body.encode())}</Content-Length>\n" if body else ""
    rest = f"{length}  <body>{escape(body)}  </body>\n" if body else ""
    return f"<event>\n  <headers>\n{lines}  </headers>\n{rest}</event>".encode()


def _encoded(value: str) -> str:
    return quote(value, safe=SAFE)
