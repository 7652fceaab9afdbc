"""Two companies with conversations, as a database looks that has been used for a while."""

from datetime import timedelta
from uuid import UUID

from django.db import connections

from accounts.tenancy import tenant_scope
from chat.models import Conversation, Visitor, Widget
from tests.conftest import ApiClient
from tests.factories import NOW, Company, make_company

CONVERSATIONS = 3_000
MESSAGES = 50


def seed() -> tuple[Company, UUID]:
    """Return Acme and the id of one conversation of hers that has messages."""
    acme = make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")
    globex = make_company("Globex", owner="Mallory", agent="Mark", finance="Max")
    first, _ = fill(acme), fill(globex)
    talk(acme, first)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")
    return acme, first


def fill(company: Company) -> UUID:
    """Store the conversations of one company; return the id of the first."""
    tenant = company.tenant
    with tenant_scope(tenant.pk):
        widget = Widget.objects.for_tenant(tenant).get()
        visitors = [Visitor(tenant=tenant, name=f"Visitor {n}", last_seen_at=NOW) for n in range(CONVERSATIONS)]
        times = [NOW - timedelta(minutes=n) for n in range(CONVERSATIONS)]
        Visitor.objects.bulk_create(visitors)
        rows = [
            Conversation(tenant=tenant, widget=widget, visitor=visitor, created_at=at, last_message_at=at)
            for visitor, at in zip(visitors, times, strict=True)
        ]
        Conversation.objects.bulk_create(rows)
    return rows[0].pk


def talk(company: Company, conversation_id: UUID) -> None:
    """Send messages over HTTP."""
    client = ApiClient(company.api_key)
    for number in range(MESSAGES):
        body = {"conversation_id": f"cc_{conversation_id.hex}", "client_message_id": f"m{number}", "text": "Hello"}
        answer = client.post("/v1/chat/message/send", body)
        assert answer.status_code == 201, answer.content
