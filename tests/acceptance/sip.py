"""As much of SIP over UDP (RFC 3261) as a carrier and a telephone need in a test, in one small place."""

import asyncio
import hashlib
import re
from dataclasses import dataclass, field
from uuid import uuid4

REASONS = {
    180: "Ringing", 200: "OK", 403: "Forbidden", 404: "Not Found", 480: "Temporarily Unavailable", 486: "Busy Here",
    487: "Request Terminated", 503: "Service Unavailable", 603: "Decline",
}  # fmt: skip
COPIED = ("via", "from", "to", "call-id", "cseq", "record-route")


@dataclass
class Message:
    """A request or a response, its headers in order, names in lower case."""

    start: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    def get(self, name: str) -> str:
        return next((value for known, value in self.headers if known == name), "")

    @property
    def method(self) -> str:
        return "" if self.start.startswith("SIP/2.0") else self.start.split(" ")[0]

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1])

    @property
    def user(self) -> str:
        """Return whom a request is for."""
        found = re.search(r"sips?:([^@;>]*)@", self.start)
        return found[1] if found else ""

    def wire(self) -> bytes:
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers), f"content-length: {len(self.body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()


def parse(data: bytes) -> Message:
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Message(start, [header for header in headers if header[0] != "content-length"], body)


def reply(request: Message, status: int, *, tag: str, contact: str = "", body: str = "") -> Message:
    """Answer a request; a `To` without a tag gets ours."""
    headers = [header for header in request.headers if header[0] in COPIED]
    headers = [(n, f"{v};tag={tag}" if n == "to" and "tag=" not in v else v) for n, v in headers]
    if contact:
        headers.append(("contact", f"<{contact}>"))
    if body:
        headers.append(("content-type", "application/sdp"))
    return Message(f"SIP/2.0 {status} {REASONS[status]}", headers, body)


def sdp(host: str) -> str:
    """Offer or take one stream of PCMU, of which nobody sends anything."""
    lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", "m=audio 22000 RTP/AVP 0"]
    return "".join(f"{line}\r\n" for line in [*lines, "a=rtpmap:0 PCMU/8000"])


def digest(*, user: str, realm: str, password: str, method: str, uri: str, nonce: str) -> str:
    """Return the response of RFC 2617 without qop."""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    return md5(f"{md5(f'{user}:{realm}:{password}')}:{nonce}:{md5(f'{method}:{uri}')}")


class Endpoint(asyncio.DatagramProtocol):
    """A UDP socket that sends messages and hears them."""

    host = "127.0.0.1"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.host, self.port = transport.get_extra_info("sockname")[:2]
        self.heard: asyncio.Queue[Message] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.strip():  # a line break alone keeps a path open
            self.take(parse(data), addr)

    def take(self, message: Message, addr: tuple[str, int]) -> None:
        self.heard.put_nowait(message)

    def send(self, message: Message, to: tuple[str, int]) -> None:
        self.transport.sendto(message.wire(), to)  # type: ignore[attr-defined] # a datagram transport

    def via(self) -> tuple[str, str]:
        return ("via", f"SIP/2.0/UDP {self.host}:{self.port};rport;branch=z9hG4bK{uuid4().hex}")

    def contact(self) -> str:
        return f"sip:test@{self.host}:{self.port}"

    async def final(self) -> Message:
        """Wait for a response that ends a transaction."""
        async with asyncio.timeout(15):
            while (message := await self.heard.get()).method or message.status < 200:
                pass
        return message
