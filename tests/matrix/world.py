"""Two companies with everything in them, and every kind of caller."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import services as accounts
from accounts.audit import SYSTEM
from accounts.exports import services as exports
from accounts.members import invitations
from accounts.members.services import Chief
from accounts.models import ApiKey, Membership, Tenant, User
from accounts.permissions import SCOPES, Role
from accounts.tenancy import system_access, tenant_scope
from billing.services import Credited, draft_invoice, finalize_invoice, issue_credit_note
from telephony.models import Call, IvrFlowVersion, IvrSession
from telephony.services import create_phone_number, create_trunk
from tests import factories
from tests.billing.helpers import buy_from, sell_from
from tests.chat.conftest import Chat, start_chat, widget_of
from tests.chat.files import picture, upload
from tests.conftest import ApiClient
from tests.usage.helpers import periods, record
from usage.services import close_period

MARK = "Acme-only-secret"


@dataclass
class World:
    """Acme's objects by the names routes use, and a client for each caller."""

    acme: factories.Company
    globex: factories.Company
    objects: dict[str, str]
    callers: dict[str, Callable[[], Client]] = field(default_factory=dict)


def build() -> World:
    """Make both companies, Acme's objects and all callers."""
    now = timezone.now()  # no months of empty billing periods between the start and what happens now
    acme = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona", now=now)
    globex = factories.make_company("Globex", owner="Mallory", agent="Mark", finance="Max", now=now)
    chat, closed = start_chat(acme, visitor_name=MARK), start_chat(acme, visitor_name=MARK)
    closed.visitor.post(f"/v1/chat/conversation/{closed.conversation_id}/close")
    objects = {
        "conversation": chat.conversation_id,
        "message": _said(chat, MARK),
        "closed": closed.conversation_id,
        "widget_key": widget_of(acme).widget_key,
        "visitor": chat.visitor_id,
        "attachment": _attached(chat),
        "label": _made(acme, "/v1/chat/labels", {"name": MARK}),
        "canned_reply": _made(acme, "/v1/chat/canned-replies", {"shortcut": "secret", "text": MARK}),
        "call": _call(acme),
        **_inbound(acme, now),
        "invoice": _invoice(acme),
        "credit_note": _credit_note(acme, now),
        "export": _made(acme, "/v1/billing/exports", {"kind": "invoices", "format": "csv", "number": ""}),
        "top_up": _made(acme, "/v1/billing/top-ups", {"amount": "50"}),
        **_webhook(acme),
        "member": f"mb_{factories.add_person(acme, MARK, Role.READ_ONLY).pk.hex}",
        "invitation": _invitation(acme, now),
        "api_key": _made(acme, "/v1/api-keys", {"name": MARK, "scopes": ["chat.read"]}),
        "user": f"us_{acme.agent.pk.hex}",
        "usage_event": _usage_event(acme),
        "usage_upload": _usage_upload(acme),
    }
    objects["tenant_export"] = _tenant_export(acme, now)
    world = World(acme, globex, objects)
    world.callers = _callers(world, chat, closed)
    return world


def _said(chat: Chat, text: str) -> str:
    body = {"conversation_id": chat.conversation_id, "client_message_id": "w1", "text": text}
    answer = chat.visitor.post("/v1/chat/message/send", body)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["event"]["payload"]["message"]["id"])


def _attached(chat: Chat) -> str:
    answer = upload(chat.visitor, chat, picture(), name=f"{MARK}.png")
    assert answer.status_code == 201, answer.content
    body = {"conversation_id": chat.conversation_id, "client_message_id": "w2", "attachment_id": answer.json()["id"]}
    assert chat.visitor.post("/v1/chat/message/send", body).status_code == 201
    return str(answer.json()["id"])


def _made(company: factories.Company, path: str, body: dict[str, Any]) -> str:
    answer = ApiClient(company.api_key).post(path, body)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def _webhook(company: factories.Company) -> dict[str, str]:
    endpoint = _made(company, "/v1/webhooks", {"url": "https://hooks.example.com/", "description": MARK})
    answer = ApiClient(company.api_key).post(f"/v1/webhooks/{endpoint}/test")
    assert answer.status_code == 202, answer.content
    return {"webhook": endpoint, "delivery": str(answer.json()["id"])}


