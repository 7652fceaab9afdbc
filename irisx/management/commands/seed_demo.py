"""Fill an empty installation with the demo company. A repeat finds everything in place and changes nothing but the API key."""

import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts import services
from accounts.models import ApiKey, Membership, Tenant, User
from accounts.permissions import SCOPES, Role
from accounts.tenancy import system_access, tenant_scope
from billing.services import Seller, set_seller
from chat.models import CannedReply, Label, Widget
from chat.services import catalogue
from chat.services.widgets import change_widget
from common.ids import encode
from irisx import demo_billing
from telephony.models import PhoneNumber, SipTrunk
from telephony.services import create_phone_number, create_trunk

COMPANY, SLUG = "Acme Bicycles", "acme"
SELLER = Seller(
    name="IRISX Demo Ltd",
    address="1 Harbour Lane",
    postal_code="D02 AF30",
    city="Dublin",
    country="IE",
    tax_id="IE1234567FA",
    email="billing@irisx.example",
    bank_name="Harbour Bank",
    iban="IE29AIBK93115212345678",
    bic="AIBKIE2D",
)
PEOPLE = {
    "operator": ("operator@irisx.example", "Operator"),
    "owner": ("alice@acme.example", "Alice"),
    "agent": ("bob@acme.example", "Bob"),
    "finance": ("fiona@acme.example", "Fiona"),
}

LABELS = {"billing": "#2563eb", "bug": "#dc2626", "order": "#0d9488", "repair": "#d97706", "vip": "#7c3aed"}
REPLIES = {
    "hello": "Hello {{visitor.name}}, this is {{agent.name}} of {{company}}. How can I help you?",
    "moment": "Just a moment please, I am looking it up.",
    "hours": "Our workshop is open Monday to Friday from 9 to 18, Saturdays until 13.",
    "email": "May I write to you at {{visitor.email}}?",
    "bye": "You are welcome, {{visitor.name}}. Have a good ride!",
}
# The texts stay as they are made, so that visitors read them in their language; without business hours the chat is open
# whenever somebody tries it. Who looks around alone, as visitor and agent, is given time.
WIDGET = {"primary_color": "#0f766e", "answer_seconds": 180, "abandon_minutes": 30, "idle_close_minutes": 240}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", type=Path, required=True, help="where to keep the sign-ins")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["json"])
        known = orjson.loads(path.read_bytes()) if path.exists() else {}
        with transaction.atomic():
            seeded = seed(known)
        path.touch(mode=0o600)
        path.write_bytes(orjson.dumps(seeded, option=orjson.OPT_INDENT_2))


def seed(known: dict[str, Any]) -> dict[str, Any]:
    """Return the sign-ins of the demo company, made where they are missing. `known` is what an earlier run returned."""
    set_seller(SELLER)
    people = {key: _person(key, known.get("users", {}).get(key, {})) for key in PEOPLE}
    tenant = _company(people["owner"][0])
    with tenant_scope(tenant.pk):
        for key, role in (("agent", Role.AGENT), ("finance", Role.FINANCE)):
            if not Membership.objects.for_tenant(tenant).filter(user=people[key][0]).exists():
                services.add_member(tenant_id=tenant.pk, user=people[key][0], role=role)
        _lines(tenant)
        widget = Widget.objects.for_tenant(tenant).order_by("created_at").first()
        if widget is None:
            raise CommandError("The demo company has no widget; run `make demo-reset`.")
        _chat(tenant, widget)
        api_key = _api_key(tenant, known.get("api_key", ""))
    return {
        "users": {key: {"email": user.email, "password": password} for key, (user, password) in people.items()},
        "tenant_id": encode("tn", tenant.pk),
        "api_key": api_key,
        "widget_key": widget.widget_key,
    }


def _person(key: str, known: dict[str, str]) -> tuple[User, str]:
    email, name = PEOPLE[key]
    password = known.get("password") or secrets.token_urlsafe(9)
    user = User.objects.filter(email=email).first()
    if user is None:
        make = User.objects.create_superuser if key == "operator" else User.objects.create_user
        return make(email, password, name=name), password
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user, password


def _company(owner: User) -> Tenant:
    with system_access("demo seed"):
        tenant = Tenant.objects.filter(slug=SLUG).first()
    return tenant or _founded(owner, timezone.now())


def _founded(owner: User, now: datetime) -> Tenant:
    """Return a company that has been with us for three months."""
    tenant = services.create_tenant(name=COMPANY, slug=SLUG, owner=owner, now=demo_billing.begins_at(now))
    with tenant_scope(tenant.pk):
        demo_billing.live_through(tenant_id=tenant.pk, now=now)
    return tenant


def _lines(tenant: Tenant) -> None:
    if not PhoneNumber.objects.for_tenant(tenant).exists():
        create_phone_number(tenant_id=tenant.pk, number="+15550109999", label="Shop")
    if not SipTrunk.objects.for_tenant(tenant).exists():
        create_trunk(tenant_id=tenant.pk, name="Carrier", gateway="carrier")


def _chat(tenant: Tenant, widget: Widget) -> None:
    """Give the desk something to show, once; what a person changed or deleted since stays so."""
    if Label.objects.for_tenant(tenant).exists() or CannedReply.objects.for_tenant(tenant).exists():
        return
    for name, color in LABELS.items():
        catalogue.create_label(tenant_id=tenant.pk, name=name, color=color)
    for shortcut, text in REPLIES.items():
        catalogue.create_canned_reply(tenant_id=tenant.pk, shortcut=shortcut, text=text)
    change_widget(tenant_id=tenant.pk, widget_key=widget.widget_key, changes=dict(WIDGET))


def _api_key(tenant: Tenant, known: str) -> str:
    prefix = known.removeprefix("irisx_live_")[:12]
    if prefix and ApiKey.objects.for_tenant(tenant).filter(prefix=prefix, revoked_at=None).exists():
        return known
    return services.issue_api_key(tenant_id=tenant.pk, name="Demo", scopes=SCOPES)[1]
