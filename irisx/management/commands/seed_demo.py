"""Fill an empty installation with the demo company. A repeat finds everything in place and changes nothing but the API key."""

import secrets
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
from chat.models import Widget
from common.ids import encode
from telephony.models import PhoneNumber, SipTrunk
from telephony.services import create_phone_number, create_trunk

COMPANY, SLUG = "Acme Bicycles", "acme"
SELLER = Seller(name="IRISX Demo Ltd", address="1 Harbour Lane\nDublin", country="IE", email="billing@irisx.example")
PEOPLE = {
    "operator": ("operator@irisx.example", "Operator"),
    "owner": ("alice@acme.example", "Alice"),
    "agent": ("bob@acme.example", "Bob"),
    "finance": ("fiona@acme.example", "Fiona"),
}


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
    return tenant or services.create_tenant(name=COMPANY, slug=SLUG, owner=owner, now=timezone.now())


def _lines(tenant: Tenant) -> None:
    if not PhoneNumber.objects.for_tenant(tenant).exists():
        create_phone_number(tenant_id=tenant.pk, number="+15550109999", label="Shop")
    if not SipTrunk.objects.for_tenant(tenant).exists():
        create_trunk(tenant_id=tenant.pk, name="Carrier", gateway="carrier")


def _api_key(tenant: Tenant, known: str) -> str:
    prefix = known.removeprefix("irisx_live_")[:12]
    if prefix and ApiKey.objects.for_tenant(tenant).filter(prefix=prefix, revoked_at=None).exists():
        return known
    return services.issue_api_key(tenant_id=tenant.pk, name="Demo", scopes=SCOPES)[1]
