"""The desk with the server's part played by the test: states and lists no demo can be brought into at will.

Page, scripts and styles are the real ones, under the policy real pages carry.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, Route, WebSocketRoute

from tests.browser.people import Agent

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (ROOT / "common/ui/static", ROOT / "chat/static")
ORIGIN, SOCKET = "https://desk.test", "wss://desk.test/ws/v1/agent"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    f"connect-src 'self' {SOCKET}"
)
BOB = {"id": "us_b", "name": "Bob"}
ALICE = {"id": "us_a", "name": "Alice"}
AGENT = ("chat.read", "chat.reply", "presence")
NOW = datetime.now(UTC)


def ago(**span: float) -> str:
    """Return a moment before the tests began, as the API writes it."""
    return (NOW - timedelta(**span)).isoformat().replace("+00:00", "Z")


def row(number: int, **fields: Any) -> dict[str, Any]:
    """Return the row of an open chat that nobody has yet."""
    text = {"text": f"Question {number}", "message_type": "text", "file_name": "", "sender_type": "visitor"}
    known: dict[str, Any] = {
        "id": f"cc_{number}",
        "version": 1,
        "status": "active",
        "visitor": {"id": f"vi_{number}", "name": f"Visitor {number}", "email": "", "is_verified": False},
        "agent": None,
        "assigned_at": None,
        "accepted_at": None,
        "queued_at": ago(minutes=3),
        "waiting_since": ago(minutes=3),
        "is_offline": False,
        "labels": [],
        "page_url": "https://shop.test/bikes",
        "page_title": "Bikes",
        "referrer": "https://search.test/?q=bikes",
        "widget_name": "Acme",
        "answer_seconds": 60,
        "created_at": ago(minutes=4),
        "first_response_at": None,
        "last_message_at": ago(minutes=3),
        "closed_at": None,
        "message_count": 1,
        "unread_count": 1,
        "last_message": {**text, "created_at": ago(minutes=3)},
        "rating": None,
        "feedback": "",
        "last_seq": 1,
        "visitor_read_seq": 0,
        "agent_read_seq": 0,
        "visitor_delivered_seq": 0,
        "agent_delivered_seq": 0,
    }
    return known | fields


def taken(by: dict[str, str] = BOB, **fields: Any) -> dict[str, Any]:
    """Return what makes a row somebody's, taken up."""
    return {"agent": by, "queued_at": None, "assigned_at": ago(minutes=2), "accepted_at": ago(minutes=2), **fields}


def offered(**fields: Any) -> dict[str, Any]:
    """Return what makes a row an offer to Bob, just made."""
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"agent": BOB, "queued_at": None, "assigned_at": moment, "accepted_at": None, **fields}


