"""A carrier whose behaviour the last four digits choose, a caller, and a telephone."""

import asyncio
import re
from contextlib import suppress
from uuid import uuid4

from tests.acceptance.sip import Endpoint, Message, digest, reply, sdp

# digits → (rings for seconds, then this status, then hangs up after seconds; None: never)
PLANS: dict[str, tuple[float | None, int, float | None]] = {
    "0200": (0.5, 200, None),
    "0203": (0.5, 200, 3.0),
    "0212": (0.0, 200, 1.0),
    "0180": (None, 0, None),
    "0480": (0.3, 480, None),
    "0603": (0.3, 603, None),
    "0403": (0.0, 403, None),
    "0404": (0.0, 404, None),
    "0486": (0.0, 486, None),
    "0503": (0.0, 503, None),
}


class Carrier(Endpoint):
    """Takes the calls a switch makes."""

    def __init__(self) -> None:
        self.calls: dict[str, asyncio.Task[None]] = {}
        self.invites: dict[str, Message] = {}

    def take(self, message: Message, addr: tuple[str, int]) -> None:
        key = message.get("call-id")
        if message.method == "INVITE" and key not in self.calls:
            self.invites[key] = message
            self.calls[key] = asyncio.create_task(self._behave(message, addr))
        elif message.method in {"BYE", "CANCEL"}:
            self.send(reply(message, 200, tag="carrier"), addr)
            if key in self.calls and message.method == "CANCEL":
                self.calls[key].cancel()
                self.send(reply(self.invites[key], 487, tag=key), addr)
        elif message.method == "OPTIONS":
            self.send(reply(message, 200, tag="carrier"), addr)

    async def _behave(self, invite: Message, addr: tuple[str, int]) -> None:
        with suppress(asyncio.CancelledError):
            rings, status, lasts = PLANS[invite.user[-4:]]
            tag = invite.get("call-id")
            if rings is None or rings:
                self.send(reply(invite, 180, tag=tag, contact=self.contact()), addr)
                await asyncio.sleep(3600 if rings is None else rings)
            if status != 200:
                self.send(reply(invite, status, tag=tag), addr)
                return
            self.send(reply(invite, 200, tag=tag, contact=self.contact(), body=sdp(self.host)), addr)
            if lasts is not None:
                await asyncio.sleep(lasts)
                self.send(self._bye(invite, tag), addr)

    def _bye(self, invite: Message, tag: str) -> Message:
        target = re.sub(r"^.*<([^>]+)>.*$", r"\1", invite.get("contact"))
        headers = [
            self.via(),
            ("from", f"{invite.get('to')};tag={tag}"),
            ("to", invite.get("from")),
            ("call-id", invite.get("call-id")),
            ("cseq", "1 BYE"),
            ("max-forwards", "70"),
        ]
        return Message(f"BYE {target} SIP/2.0", headers)


class Party(Endpoint):
    """Somebody who calls a switch, or registers there."""

    def request(self, method: str, uri: str, *, user: str, more: tuple[tuple[str, str], ...] = ()) -> Message:
        """Begin a dialog of our own."""
        headers = [
            self.via(),
            ("from", f"<sip:{user}@{self.host}:{self.port}>;tag={uuid4().hex[:8]}"),
            ("to", f"<{uri}>"),
            ("call-id", uuid4().hex),
            ("cseq", f"1 {method}"),
            ("max-forwards", "70"),
            ("contact", f"<sip:{user}@{self.host}:{self.port}>"),
            *more,
        ]
        return Message(f"{method} {uri} SIP/2.0", headers)

    def call(self, to: str, switch: tuple[str, int], *, user: str) -> Message:
        """Call a number at a switch and return the INVITE."""
        more = (("content-type", "application/sdp"),)
        invite = self.request("INVITE", f"sip:{to}@{switch[0]}:{switch[1]}", user=user, more=more)
        invite.body = sdp(self.host)
        self.send(invite, switch)
        return invite

    def acknowledge(self, invite: Message, final: Message, switch: tuple[str, int]) -> None:
        """End the transaction of a call that was refused."""
        headers = [header for header in invite.headers if header[0] in {"via", "from", "call-id", "max-forwards"}]
        number = invite.get("cseq").split(" ")[0]
        headers += [("to", final.get("to")), ("cseq", f"{number} ACK")]
        self.send(Message(invite.start.replace("INVITE", "ACK", 1), headers), switch)

    def cancel(self, invite: Message, switch: tuple[str, int]) -> None:
        """Give a call up that nobody answered."""
        headers = [header for header in invite.headers if header[0] in {"via", "from", "to", "call-id", "max-forwards"}]
        number = invite.get("cseq").split(" ")[0]
        self.send(
            Message(invite.start.replace("INVITE", "CANCEL", 1), [*headers, ("cseq", f"{number} CANCEL")]), switch
        )

    async def register(self, user: str, password: str, switch: tuple[str, int]) -> tuple[int, str]:
        """Register as a telephone does, by the challenge; return the last status and the realm."""
        uri = f"sip:{switch[0]}:{switch[1]}"
        first = self.request("REGISTER", uri, user=user, more=(("expires", "60"),))
        first.headers = [(n, f"<sip:{user}@{switch[0]}>" if n == "to" else v) for n, v in first.headers]
        self.send(first, switch)
        asked = (await self.final()).get("www-authenticate")
        realm, nonce = (re.search(rf'{name}="([^"]*)"', asked)[1] for name in ("realm", "nonce"))  # type: ignore[index]
        response = digest(user=user, realm=realm, password=password, method="REGISTER", uri=uri, nonce=nonce)
        proof = f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", algorithm=MD5'
        again = Message(first.start, [self.via(), *first.headers[1:], ("authorization", proof)])
        again.headers = [(n, "2 REGISTER" if n == "cseq" else v) for n, v in again.headers]
        self.send(again, switch)
        return (await self.final()).status, realm
