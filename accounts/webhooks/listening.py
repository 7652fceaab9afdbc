"""A receiver on this machine, for development: an endpoint for as long as it runs, and every delivery printed."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Final
from uuid import UUID

import orjson

from accounts.tenancy import tenant_scope
from accounts.webhooks import endpoints, signing
from common.ids import encode

OURS: Final = "manage.py webhooks_listen"
MOST_BYTES: Final = 5 * 1024 * 1024
LOOK_EVERY_SECONDS: Final = 0.2
Write = Callable[[str], object]


def listen(
    *, tenant_id: UUID, event_types: Sequence[str], port: int, write: Write, stop: threading.Event, now: datetime
) -> None:
    """Serve on 127.0.0.1 until `stop` is set. Port 0: a free one. Raises OSError for a port in use, Invalid for unknown types.

    What a killed run left behind is removed at the start.
    """
    with HTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        with tenant_scope(tenant_id):
            endpoints.endpoints_of(tenant_id=tenant_id).filter(description=OURS).delete()
            endpoint, secret = endpoints.create_endpoint(
                tenant_id=tenant_id, url=url, event_types=event_types, description=OURS, now=now
            )
        server.RequestHandlerClass = _handler(signing.key_of(secret), write)
        server.timeout = LOOK_EVERY_SECONDS
        write(f"Listening at {url} as {encode('wh', endpoint.pk)}; the secret is {secret}")
        try:
            while not stop.is_set():
                server.handle_request()
        finally:
            with tenant_scope(tenant_id):
                endpoints.endpoints_of(tenant_id=tenant_id).filter(pk=endpoint.pk).delete()


def _handler(key: bytes, write: Write) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_POST(self) -> None:
            length = self.headers.get("content-length", "0")
            body = self.rfile.read(min(int(length) if length.isdigit() else 0, MOST_BYTES))
            write(_shown(body, dict(self.headers.items()), key))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing else."""

    return Handler


def _shown(body: bytes, headers: dict[str, str], key: bytes) -> str:
    given = {name.lower(): value for name, value in headers.items()}
    is_ours = signing.is_signed(
        id=given.get("webhook-id", ""),
        timestamp=given.get("webhook-timestamp", ""),
        signatures=given.get("webhook-signature", ""),
        body=body,
        key=key,
    )
    try:
        text = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        text = body.decode(errors="replace")
    verdict = "signature ok" if is_ours else "SIGNATURE WRONG"
    return f"{given.get('webhook-id', '(no webhook-id)')} at {given.get('webhook-timestamp', '?')}, {verdict}\n{text}"
