"""Every setting of IRISX that comes from the environment: its name, meaning, unit, default, and what would be right.

`.env.example` is printed from this table (`python -m irisx.env`), and `read` refuses to start on a wrong or unknown value.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from irisx import values
from irisx.values import boolean, folder, one_of, text, whole


class ConfigurationError(SystemExit):
    """Stop the start with one sentence: which variable, its value, what would be right."""


@dataclass(frozen=True)
class Variable:
    name: str
    parse: Callable[[str], Any]
    default: str | None
    help: str
    is_secret: bool = False


VARIABLES = (
    Variable(
        "SECRET_KEY",
        values.secret,
        None,
        "signs sessions, tickets and tokens; 50 random characters or more",
        is_secret=True,
    ),
    Variable(
        "IRISX_ENCRYPTION_KEYS",
        values.secrets,
        "",
        "encrypt stored secrets, the first new ones, 50 random characters or more each, separated by commas; empty: SECRET_KEY",
        is_secret=True,
    ),
    Variable("DEBUG", boolean, "false", "Django's debug pages; never true in production"),
    Variable("ALLOWED_HOSTS", values.words, "localhost,127.0.0.1,[::1]", "host names this installation answers to"),
    Variable(
        "DATABASE_URL",
        values.postgres,
        None,
        "PostgreSQL as the serving role (no superuser, not the owner)",
        is_secret=True,
    ),
    Variable(
        "DATABASE_MIGRATION_URL",
        values.optional(values.postgres),
        "",
        "PostgreSQL as the owner, for migrations; empty: DATABASE_URL",
        is_secret=True,
    ),
    Variable("DATABASE_POOL_SIZE", whole(1, 500), "10", "most connections a process keeps open"),
    Variable(
        "REDIS_URL",
        values.redis,
        None,
        "Valkey or Redis: channel layer, task queue, leases, rate limits",
        is_secret=True,
    ),
    Variable(
        "FREESWITCH_URL",
        values.switches,
        "",
        "Event Socket of each node: esl://[user]:password@host:port[,…]",
        is_secret=True,
    ),
    Variable(
        "FREESWITCH_WEB_PASSWORD",
        values.passwords,
        "",
        "what the switch signs in to /freeswitch/ with, as user freeswitch; several while changing it; empty: it may not",
        is_secret=True,
    ),
    Variable(
        "FREESWITCH_SIP_DOMAIN",
        values.hostname,
        "irisx.local",
        "the SIP domain (realm) of agents' telephones; another one makes every extension's password void",
    ),
    Variable(
        "EMAIL_URL",
        values.email,
        "consolemail://",
        "smtp+tls://user:password@host:587 sends; consolemail:// prints",
        is_secret=True,
    ),
    Variable("DEFAULT_FROM_EMAIL", text, "IRISX <no-reply@localhost>", "sender of every e-mail"),
    Variable("IRISX_BASE_URL", values.origin, "http://127.0.0.1:8000", "the address visitors and agents use"),
    Variable("IRISX_MEDIA_ROOT", folder, "media", "folder of uploaded and produced files"),
    Variable(
        "IRISX_STORAGE_URL",
        values.storage,
        "",
        "files in an S3-compatible bucket instead of IRISX_MEDIA_ROOT: s3://key:secret@endpoint/bucket?region=eu-central-1",
        is_secret=True,
    ),
    Variable("IRISX_UPLOAD_MOST_MB", whole(1, 1000), "100", "largest file anybody may send, whatever a widget allows"),
    Variable(
        "IRISX_TRUSTED_PROXIES",
        whole(0, 10),
        "0",
        "proxies in front of web, whose X-Forwarded-For entries are believed",
    ),
    Variable(
        "IRISX_GEOIP_DB", folder, "", "a MaxMind database (.mmdb) that tells visitors' country and city; empty: none"
    ),
    Variable(
        "IRISX_RATE_LIMITS",
        values.limits,
        "",
        "what replaces the defaults, e.g. visitor-writes=30/60,ip-starts=30/30 (at once / a minute); see docs/guides/widget.md",
    ),
    Variable(
        "IRISX_API_QUOTAS",
        boolean,
        "true",
        "hold API keys and access tokens to their plan's api_requests_per_minute; see docs/guides/api.md",
    ),
    Variable(
        "IRISX_USAGE_BACK_DAYS",
        whole(1, 366),
        "35",
        "days back that usage events are taken; keys are kept 90 days longer",
    ),
    Variable("IRISX_USAGE_AHEAD_MINUTES", whole(0, 1440), "5", "minutes ahead that usage events may lie"),
    Variable("IRISX_STATIC_ROOT", folder, "static", "folder collectstatic fills"),
    Variable(
        "IRISX_MAIL_DIR", folder, "", "when set, e-mails are kept here and shown at /inbox/ instead of being sent"
    ),
    Variable(
        "IRISX_DEMO", boolean, "false", "the demo: loopback addresses allowed, also by plain http; inbox page shown"
    ),
    Variable(
        "IRISX_OUTGOING_REFUSED",
        values.networks,
        "",
        "networks never called for customers, beside those that are not public: your own public ones, your NAT64's",
    ),
    Variable(
        "IRISX_METRICS_TOKEN",
        values.optional(values.secret),
        "",
        "what Prometheus sends to /metrics as its Bearer token, 50 random characters or more; empty: there is no /metrics",
        is_secret=True,
    ),
    Variable(
        "IRISX_RELEASE_KEY",
        values.optional(values.public_key),
        "",
        "public key this release's manifest must be signed with; empty: unsigned ones are believed; see docs/guides/releases.md",
    ),
    Variable("IRISX_LOG_LEVEL", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO", "least severe log line written"),
    Variable(
        "IRISX_INVOICE_GRACE_HOURS", whole(0, 720), "24", "hours a draft may be looked at before it becomes an invoice"
    ),
    Variable(
        "IRISX_REMINDER_DAYS",
        values.days_of(-60, 365),
        "-3,7,14",
        "days from its due date on which an unpaid invoice is reminded of, below 0 before it; empty: never",
    ),
    Variable(
        "IRISX_WORKER_STALE_SECONDS", whole(5, 3600), "30", "seconds of silence after which a worker counts as gone"
    ),
)
# Read by docker-compose.yml alone, which makes ALLOWED_HOSTS, IRISX_BASE_URL and the addresses above from them.
# (name, default, meaning); None: compose refuses to start without it.
COMPOSE: tuple[tuple[str, str | None, str], ...] = (
    ("DOMAIN", None, "host name of this installation; the proxy obtains its certificate"),
    ("POSTGRES_PASSWORD", None, "PostgreSQL's superuser, used once to create the roles; letters and digits"),
    ("POSTGRES_OWNER_PASSWORD", None, "the role irisx_owner, which migrates; letters and digits"),
    ("POSTGRES_APP_PASSWORD", None, "the role irisx_app, which serves; letters and digits"),
    ("VALKEY_PASSWORD", None, "Valkey's only user; letters and digits"),
    ("ESL_PASSWORD", None, "FreeSWITCH's Event Socket; letters and digits"),
    ("SWITCH_WEB_PASSWORD", None, "what FreeSWITCH signs in to web with; 16 random letters and digits or more"),
    ("APP_IMAGE", "irisx:latest", "name of the image that `docker compose build` makes and the services run"),
    ("FREESWITCH_IMAGE", "safarov/freeswitch:1.10.12", "image with FreeSWITCH 1.10 on its PATH"),
    ("SIP_PUBLIC_IP", "auto", "IP address the carriers reach FreeSWITCH at; auto: the container's own"),
    ("SIP_CARRIERS", "127.0.0.1/32", "whose calls FreeSWITCH takes: the carriers' networks, separated by commas"),
    ("WEB_CONCURRENCY", "2", "web processes"),
    ("WORKER_CONCURRENCY", "4", "tasks a worker runs at the same time"),
)


def read(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return every variable parsed, or raise ConfigurationError naming the first that is unknown, missing or wrong."""
    for _, problem in problems(environ):
        raise ConfigurationError(problem)
    return {variable.name: _value(variable, environ) for variable in VARIABLES}


