"""The parts of one demo, embedded or given, and the environment that tells IRISX where they are."""

from collections.abc import Mapping
from dataclasses import dataclass

from irisx.local.errors import StartError
from irisx.local.ports import LOOPBACK
from irisx.local.postgres import Cluster
from irisx.local.processes import MARKER
from irisx.local.roles import DATABASE, OWNER, SERVING
from irisx.local.servers import cluster_in, valkey_in
from irisx.local.state import StateDirectory
from irisx.local.valkey import Valkey

REPLACEMENTS = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL", "simulator": "FREESWITCH_URL"}


@dataclass(frozen=True)
class Parts:
    """Where everything of one demo is; a server that is not embedded is None."""

    base_url: str
    database_url: str
    migration_url: str
    redis_url: str
    freeswitch_url: str
    cluster: Cluster | None
    valkey: Valkey | None


def is_given(name: str, environ: Mapping[str, str]) -> bool:
    """Tell whether the environment names a server to use instead of the embedded part."""
    return bool(environ.get(REPLACEMENTS.get(name, "")))


def check_given(environ: Mapping[str, str]) -> None:
    """Refuse half an answer."""
    if environ.get("DATABASE_MIGRATION_URL") and not environ.get("DATABASE_URL"):
        raise StartError("DATABASE_MIGRATION_URL is set without DATABASE_URL: set both, or neither.")


def assemble(
    *, state: StateDirectory, ports: Mapping[str, int], secrets: Mapping[str, str], environ: Mapping[str, str]
) -> Parts:
    """Decide for each part between the server that is given and our own."""
    cluster = valkey = None
    if not is_given("postgres", environ):
        cluster = cluster_in(state.path, port=ports["postgres"], passwords=secrets)
    if not is_given("valkey", environ):
        valkey = valkey_in(state.path, port=ports["valkey"], password=secrets["valkey"])
    simulator = f"esl://:{secrets['freeswitch']}@{LOOPBACK}:{ports.get('simulator')}"
    return Parts(
        base_url=f"http://{LOOPBACK}:{ports['web']}",
        database_url=cluster.url(role=SERVING, database=DATABASE) if cluster else environ["DATABASE_URL"],
        migration_url=(
            cluster.url(role=OWNER, database=DATABASE) if cluster else environ.get("DATABASE_MIGRATION_URL", "")
        ),
        redis_url=valkey.url if valkey else environ["REDIS_URL"],
        freeswitch_url=environ.get("FREESWITCH_URL") or simulator,
        cluster=cluster,
        valkey=valkey,
    )


def demo_environment(
    *, state: StateDirectory, parts: Parts, secrets: Mapping[str, str], environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of every program of the demo."""
    ours = {
        "SECRET_KEY": secrets["secret_key"],
        "FREESWITCH_WEB_PASSWORD": secrets["freeswitch"],
        "IRISX_MEDIA_ROOT": str(state.media),
        "IRISX_MAIL_DIR": str(state.mail),
        "IRISX_STATIC_ROOT": str(state.static),
    }
    fixed = {
        "DJANGO_SETTINGS_MODULE": "irisx.settings",
        "DATABASE_URL": parts.database_url,
        "DATABASE_MIGRATION_URL": parts.migration_url,
        "REDIS_URL": parts.redis_url,
        "FREESWITCH_URL": parts.freeswitch_url,
        "IRISX_BASE_URL": parts.base_url,
        "IRISX_DEMO": "true",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        MARKER: str(state.path),
    }
    return {**ours, **environ, **fixed}
