"""A hand on the visitor's wire: takes the answer away and keeps the socket cut for a while."""

import json
from typing import Any

from playwright.sync_api import BrowserContext, Request, Route, WebSocketRoute


class Wire:
    """Passes every frame through until `cut_after_next_send`.

    Then the next `message.send` still reaches the server, but no answer comes back: the socket closes. Until `mend`
    new sockets close at once and the log cannot be read: the visitor can't learn that the message was stored, so the
    panel must send it again. `is_live`: the newest socket is signed in, so that the panel sends by it.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.is_armed = self.is_cut = self.is_live = False
        self.frames_sent: list[dict[str, Any]] = []
        self.posts: list[dict[str, Any]] = []
        context.route_web_socket(lambda url: url.endswith("/ws/v1/visitor"), self._connected)
        context.route("**/v1/chat/conversation/*/events*", self._asked)
        context.on("request", self._requested)

    def cut_after_next_send(self) -> None:
        self.is_armed = True

    def mend(self) -> None:
        self.is_armed = self.is_cut = False

    def _connected(self, socket: WebSocketRoute) -> None:
        if self.is_cut:
            socket.close(code=1011)
            return
        self.is_live = False
        server = socket.connect_to_server()
        socket.on_message(lambda message: self._sent(message, server))
        server.on_message(lambda message: self._answered(message, socket))

    def _sent(self, message: str | bytes, server: WebSocketRoute) -> None:
        frame = json.loads(message)
        server.send(message)
        if frame["type"] == "message.send":
            self.frames_sent.append(frame)
            self.is_cut = self.is_armed

    def _answered(self, message: str | bytes, socket: WebSocketRoute) -> None:
        if self.is_cut:
            socket.close(code=1011)
            return
        self.is_live = self.is_live or json.loads(message)["type"] == "ready"
        socket.send(message)

    def _asked(self, route: Route) -> None:
        if self.is_cut:
            route.abort()
        else:
            route.continue_()

    def _requested(self, request: Request) -> None:
        if request.url.endswith("/message/send"):
            self.posts.append(request.post_data_json)
