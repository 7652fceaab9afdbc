"""The stage: a durable PostgreSQL and a Valkey of its own, a company with visitors in conversation, the peers' tables."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

from irisx.local.testservers import Servers, begin_session, end_session, own_valkey

PEER_TABLES = """
CREATE TABLE bench_conversations (id text PRIMARY KEY, last_seq bigint NOT NULL DEFAULT 0);
CREATE TABLE bench_messages (conversation_id text, seq bigint, client_message_id text, text text,
  created_at timestamptz DEFAULT now(), PRIMARY KEY (conversation_id, seq), UNIQUE (conversation_id, client_message_id));
GRANT ALL ON bench_conversations, bench_messages TO PUBLIC;
"""


@dataclass
class Stage:
    """What every contestant plays on."""

    database_url: str
    redis_url: str
    directory: Path
    agent: Any = None
    api_key: str = ""
    conversations: list[str] = field(default_factory=list)
    visitor_tokens: list[str] = field(default_factory=list)


@contextmanager
def set_up(conversations: int) -> Iterator[Stage]:
    """Start the servers, migrate, seed; stop everything afterwards."""
    servers = Servers()
    session = begin_session(servers, {}, is_durable=True)
    try:
        name = f"{session.template}_bench"
        redis_url = own_valkey(servers, session, name="bench")
        os.environ.update(session.environment(database=name, redis_url=redis_url))
        os.environ.update(
            {"DEBUG": "false", "IRISX_DEMO": "true", "IRISX_LOG_LEVEL": "ERROR", "DATABASE_POOL_SIZE": "10"}
        )
        os.environ["DJANGO_SETTINGS_MODULE"] = "irisx.settings"
        session.create_copy(name)
        with session.connect(database=name) as connection:
            connection.execute(PEER_TABLES)
        django.setup()
        stage = Stage(os.environ["DATABASE_URL"], redis_url, Path(session.directory))
        seed(stage, conversations)
        with session.connect(database=name) as connection:
            connection.cursor().executemany(
                "INSERT INTO bench_conversations (id) VALUES (%s)", [(one,) for one in stage.conversations]
            )
            connection.execute("ANALYZE")
        yield stage
    finally:
        end_session(session, servers)


def seed(stage: Stage, count: int) -> None:
    """Make Acme, its agent Bob, and visitors, each in an open conversation."""
    from django.utils import timezone

    from accounts.authentication import by_membership
    from accounts.tenancy import tenant_scope
    from accounts.tokens import issue_visitor_token
    from chat.models import Conversation, Visitor, Widget
    from common.ids import encode
    from tests.factories import make_company

    now = timezone.now()
    acme = make_company("Acme", owner="Alice", agent="Bob", finance="Fiona", now=now - timedelta(days=1))
    with tenant_scope(acme.tenant.pk):
        widget = Widget.objects.for_tenant(acme.tenant).get()
        visitors = [Visitor(tenant=acme.tenant, last_seen_at=now) for _ in range(count)]
        Visitor.objects.bulk_create(visitors)
        rows = [
            Conversation(
                tenant=acme.tenant, widget=widget, visitor=visitor, created_at=now, last_message_at=now,
                assigned_agent=acme.agent, assigned_at=now, accepted_at=now,
            )
            for visitor in visitors
        ]  # fmt: skip
        Conversation.objects.bulk_create(rows)
    stage.agent, stage.api_key = by_membership(acme.agent), acme.api_key
    stage.conversations = [encode("cc", row.pk) for row in rows]
    stage.visitor_tokens = [
        issue_visitor_token(tenant_id=acme.tenant.pk, visitor_id=visitor.pk, auth_version=1, now=now)[0]
        for visitor in visitors
    ]


def agent_tickets(stage: Stage, count: int) -> list[str]:
    """Issue tickets for sockets of Bob's, good for thirty seconds."""
    from accounts.tokens import issue_ticket

    return [issue_ticket(stage.agent) for _ in range(count)]


def install_peers(folder: Path) -> Path:
    """Install the peers from npm into a folder outside the repository; return it."""
    source = Path(__file__).parent / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "server.js"):
        (folder / name).write_text((source / name).read_text())
    if not (folder / "node_modules" / "socket.io").exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
    return folder
