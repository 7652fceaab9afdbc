"""Tell a tenant's administrators that an endpoint was disabled."""

from typing import Final
from uuid import UUID

from django.conf import settings

from accounts import audit
from accounts.models import Membership, Tenant
from accounts.permissions import Role
from accounts.tenancy import tenant_scope
from accounts.webhooks.models import WebhookEndpoint
from common import mail
from common.ids import encode

WORDS: Final = {
    "en": {
        "subject": "Your webhook is disabled: {host}",
        "headline": "A webhook of {company} has been disabled",
        "failing": "Every delivery to {url} has failed for five days. Nothing more is sent there.",
        "gone": "{url} answered 410 Gone, which asks us to send nothing more.",
        "back": "Once it answers again, enable it (PATCH /v1/webhooks/{id}); what waited is sent then. "
        "Replay what happened meanwhile, or read it at {base}/v1/events; both reach back 30 days.",
        "reason": "You receive this because you administer {company}.",
    },
    "de": {
        "subject": "Ihr Webhook ist abgeschaltet: {host}",
        "headline": "Ein Webhook von {company} wurde abgeschaltet",
        "failing": "Seit fünf Tagen ist jede Zustellung an {url} fehlgeschlagen. Dorthin wird nichts mehr gesendet.",
        "gone": "{url} hat mit 410 Gone geantwortet und damit gebeten, nichts mehr zu senden.",
        "back": "Sobald die Adresse wieder antwortet, schalten Sie sie ein (PATCH /v1/webhooks/{id}); was wartete, wird "
        "dann gesendet. Was inzwischen geschah, lässt sich erneut senden oder unter {base}/v1/events lesen, 30 Tage zurück.",
        "reason": "Sie erhalten diese Nachricht, weil Sie {company} verwalten.",
    },
}


def tell_disabled(*, endpoint_id: UUID) -> None:
    """Note it in the audit log, and mail owners and administrators once the transaction commits. Runs under system access."""
    endpoint = WebhookEndpoint.unscoped.get(pk=endpoint_id)
    with tenant_scope(endpoint.tenant_id):
        audit.record(
            tenant_id=endpoint.tenant_id,
            action="webhook.disabled",
            by=audit.SYSTEM,
            object_id=encode("wh", endpoint_id),
            changes={"reason": endpoint.disabled_reason},
        )
    tenant = Tenant.objects.get(pk=endpoint.tenant_id)
    members = Membership.unscoped.filter(tenant=tenant, role__in=[Role.OWNER, Role.ADMIN], is_active=True)
    to = sorted(members.filter(user__is_active=True).values_list("user__email", flat=True))
    for address in to:  # one each: nobody learns the others' addresses
        mail.send_on_commit(
            template="accounts/mail/webhook_disabled",
            to=[address],
            context={"words": _words(endpoint, tenant)},
            language=tenant.locale,
        )


def _words(endpoint: WebhookEndpoint, tenant: Tenant) -> dict[str, str]:
    words = WORDS.get(tenant.locale[:2].lower(), WORDS["en"])
    values = {
        "url": endpoint.url,
        "host": endpoint.url.split("/")[2],
        "company": tenant.name,
        "id": encode("wh", endpoint.pk),
        "base": str(settings.IRISX_BASE_URL),
    }
    filled = {name: text.format(**values) for name, text in words.items()}
    return {**filled, "cause": filled[endpoint.disabled_reason]}
