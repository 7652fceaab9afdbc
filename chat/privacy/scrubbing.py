"""Taking people out of what is append-only otherwise: the log, its messages, and the bodies that quote them."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection

from accounts.models import OutboxEvent
from common.ids import encode
from common.models import IdempotencyKey

ERASED: Final = "[erased]"
OUTBOX_BATCH: Final = 200
MESSAGES = """
UPDATE chat_messages SET text = '[erased]', attachment_id = NULL, file_name = '', file_size = NULL, file_type = '',
  storage_key = '', message_type = CASE WHEN message_type IN ('image', 'file') THEN 'text' ELSE message_type END,
  sender_name = CASE WHEN sender_type = 'visitor' THEN '[erased]' ELSE sender_name END
WHERE tenant_id = %(tenant)s AND conversation_id = ANY(%(keys)s)
"""
EVENTS = """
UPDATE chat_events SET payload = CASE
  WHEN payload ? 'message' THEN jsonb_set(payload, '{message}', (payload -> 'message') || jsonb_build_object(
    'text', '[erased]', 'attachment', NULL,
    'message_type', CASE WHEN payload #>> '{message,message_type}' IN ('image', 'file') THEN 'text'
      ELSE payload #>> '{message,message_type}' END,
    'sender_name', CASE WHEN payload #>> '{message,sender_type}' = 'visitor' THEN '[erased]'
      ELSE payload #>> '{message,sender_name}' END))
  WHEN payload ? 'feedback' THEN payload || '{"feedback": ""}'
  WHEN payload ? 'text' THEN payload || '{"text": "[erased]"}'
  ELSE payload END
WHERE tenant_id = %(tenant)s AND conversation_id = ANY(%(keys)s) AND type IN ('message', 'edit', 'rating')
"""
# Names of what a webhook's body may say of a person, and what stands there after.
PERSONAL: Final = {
    "text": ERASED, "sender_name": ERASED, "feedback": "", "page_url": "", "page_title": "", "referrer": "",
    "attachment": None, "file_name": "", "last_message": None, "email": "",
}  # fmt: skip


def scrub_log(*, tenant_id: UUID, conversation_ids: Sequence[UUID]) -> int:
    """Erase what was said in these conversations, from both sides; return how many messages there were."""
    values: dict[str, Any] = {"tenant": tenant_id, "keys": list(conversation_ids)}
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, values)
        cursor.execute(MESSAGES, values)
        return int(cursor.rowcount)


def scrub_outbox(*, tenant_id: UUID, conversation_ids: Sequence[UUID]) -> None:
    """Erase people from the webhook bodies about these conversations, and drop stored answers that quote them."""
    public_ids = [encode("cc", key) for key in conversation_ids]
    rows = OutboxEvent.objects.for_tenant(tenant_id).filter(object_id__in=public_ids).only("pk", "body")
    for row in rows.order_by("object_id", "sequence").iterator(OUTBOX_BATCH):
        body = orjson.loads(row.body)
        body["data"] = _scrubbed(body.get("data"))
        OutboxEvent.objects.for_tenant(tenant_id).filter(pk=row.pk).update(body=orjson.dumps(body).decode())
    IdempotencyKey.objects.filter(owner=tenant_id, answer__conversation_id__in=public_ids).delete()


def _scrubbed(value: Any) -> Any:
    if isinstance(value, list):
        return [_scrubbed(item) for item in value]
    if not isinstance(value, dict):
        return value
    clean = {name: PERSONAL.get(name, _scrubbed(inner)) for name, inner in value.items()}
    if isinstance(clean.get("visitor"), dict):
        clean["visitor"] = {**clean["visitor"], "name": ERASED}
    # An agent's name is a fact of the conversation, a visitor's is not.
    if "sender_name" in value and value.get("sender_type") != "visitor":
        clean["sender_name"] = value["sender_name"]
    return clean