def problems(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each variable that is unknown, missing or wrong, with the sentence that says so."""
    known = {variable.name for variable in VARIABLES}
    for name in sorted(environ):
        if name.startswith("IRISX_") and name not in known:
            yield name, f"{name} is not a setting of IRISX; see .env.example for those that are."
    for variable in VARIABLES:
        try:
            _value(variable, environ)
        except ConfigurationError as error:
            yield variable.name, str(error)


def _value(variable: Variable, environ: Mapping[str, str]) -> Any:
    raw = environ.get(variable.name, "").strip() or variable.default
    if raw is None:
        raise ConfigurationError(f"{variable.name} is not set; it must be: {variable.help}.")
    try:
        return variable.parse(raw)
    except ValueError as error:
        shown = "(hidden)" if variable.is_secret else repr(raw)
        raise ConfigurationError(f"{variable.name} is {shown}; right would be {error}.") from error


def example() -> str:
    """Return the text of `.env.example`."""
    ours = [(variable.name, variable.default, variable.help) for variable in VARIABLES]
    return "\n\n".join(
        [
            "# Every setting of IRISX. Commented lines show the default.",
            *(_entry(*entry) for entry in ours),
            "# --- For docker-compose.yml alone, which makes ALLOWED_HOSTS, IRISX_BASE_URL and the addresses from these ---",
            *(_entry(*entry) for entry in COMPOSE),
            "",
        ]
    ).removesuffix("\n")


def _entry(name: str, default: str | None, meaning: str) -> str:
    return f"# {meaning}\n{'' if default is None else '#'}{name}={default or ''}"


if __name__ == "__main__":
    print(example(), end="")  # noqa: T201 - printing is this module's command
