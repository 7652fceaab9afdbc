"""Origins of web pages, as browsers write them (RFC 6454, section 6.2). Pure."""

from urllib.parse import urlsplit

DEFAULT_PORTS = {"https": 443, "http": 80}
LOCAL = {"localhost", "127.0.0.1", "::1"}


def serialized(text: str) -> str | None:
    """Return an origin as a browser sends it; None for what is none, or may not be named.

    Only https, and http on this very machine: what a page got over http anybody on its way may have written.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii").lower()
    except (ValueError, UnicodeError):
        return None
    schemes = {"http", "https"} if host in LOCAL else {"https"}
    rest = (parts.path.strip("/"), parts.query, parts.fragment, parts.username, parts.password)
    if parts.scheme not in schemes or not host or any(rest):
        return None
    if not all(char.isalnum() or char in "-._:" for char in host):
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port in {None, DEFAULT_PORTS[parts.scheme]} else f":{port}")
