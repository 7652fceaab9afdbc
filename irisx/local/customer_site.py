"""A demo customer's own website on its own origin, with the chat widget on every page.

Usage: python -m irisx.local.customer_site --port N --base-url URL --widget-key KEY

It knows IRISX only by the script tag any customer would paste, and sends a strict Content-Security-Policy, so that the
widget is seen to work under one.
"""

import argparse
import signal
import sys
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from irisx.local.ports import LOOPBACK

SHOP = Path(__file__).with_name("shop")
PAGES = {"/": "home.html", "/bikes": "bikes.html", "/workshop": "workshop.html", "/visit": "visit.html"}
STYLESHEET = "/shop.css"


def policy(base_url: str) -> str:
    """Return the Content-Security-Policy: our own pages, and from IRISX what the widget needs."""
    directives = {
        "default-src": "'none'",
        "script-src": base_url,
        "frame-src": base_url,
        "connect-src": base_url,
        "img-src": f"'self' {base_url}",
        "style-src": "'self'",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def render(page: str, *, base_url: str, widget_key: str) -> bytes:
    """Put a page's content between the shop's header and footer."""
    title, _, content = (SHOP / page).read_text(encoding="utf-8").partition("\n")
    frame = Template((SHOP / "frame.html").read_text(encoding="utf-8"))
    values = {"base_url": escape(base_url), "widget_key": escape(widget_key), "title": title, "content": content}
    return frame.substitute(values).encode()


class CustomerSite(ThreadingHTTPServer):
    """The shop's web server."""

    daemon_threads = True

    def __init__(self, *, port: int, base_url: str, widget_key: str) -> None:
        super().__init__((LOOPBACK, port), Handler)
        self.base_url = base_url
        self.widget_key = widget_key


class Handler(BaseHTTPRequestHandler):
    """Answer GET and HEAD for the few pages there are."""

    server: CustomerSite
    server_version = "Shop"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send a page or the stylesheet."""
        path = urlsplit(self.path).path.rstrip("/") or "/"
        if path == STYLESHEET:
            self._send(HTTPStatus.OK, "text/css; charset=utf-8", (SHOP / "shop.css").read_bytes())
        elif page := PAGES.get(path):
            self._send_page(HTTPStatus.OK, page)
        else:
            self._send_page(HTTPStatus.NOT_FOUND, "lost.html")

    def do_HEAD(self) -> None:
        """Send the same without the body."""
        self.do_GET()

    def log_message(self, format: str, *arguments: object) -> None:
        """Write one line of the log."""
        sys.stderr.write(f"{format % arguments}\n")

    def _send_page(self, status: HTTPStatus, page: str) -> None:
        body = render(page, base_url=self.server.base_url, widget_key=self.server.widget_key)
        self._send(status, "text/html; charset=utf-8", body)

    def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy(self.server.base_url))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m irisx.local.customer_site", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--base-url", required=True, help="where IRISX is")
    parser.add_argument("--widget-key", required=True, help="cw_…")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with CustomerSite(port=options.port, base_url=options.base_url, widget_key=options.widget_key) as site:
        print(f"The customer's site is at http://{LOOPBACK}:{options.port}/", flush=True)
        site.serve_forever()


if __name__ == "__main__":
    main()