def _invitation(company: factories.Company, now: datetime) -> str:
    guest = invitations.Guest(f"{MARK.lower()}@acme.example", Role.AGENT, MARK)
    by = Chief(SYSTEM, may_touch_owners=True)
    with tenant_scope(company.tenant.pk):
        made = invitations.keep_places(tenant_id=company.tenant.pk, guests=[guest], by=by, now=now)
    return f"iv_{made[0].pk.hex}"


def _tenant_export(company: factories.Company, now: datetime) -> str:
    with tenant_scope(company.tenant.pk):
        state, _ = exports.request_export(tenant_id=company.tenant.pk, user_id=company.owner.pk, actor=SYSTEM, now=now)
    exports.make_archive(tenant_id=company.tenant.pk, export_id=state.export.pk, clock=timezone.now)
    return f"tex_{state.export.pk.hex}"


def _call(company: factories.Company) -> str:
    with tenant_scope(company.tenant.pk):
        create_phone_number(tenant_id=company.tenant.pk, number="+15550109999", label=MARK)
        create_trunk(tenant_id=company.tenant.pk, name="Carrier", gateway="carrier")
    body = {"to": "+15550100200", "from": "+15550109999", "metadata": {"note": MARK}}
    answer = ApiClient(company.api_key).post("/v1/calls", body)
    assert answer.status_code == 202, answer.content
    return str(answer.json()["sid"])


def _inbound(company: factories.Company, now: datetime) -> dict[str, str]:
    definition = {"start": "bye", "nodes": {"bye": {"type": "say", "text": MARK}}}
    flow = _made(company, "/v1/ivr/flows", {"name": MARK, "definition": definition})
    assert ApiClient(company.api_key).post(f"/v1/ivr/flows/{flow}/publish").status_code == 200
    with tenant_scope(company.tenant.pk):
        number = create_phone_number(tenant_id=company.tenant.pk, number="+15550109998", label=MARK)
        trunk = create_trunk(tenant_id=company.tenant.pk, name=MARK, gateway="spare", priority=90)
        version = IvrFlowVersion.objects.for_tenant(company.tenant.pk).get()
        call = Call.objects.for_tenant(company.tenant.pk).get()
        session = IvrSession.objects.create(
            tenant_id=company.tenant.pk, call=call, version=version, node="bye", status="completed", outcome=MARK,
            created_at=now, ended_at=now,
        )  # fmt: skip
    path = f"/v1/phone-numbers/pn_{number.pk.hex}/route"
    assert (
        ApiClient(company.api_key)
        .put(path, {"kind": "sip_uri", "sip_uri": f"sip:{MARK}@x.example"}, content_type="application/json")
        .status_code
        == 200
    )
    return {
        "ivr_flow": flow,
        "ivr_session": f"ivs_{session.pk.hex}",
        "trunk": f"trk_{trunk.pk.hex}",
        "do_not_call": _made(company, "/v1/do-not-call", {"number": "+15550100297", "note": MARK}),
        "routed_number": f"pn_{number.pk.hex}",
        "queue": _made(company, "/v1/queues", {"name": MARK}),
        "extension": _made(company, "/v1/extensions", {"number": "101", "label": MARK}),
    }


def _invoice(company: factories.Company) -> str:
    answer = ApiClient(company.api_key).post("/v1/billing/invoices/draft")
    assert answer.status_code in {200, 201}, answer.content
    return str(answer.json()["id"])


def _usage_event(company: factories.Company) -> str:
    event = {"idempotency_key": MARK, "channel": "sms", "resource_type": "message", "quantity": "1"}
    answer = ApiClient(company.api_key).post("/v1/usage/events", event)
    assert answer.status_code == 200, answer.content
    return str(answer.json()["results"][0]["id"])


def _usage_upload(company: factories.Company) -> str:
    rows = [f"{MARK}-{number},sms,message,1" for number in range(1_001)]
    content = "\n".join(["idempotency_key,channel,resource_type,quantity", *rows])
    answer = ApiClient(company.api_key).post("/v1/usage/events", content, content_type="text/csv")
    assert answer.status_code == 202, answer.content
    return str(answer.json()["id"])


