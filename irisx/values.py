"""How a setting's text becomes a value. What is wrong raises ValueError, and its message says what would be right."""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

LEAST_SECRET = 50
LEAST_PASSWORD = 16  # letters and digits: it stands in an XML file and a shell variable too
ADDRESSINGS = {"path", "virtual"}
# Name → (burst, how many more a minute). A busy person stays well below: nobody types thirty messages at once and one a
# second after.
LIMITS = {
    "visitor-writes": (30, 60),
    "visitor-uploads": (10, 20),
    "visitor-changes": (30, 60),
    "widget-starts": (300, 1200),
    "ip-starts": (30, 30),
    "ip-uploads": (60, 120),
    "ip-widgets": (120, 240),
}
MAIL_SCHEMES = {"smtp", "smtp+tls", "smtp+ssl"}


def optional(parse: Callable[[str], str]) -> Callable[[str], str]:
    return lambda value: parse(value) if value else ""


def text(value: str) -> str:
    return value


def hostname(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", value) or len(value) > 200:
        raise ValueError("a host name in lower case, for example sip.example.com")
    return value


def boolean(value: str) -> bool:
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("true or false")


def secret(value: str) -> str:
    if len(value) < LEAST_SECRET:
        raise ValueError(f"{LEAST_SECRET} random characters or more")
    return value


def public_key(value: str) -> str:
    try:
        is_key = len(b64decode(value, validate=True)) == 32
    except ValueError:
        is_key = False
    if not is_key:
        raise ValueError("what `manage.py release manifest --key` printed: 32 bytes in base64")
    return value


def secrets(value: str) -> list[str]:
    found = [part.strip() for part in value.split(",") if part.strip()]
    if any(len(part) < LEAST_SECRET for part in found):
        raise ValueError(f"{LEAST_SECRET} random characters or more each, separated by commas")
    return found


def passwords(value: str) -> list[str]:
    found = [part.strip() for part in value.split(",") if part.strip()]
    if not all(re.fullmatch(f"[A-Za-z0-9]{{{LEAST_PASSWORD},200}}", part) for part in found):
        raise ValueError(f"{LEAST_PASSWORD} random letters and digits or more each, separated by commas")
    return found


def words(value: str) -> list[str]:
    found = [word.strip() for word in value.split(",") if word.strip()]
    if not found:
        raise ValueError("host names, separated by commas")
    return found


def whole(least: int, most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(value)

    return parse


def days_of(least: int, most: int) -> Callable[[str], list[int]]:
    """Return a parser of days, e.g. `-3,7,14`; empty: none."""

    def parse(value: str) -> list[int]:
        found = [word.strip() for word in value.split(",") if word.strip()]
        if not all(re.fullmatch(r"-?[0-9]{1,4}", word) and least <= int(word) <= most for word in found):
            raise ValueError(f"whole numbers from {least} to {most}, separated by commas")
        return sorted({int(word) for word in found})

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.upper() not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return value.upper()

    return parse


def folder(value: str) -> Path | None:
    return Path(value).resolve() if value else None


def postgres(value: str) -> str:
    right = "an address like postgres://user:password@host:5432/database"
    parts = _split(value, right)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ValueError(right)
    return value


def redis(value: str) -> str:
    right = "an address like redis://:password@host:6379/0, rediss://… or unix://…"
    parts = _split(value, right)
    if parts.scheme not in {"redis", "rediss", "unix"} or not (parts.netloc or parts.path.strip("/")):
        raise ValueError(right)
    return value


def origin(value: str) -> str:
    right = "an address like https://irisx.example.com, with nothing behind host and port"
    parts = _split(value.rstrip("/"), right)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise ValueError(right)
    return value.rstrip("/")


def email(value: str) -> str:
    right = "smtp+tls://user:password@host:587, smtp+ssl://…, smtp://… or consolemail://"
    parts = _split(value, right)
    if value != "consolemail://" and not (parts.scheme in MAIL_SCHEMES and parts.hostname):
        raise ValueError(right)
    return value


def switches(value: str) -> list[str]:
    right = "esl://[user]:password@host:port, several separated by commas"
    addresses = [address.strip() for address in value.split(",") if address.strip()]
    for parts in [_split(address, right) for address in addresses]:
        if not (parts.scheme == "esl" and parts.hostname and parts.port and parts.password):
            raise ValueError(right)
    return addresses


def storage(value: str) -> dict[str, Any]:
    """Return django-storages' options of an S3-compatible bucket; empty: the media folder."""
    if not value:
        return {}
    right = "s3://key:secret@endpoint[:port]/bucket[?region=…&prefix=…&scheme=http&addressing=virtual]"
    parts = _split(value, right)
    more = dict(parse_qsl(parts.query))
    bucket = parts.path.strip("/")
    scheme, addressing = more.pop("scheme", "https"), more.pop("addressing", "path")
    region, prefix = more.pop("region", None), more.pop("prefix", "")
    is_complete = parts.hostname and parts.username and parts.password and bucket and "/" not in bucket
    if (
        parts.scheme != "s3"
        or not is_complete
        or more
        or scheme not in {"http", "https"}
        or addressing not in ADDRESSINGS
    ):
        raise ValueError(right)
    return {
        "access_key": unquote(parts.username or ""),
        "secret_key": unquote(parts.password or ""),
        "bucket_name": bucket,
        "endpoint_url": f"{scheme}://{parts.netloc.rpartition('@')[2]}",
        "region_name": region,
        "location": prefix,
        "addressing_style": addressing,
        "signature_version": "s3v4",
        "default_acl": None,
        "file_overwrite": True,  # keys are random: no need to ask first whether one is taken
        "querystring_auth": True,
    }


def bucket_origin(storage: Mapping[str, Any]) -> str:
    """Return the origin a bucket's files are read from."""
    endpoint = str(storage["endpoint_url"])
    return (
        endpoint.replace("://", f"://{storage['bucket_name']}.")
        if storage["addressing_style"] == "virtual"
        else endpoint
    )


def limits(value: str) -> dict[str, tuple[int, int]]:
    """Return name → (burst, how many more a minute)."""
    right = "name=burst/per-minute pairs separated by commas, for example visitor-writes=30/60"
    found: dict[str, tuple[int, int]] = {}
    for entry in filter(None, (entry.strip() for entry in value.split(","))):
        match = re.fullmatch(r"([a-z-]+)=([1-9][0-9]{0,6})/([1-9][0-9]{0,6})", entry)
        if match is None or match[1] not in LIMITS:
            raise ValueError(f"{right}; the names are {', '.join(LIMITS)}")
        found[match[1]] = (int(match[2]), int(match[3]))
    return {**LIMITS, **found}


def networks(value: str) -> list[IPv4Network | IPv6Network]:
    """Return networks, e.g. `198.51.100.0/24,2001:db8::/32`; empty: none."""
    try:
        return [ip_network(word.strip()) for word in value.split(",") if word.strip()]
    except ValueError as error:
        raise ValueError("networks separated by commas, for example 198.51.100.0/24,2001:db8::/32") from error


def _split(value: str, right: str) -> SplitResult:
    """Split an address; a port that is no number shows only when it is read."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError as error:
        raise ValueError(right) from error
    return parts
