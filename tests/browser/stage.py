"""A customer's page with the widget on it, and the server's part played by the test: states no demo can be brought into at will.

Launcher, panel and styles are the real ones. The page carries a strict Content-Security-Policy with trusted types.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, Route, WebSocketRoute

from chat.panel import launcher_script
from tests.browser.people import Visitor

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (ROOT / "common/ui/static", ROOT / "chat/static")
SHOP, IRISX, KEY = "https://shop.test", "https://irisx.test", "cw_00000000000000000000000000000001"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
POLICY = (
    f"default-src 'none'; script-src {IRISX}; frame-src {IRISX}; connect-src {IRISX}; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
LOOK: dict[str, Any] = {
    "widget_key": KEY,
    "name": "Acme Bicycles",
    "primary_color": "#667eea",
    "widget_position": "bottom-right",
    "greeting_message": "Hello! How can we help you?",
    "offline_message": "We are away just now. Leave a message and we will answer.",
    "placeholder_text": "Type your message…",
    "show_agent_avatars": True,
    "auto_open": False,
    "auto_open_delay": 60,
    "show_launcher": True,
    "allow_file_upload": True,
    "max_file_size_mb": 1,
    "require_email": False,
    "pre_chat_fields": [],
    "agents_online": True,
    "is_open": True,
    "is_offline": False,
    "opens_at": None,
    "reply_seconds": 240,
}


class Stage:
    """The page and the server. `asked` is every request to the API, `heard` every frame from the panel."""

    def __init__(self, browser: Browser, *, tag: str = "", look: dict[str, Any] | None = None, **context: Any) -> None:
        self.visitor = Visitor(browser, **{"viewport": {"width": 1100, "height": 780}, **context})
        self.tag, self.look = tag, {**LOOK, **(look or {})}
        self.asked: list[tuple[str, str, Any]] = []
        self.heard: list[dict[str, Any]] = []
        self.answers: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        self.events: list[dict[str, Any]] = []
        self.status, self.number = "active", 1
        self.agent: dict[str, str] | None = None
        self.sockets: list[WebSocketRoute] = []
        self.visitor.context.route(f"{SHOP}/**", self._shop)
        self.visitor.context.route(f"{IRISX}/**", self._irisx)
        self.visitor.context.route_web_socket(f"{IRISX.replace('http', 'ws')}/ws/v1/visitor", self._connected)

    @property
    def page(self) -> Page:
        return self.visitor.page

    def begin(self) -> Visitor:
        self.page.goto(f"{SHOP}/")
        return self.visitor

    def asked_for(self, path: str) -> list[Any]:
        """Return the bodies of the requests to a path."""
        return [body for _, found, body in self.asked if found == path]

    # --- the customer's site

    def _shop(self, route: Route) -> None:
        body = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>'
            '<meta name="viewport" content="width=device-width">'
            f'<script async src="{IRISX}/widget.js" data-widget-key="{KEY}" {self.tag}></script>'
            '<main><h1>Shop</h1><button id="help">Help</button></main>'
        )
        route.fulfill(body=body, content_type="text/html", headers={"Content-Security-Policy": POLICY})

    # --- IRISX

    def _irisx(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path == "/widget.js":
            return route.fulfill(body=launcher_script(), content_type=TYPES[".js"])
        if path.startswith("/chat/panel/"):
            panel = {**self.look, "socket": f"{IRISX.replace('http', 'ws')}/ws/v1/visitor"}
            return route.fulfill(body=render_to_string("chat/panel.html", {"panel": panel}), content_type="text/html")
        if path.startswith("/static/"):
            return _static(route, path.removeprefix("/static/"))
        return self._api(route, path.removeprefix("/v1/chat/"))

    def _api(self, route: Route, path: str) -> None:
        request = route.request
        is_json = request.headers.get("content-type", "").startswith("application/json")
        body = request.post_data_json if is_json else None
        self.asked.append((request.method, path, body))
        waiting = self.answers.get(path)
        status, answer = waiting.pop(0) if waiting else self._answer(request.method, path, body)
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
        if "retry_after" in answer:
            headers["Retry-After"] = str(answer["retry_after"])
        route.fulfill(status=status, body=json.dumps(answer), content_type="application/json", headers=headers)

    def _answer(self, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        if path.startswith("widget/"):
            return 200, {**self.look, "embed_token": "embed", "panel_url": f"{IRISX}/chat/panel/{path[7:]}"}
        if path == "conversation/start":
            return 201, self._started()
        if path == "message/send":
            return 201, self._stored(body)
        if path.endswith("/events"):
            return 200, {"events": self.events, "head": len(self.events), "conversation": self.row()}
        if path.endswith("/edit"):
            return 200, self._mended(path.split("/")[-2], body["text"])
        if path.endswith("/close"):
            self.say_status("closed", by="visitor")
            return 200, self.row()
        if path.endswith("/rate"):
            return 200, {**self.row(), "rating": body["rating"]}
        return 200, {}

    def _started(self) -> dict[str, Any]:
        self.status = "active"
        return {
            "conversation_id": self.id,
            "visitor_id": "vi_1",
            "visitor_token": "vt_1",
            "status": "active",
            "last_seq": len(self.events),
            "socket": f"{IRISX.replace('http', 'ws')}/ws/v1/visitor",
        }

    def _stored(self, sent: dict[str, Any]) -> dict[str, Any]:
        message = {**said("visitor", sent.get("text") or "", "vi_1"), "client_message_id": sent["client_message_id"]}
        return {"conversation_id": self.id, **self._logged({"type": "message", "payload": {"message": message}})}

    def _mended(self, key: str, text: str) -> dict[str, Any]:
        self.mend(key, text)
        return {"conversation_id": self.id, "seq": 1, "message": {"id": key, "text": text, "edited_at": now()}}

    @property
    def id(self) -> str:
        return f"cc_{self.number}"

    def row(self) -> dict[str, Any]:
        return {"id": self.id, "status": self.status, "agent": self.agent, "rating": None, "last_seq": len(self.events)}

    # --- what the others do

    def say(self, text: str, *, name: str = "Bob", **more: Any) -> None:
        """Let an agent say something."""
        message = {**said("agent", text, "us_1"), "sender_name": name, **more}
        self._ring(self._logged({"type": "message", "payload": {"message": message}}))

    def mend(self, key: str, text: str) -> None:
        """Let somebody give a message another text."""
        payload = {"message_id": key, "text": text, "edited_at": now()}
        self._ring(self._logged({"type": "edit", "payload": payload}))

    def say_status(self, status: str, *, by: str) -> None:
        self.status = status
        self._ring(self._logged({"type": "status", "payload": {"status": status, "by": by}}))

    def frame(self, type: str, **fields: Any) -> None:
        for socket in self.sockets:
            socket.send(json.dumps({"v": 1, "type": type, "conversation_id": self.id, **fields}))

    def _logged(self, event: dict[str, Any]) -> dict[str, Any]:
        entry = {"seq": len(self.events) + 1, "event": {"occurred_at": now(), **event}}
        self.events.append(entry)
        return entry

    def _ring(self, entry: dict[str, Any]) -> None:
        self.frame("event", **entry)

    def _connected(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda text: self._heard(socket, json.loads(text)))

    def _heard(self, socket: WebSocketRoute, frame: dict[str, Any]) -> None:
        self.heard.append(frame)
        answer: dict[str, Any] | None = None
        if frame["type"] == "auth":
            answer = {"type": "ready", "epoch": "1", "ping_seconds": 25, "heads": {self.id: len(self.events)}}
        elif frame["type"] == "message.send":
            waiting = self.answers.get("message/send")
            refusal = waiting.pop(0) if waiting else None
            answer = {"type": "problem", "problem": refusal[1]} if refusal else {"type": "ack", **self._stored(frame)}
        elif frame["type"] == "events.get":
            answer = {"type": "events", "conversation_id": self.id, "events": self.events, "head": len(self.events)}
        if answer:
            socket.send(json.dumps({"v": 1, "id": frame.get("id"), **answer}))


def _static(route: Route, name: str) -> None:
    file = next((folder / name for folder in SOURCES if (folder / name).is_file()), None)
    if file is None:
        return route.fulfill(status=404)
    return route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])


def said(sender: str, text: str, sender_id: str) -> dict[str, Any]:
    """Return a message as the log carries it."""
    name = "Visitor" if sender == "visitor" else "Bob"
    return {
        "id": f"cm_{abs(hash((text, sender)))}",
        "sender_type": sender,
        "sender_id": sender_id,
        "sender_name": name,
        "message_type": "text",
        "text": text,
        "attachment": None,
        "created_at": now(),
    }


def now() -> str:
    """Return the time as the API writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
