"""Where a widget may stand: its domain allow-list, and the five-minute token that proves a page was allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing

from chat.models import Widget
from common.errors import Forbidden

EMBED_TOKEN_SECONDS = 300


def origin_allowed(widget: Widget, origin: str) -> bool:
    """Say whether a page of `origin` (`https://shop.example:8443`) may show the widget. No list: any may; our own always."""
    if not widget.domains_whitelist or origin == _origin(settings.IRISX_BASE_URL):
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    host = (parts.hostname or "").lower()
    return any(_matches(entry.strip().lower(), host, parts.netloc.lower()) for entry in widget.domains_whitelist)


def _matches(entry: str, host: str, netloc: str) -> bool:
    """Say whether an entry names a host at any port or, when the entry has a port, at that one."""
    if entry.startswith("*."):
        return host.endswith(entry[1:]) or netloc.endswith(entry[1:])
    return entry in {host, netloc}


def origin_of(headers: Mapping[str, str]) -> str:
    """Return the asking page's origin.

    Browsers send no Origin with a GET to the page's own origin (Fetch, section 3.2): then the Referer names the page, which
    only the browser can have written beside `Sec-Fetch-Site: same-origin`.
    """
    if origin := headers.get("Origin", ""):
        return origin
    if headers.get("Sec-Fetch-Site") != "same-origin":
        return ""
    return _origin(headers["Referer"]) if headers.get("Referer") else ""


def require_origin(widget: Widget, origin: str) -> None:
    """Raise Forbidden unless the origin is allowed."""
    if not origin_allowed(widget, origin):
        raise Forbidden(f"This widget may not stand on {origin[:200] or 'a page without origin'}.", code="wrong-origin")


def frame_ancestors(widget: Widget) -> list[str]:
    """Return the CSP sources that may frame the widget's panel: an entry without a port stands for every port, as above."""
    if not widget.domains_whitelist:
        return ["*"]
    hosts = [entry if ":" in entry else f"{entry}:*" for entry in widget.domains_whitelist]
    return ["'self'", *(f"{scheme}://{host}" for host in hosts for scheme in ("https", "http"))]


def issue_embed_token(widget: Widget, origin: str) -> str:
    """Return a token that lets a page of this origin start conversations for five minutes."""
    return signing.dumps([widget.widget_key, origin], salt="embed")


@dataclass(frozen=True)
class Embedding:
    widget_key: str
    origin: str


def read_embed_token(token: str) -> Embedding:
    """Return what an embed token says; raise Forbidden when it is forged or older than five minutes."""
    try:
        key, origin = signing.loads(token, salt="embed", max_age=EMBED_TOKEN_SECONDS)
    except signing.SignatureExpired as error:
        raise Forbidden("The embed token is older than five minutes.", code="embed-token-expired") from error
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise Forbidden("The embed token is not ours.", code="embed-token-invalid") from error
    return Embedding(str(key), str(origin))


def require_embedding(widget: Widget, token: str, page_url: str) -> None:
    """Raise Forbidden unless the token is this widget's, its origin still allowed, and the page of that origin."""
    embedding = read_embed_token(token)
    if embedding.widget_key != widget.widget_key:
        raise Forbidden("The embed token belongs to another widget.", code="embed-token-invalid")
    require_origin(widget, embedding.origin)
    if page_url and _origin(page_url) != embedding.origin:
        raise Forbidden("The page is not of the origin the embed token was issued to.", code="wrong-origin")


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"