def _credit_note(company: factories.Company, now: datetime) -> str:
    """Finalize the first period's invoice, and take some of it back."""
    sell_from("IE")
    buy_from(company, "IE", legal_name=MARK)
    record(company, quantity=Decimal(10_000), occurred_at=now)
    period = periods(company)[0]
    with tenant_scope(company.tenant.pk):
        close_period(tenant_id=company.tenant.pk, period_id=period.pk, now=now)
        invoice = draft_invoice(tenant_id=company.tenant.pk, period_id=period.pk, now=now)
        finalize_invoice(tenant_id=company.tenant.pk, invoice_id=invoice.pk, now=now)
        line = max(invoice.lines.all(), key=lambda line: line.amount - line.allowance)
        note = issue_credit_note(
            tenant_id=company.tenant.pk,
            invoice_id=invoice.pk,
            key="matrix",
            reason=MARK,
            lines=[Credited(line.position, Decimal(1))],
            now=now,
        )
    return f"cn_{note.pk.hex}"


def _callers(world: World, chat: Chat, closed: Chat) -> dict[str, Callable[[], Client]]:
    acme, globex = world.acme, world.globex
    people = {
        "owner": acme.owner,
        "agent": acme.agent,
        "finance": acme.finance,
        **{
            role.value: factories.add_person(acme, role.value, role).user
            for role in (Role.ADMIN, Role.SUPERVISOR, Role.READ_ONLY)
        },
        "outsider owner": globex.owner,
        "suspended person": _suspended_person(acme),
        "suspended tenant": _suspended_tenant(),
    }
    tokens = {
        "key": acme.api_key,
        "visitor": chat.visitor_token,
        "closed visitor": closed.visitor_token,
        "other visitor": start_chat(acme, visitor_name="Stranger").visitor_token,
        "outsider key": globex.api_key,
        "outsider visitor": start_chat(globex, visitor_name="Gus").visitor_token,
        "expired key": _key(acme, expires=True),
        "revoked key": _key(acme, revoked=True),
        "narrow key": _key(acme, scopes=["members.read"]),
        "forged key": acme.api_key[:-1] + ("a" if acme.api_key[-1] != "a" else "b"),
    }
    return {
        **{name: (lambda user=user: _session(user)) for name, user in people.items()},
        **{name: (lambda token=token: ApiClient(token)) for name, token in tokens.items()},
        "anonymous": ApiClient,
    }  # fmt: skip


def _session(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def _key(company: factories.Company, *, scopes: Any = SCOPES, expires: bool = False, revoked: bool = False) -> str:
    with tenant_scope(company.tenant.pk):
        key, text = accounts.issue_api_key(tenant_id=company.tenant.pk, name="matrix", scopes=scopes)
        past = key.created_at - timedelta(hours=1)
        ApiKey.objects.for_tenant(company.tenant).filter(pk=key.pk).update(
            expires_at=past if expires else None, revoked_at=past if revoked else None
        )
    return text


def _suspended_person(company: factories.Company) -> User:
    membership = factories.add_person(company, "Sam", Role.ADMIN)
    with tenant_scope(company.tenant.pk):
        Membership.objects.for_tenant(company.tenant).filter(pk=membership.pk).update(is_active=False)
    return membership.user


def _suspended_tenant() -> User:
    company = factories.make_company("Umbra", owner="Una", agent="Ulf", finance="Uma")
    with system_access("test"):
        Tenant.objects.filter(pk=company.tenant.pk).update(status=Tenant.Status.SUSPENDED)
    return company.owner


def snapshot(tenant: Tenant) -> dict[str, str]:
    """Return a digest of each table's rows of one tenant, ledgers included; last-used times apart."""
    with system_access("test"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace "
            "AND a.attname IN ('tenant_id', 'owner') AND NOT a.attisdropped ORDER BY 1"
        )
        return {table: _digest(cursor, table, column, tenant) for table, column in cursor.fetchall()}


def _digest(cursor: Any, table: str, column: str, tenant: Tenant) -> str:
    row = "(to_jsonb(t) - '{last_used_at,last_used_address}'::text[])::text"
    cursor.execute(
        f"SELECT md5(coalesce(string_agg({row}, '' ORDER BY {row}), '')) FROM {table} t WHERE {column} = %s",
        [tenant.pk],
    )
    return str(cursor.fetchone()[0])
