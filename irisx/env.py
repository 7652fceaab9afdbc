"""Every setting of IRISX that comes from the environment: its name, meaning, unit, default, and what would be right.

`.env.example` is printed from this table (`python -m irisx.env`), and `read` refuses to start on a wrong or unknown value.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class ConfigurationError(SystemExit):
    """Stop the start with one sentence: which variable, its value, what would be right."""


@dataclass(frozen=True)
class Variable:
    name: str
    parse: Callable[[str], Any]
    default: str | None
    help: str
    secret: bool = False


def text(value: str) -> str:
    return value


def boolean(value: str) -> bool:
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("true or false")


def words(value: str) -> list[str]:
    return [word.strip() for word in value.split(",") if word.strip()]


def whole(least: int, most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"\d+", value) or not least <= int(value) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(value)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.upper() not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return value.upper()

    return parse


def url(*schemes: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not (parts.netloc or parts.query or parts.path.strip("/")):
            raise ValueError("an address that begins with " + " or ".join(f"{scheme}://" for scheme in schemes))
        _ = parts.port  # raises ValueError on a port that is no number
        return value.rstrip("/") if "http" in schemes[0] else value

    return parse


def esl_urls(value: str) -> list[str]:
    example = "esl://[user]:password@host:port, several separated by commas"
    for address in words(value):
        parts = urlsplit(address)
        try:
            complete = parts.scheme == "esl" and parts.hostname and parts.port and parts.password
        except ValueError:
            complete = False
        if not complete:
            raise ValueError(example)
    return words(value)


def folder(value: str) -> Path | None:
    return Path(value).resolve() if value else None


POSTGRES = url("postgres", "postgresql")
REDIS = url("redis", "rediss", "unix")

VARIABLES = (
    Variable("SECRET_KEY", text, None, "signs sessions, tickets and tokens; 50 random characters or more", secret=True),
    Variable("DEBUG", boolean, "false", "Django's debug pages; never true in production"),
    Variable("ALLOWED_HOSTS", words, "localhost,127.0.0.1,[::1]", "host names this installation answers to"),
    Variable(
        "DATABASE_URL", POSTGRES, None, "PostgreSQL as the serving role (no superuser, not the owner)", secret=True
    ),
    Variable(
        "DATABASE_MIGRATION_URL", POSTGRES, "", "PostgreSQL as the owner, for migrations; empty: DATABASE_URL", True
    ),
    Variable("DATABASE_POOL_SIZE", whole(1, 500), "10", "most connections a process keeps open"),
    Variable("REDIS_URL", REDIS, None, "Valkey or Redis: channel layer, task queue, leases, rate limits", secret=True),
    Variable(
        "FREESWITCH_URL", esl_urls, "", "Event Socket of each node: esl://[user]:password@host:port[,…]", secret=True
    ),
    Variable(
        "EMAIL_URL", text, "consolemail://", "smtp+tls://user:password@host:587 sends; consolemail:// prints", True
    ),
    Variable("DEFAULT_FROM_EMAIL", text, "IRISX <no-reply@localhost>", "sender of every e-mail"),
    Variable("IRISX_BASE_URL", url("http", "https"), "http://127.0.0.1:8000", "the address visitors and agents use"),
    Variable("IRISX_MEDIA_ROOT", folder, "media", "folder of uploaded and produced files"),
    Variable("IRISX_STATIC_ROOT", folder, "static", "folder collectstatic fills"),
    Variable(
        "IRISX_MAIL_DIR", folder, "", "when set, e-mails are kept here and shown at /inbox/ instead of being sent"
    ),
    Variable("IRISX_DEMO", boolean, "false", "the demo: loopback addresses allowed, inbox page shown, plain http"),
    Variable(
        "IRISX_LOG_LEVEL", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO", "least severe log line that is written"
    ),
    Variable(
        "IRISX_WORKER_STALE_SECONDS", whole(5, 3600), "30", "seconds of silence after which a worker counts as gone"
    ),
)


def read(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return every variable parsed, or raise ConfigurationError naming the first that is unknown, missing or wrong."""
    known = {variable.name for variable in VARIABLES}
    for name in sorted(environ):
        if name.startswith("IRISX_") and name not in known:
            raise ConfigurationError(f"{name} is not a setting of IRISX; see .env.example for those that are.")
    return {variable.name: _value(variable, environ) for variable in VARIABLES}


def _value(variable: Variable, environ: Mapping[str, str]) -> Any:
    raw = environ.get(variable.name, "").strip() or variable.default
    if raw is None:
        raise ConfigurationError(f"{variable.name} is not set; it must be: {variable.help}.")
    if raw == "" and variable.default == "" and variable.parse not in (esl_urls, folder):
        return ""
    try:
        return variable.parse(raw)
    except ValueError as error:
        shown = "(hidden)" if variable.secret else repr(raw)
        raise ConfigurationError(f"{variable.name} is {shown}; right would be {_right(error, variable)}.") from error


def _right(error: ValueError, variable: Variable) -> str:
    message = str(error)
    return variable.help if "port" in message.lower() or "base 10" in message else message


def example() -> str:
    """Return the text of `.env.example`."""
    lines = ["# Every setting of IRISX. Commented lines show the default."]
    for variable in VARIABLES:
        lines += ["", f"# {variable.help}"]
        mark = "" if variable.default is None else "#"
        lines.append(f"{mark}{variable.name}={variable.default or ''}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(example(), end="")  # noqa: T201 - printing is this module's command