class DeskStage:
    """The page and the server. `asked` is every request (method, path, body), `heard` every frame of the desk."""

    def __init__(
        self,
        browser: Browser,
        rows: Iterable[dict[str, Any]] = (),
        *,
        permissions: Iterable[str] = AGENT,
        **context: Any,
    ) -> None:
        self.agent = Agent(browser, **context)
        self.rows = {one["id"]: one for one in rows}
        self.logs = {key: [said(one["last_message"]["text"])] for key, one in self.rows.items()}
        self.permissions = list(permissions)
        self.asked: list[tuple[str, str, Any]] = []
        self.heard: list[dict[str, Any]] = []
        self.sockets: list[WebSocketRoute] = []
        self.answers: dict[str, Any] = {
            "labels": {"results": [{"id": "lb_1", "name": "vip", "color": "#b45309"}]},
            "canned-replies": {"results": []},
            "agents": {"results": [on_duty(ALICE, "online", 2), on_duty(BOB, "online", 1)]},
            "search": {"results": []},
            "agent/presence": {"status": "online", "active_chats": 1, "max_concurrent_chats": 5},
        }
        self.agent.context.route(f"{ORIGIN}/**", self._answer)
        self.agent.context.route_web_socket(SOCKET, self._connected)

    @property
    def page(self) -> Page:
        return self.agent.page

    def begin(self, fragment: str = "") -> Agent:
        self.page.goto(f"{ORIGIN}/desk/{fragment}")
        return self.agent

    def asked_for(self, path: str) -> list[Any]:
        """Return the bodies of the requests to a path of the chat API."""
        return [body for _, found, body in self.asked if found == path]

    def told(self, type: str) -> list[dict[str, Any]]:
        """Return the frames of a type that came from the desk."""
        return [frame for frame in self.heard if frame["type"] == type]

    # --- what happens on the other side

    def change(self, key: str, **fields: Any) -> dict[str, Any]:
        """Change a row, or bring a new one, and ring."""
        before = self.rows.get(key) or row(int(key[3:]), version=0)
        self.rows[key] = before | fields | {"version": before["version"] + 1}
        self.logs.setdefault(key, [said(before["last_message"]["text"])])
        self.frame("inbox", conversation=self.rows[key])
        return self.rows[key]

    def log(self, key: str, entry: dict[str, Any]) -> dict[str, Any]:
        """Append an event to a chat's log and ring."""
        self.logs[key].append(entry)
        stored = {"seq": len(self.logs[key]), "event": entry}
        self.frame("event", conversation_id=key, **stored)
        return {"conversation_id": key, **stored}

    def mend(self, key: str, message: str, text: str) -> dict[str, Any]:
        """Give a message another text and ring."""
        payload = {"message_id": message, "text": text, "edited_at": ago()}
        return self.log(key, {"type": "edit", "occurred_at": ago(), "payload": payload})

    def frame(self, type: str, **fields: Any) -> None:
        for socket in self.sockets:
            socket.send(json.dumps({"v": 1, "type": type, **fields}))

    def hang_up(self, code: int) -> None:
        """Close every socket."""
        for socket in self.sockets:
            socket.close(code=code)
        self.sockets.clear()

    # --- the server

    def _answer(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        if url.path == "/desk/":
            return self._desk(route)
        if url.path.startswith("/static/"):
            return _static(route, url.path.removeprefix("/static/"))
        path = url.path.removeprefix("/v1/").removeprefix("chat/")
        body = route.request.post_data_json if route.request.post_data else None
        self.asked.append((route.request.method, path, body))
        answer = self._of(path, {key: value[0] for key, value in parse_qs(url.query).items()}, body)
        return route.fulfill(body=json.dumps(answer), content_type="application/json")

    def _desk(self, route: Route) -> None:
        desk = {
            "me": {**BOB, "permissions": self.permissions},
            "company": "Acme Bicycles",
            "widgets": {"Acme": {"max_file_size_mb": 10}},
            "now": datetime.now(UTC).isoformat(),
            "csrf": "csrf",
            "socket": SOCKET,
        }
        workplace = {"tenant": "Acme", "home": "/desk/", "name": "Bob", "email": "bob@acme.test", "role": "Agent"}
        page = render_to_string("chat/desk.html", {"desk": desk, "workplace": workplace})
        route.fulfill(body=page, content_type="text/html", headers={"Content-Security-Policy": POLICY})

    def _of(self, path: str, query: dict[str, str], body: Any) -> Any:
        if path in self.answers:
            answer = self.answers[path]
            return answer | body if path == "agent/presence" and body else answer
        if path == "auth/ticket":
            return {"ticket": "once"}
        if path == "agent/conversations":
            found = [one for one in self.rows.values() if one["status"] == query.get("status", one["status"])]
            return {"results": found, "next": None, "previous": None, "inbox": self._sum()}
        if path.startswith("visitors/"):
            return self._visitor(path.removeprefix("visitors/"))
        if path == "message/send":
            return self._sent(body)
        if path.endswith("/edit"):
            _, key, _, message, _ = path.split("/")
            return self.mend(key, unquote(message), body["text"])
        _, key, verb = path.split("/")
        if verb == "events":
            return self._events(key, int(query["after_seq"]))
        if verb == "note":
            return self.log(key, said(sender="agent", message_type="note", **body))
        return self._act(key, verb, body)

    def _act(self, key: str, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        changes: dict[str, dict[str, Any]] = {
            "accept": taken(),
            "close": {"status": "closed", "closed_at": ago()},
            "reopen": {"status": "active", "closed_at": None},
            "labels": {"labels": body.get("labels")},
            "transfer": taken(ALICE, accepted_at=None),
        }
        return self.change(key, **changes[verb])

    def _visitor(self, key: str) -> dict[str, Any]:
        mine = [one for one in self.rows.values() if one["visitor"]["id"] == key]
        past = row(900, status="closed", visitor=mine[0]["visitor"])
        visitor: dict[str, Any] = mine[0]["visitor"]
        return visitor | {
            "attributes": {"plan": "gold"},
            "pre_chat": {"Topic": "Repairs"},
            "language": "de",
            "location": {"country": "Germany", "city": "Berlin", "timezone": "Europe/Berlin"},
            "recent_pages": [{"url": "https://shop.test/repairs", "title": "Repairs", "at": ago(minutes=9)}],
            "is_online": True,
            "conversations": [*mine, past],
        }

    def _events(self, key: str, after: int) -> dict[str, Any]:
        log = self.logs[key]
        entries = [{"seq": at, "event": entry} for at, entry in enumerate(log, 1) if at > after]
        return {"conversation_id": key, "conversation": self.rows[key], "events": entries[:300], "head": len(log)}

    def _sent(self, sent: dict[str, Any]) -> dict[str, Any]:
        words = {key: sent[key] for key in ("client_message_id", "text")}
        return self.log(sent["conversation_id"], said(sender="agent", **words))

    def _sum(self) -> dict[str, int]:
        active = [one for one in self.rows.values() if one["status"] == "active"]
        return {"open": len(active), "versions": sum(one["version"] for one in active)}

    def _connected(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda text: self._heard(socket, json.loads(text)))

    def _heard(self, socket: WebSocketRoute, frame: dict[str, Any]) -> None:
        self.heard.append(frame)
        answer: dict[str, Any] = {"type": "ack"}
        if frame["type"] == "auth":
            now = datetime.now(UTC).isoformat()
            answer = {"type": "ready", "epoch": "1", "ping_seconds": 25, "inbox": self._sum(), "now": now}
        elif frame["type"] in {"subscribe", "events.get"}:
            answer = {"type": "events", **self._events(frame["conversation_id"], frame["after_seq"])}
        elif frame["type"] == "message.send":
            answer = {"type": "ack", **self._sent(frame)}
        elif "id" not in frame:
            return
        socket.send(json.dumps({"v": 1, "id": frame.get("id"), **answer}))


def said(text: str, sender: str = "visitor", **fields: Any) -> dict[str, Any]:
    """Return the event of a message."""
    message = {
        "id": f"cm_{text}",
        "client_message_id": f"m-{text}",
        "sender_type": sender,
        "sender_id": BOB["id"] if sender == "agent" else "vi_1",
        "sender_name": "Bob" if sender == "agent" else "Visitor",
        "message_type": "text",
        "text": text,
        "attachment": None,
        "created_at": ago(minutes=3),
        **fields,
    }
    return {"type": "message", "occurred_at": message["created_at"], "payload": {"message": message}}


def on_duty(agent: dict[str, str], status: str, chats: int) -> dict[str, Any]:
    """Return somebody as `GET /agents` tells of them."""
    return {**agent, "status": status, "active_chats": chats, "max_concurrent_chats": 5}


def _static(route: Route, name: str) -> None:
    file = next((folder / name for folder in SOURCES if (folder / name).is_file()), None)
    if file is None:
        return route.fulfill(status=404)
    return route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
