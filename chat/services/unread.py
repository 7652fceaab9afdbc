"""Answers a visitor has not seen go by e-mail: once for several, with a link that opens the conversation again.

`mailed_visitor_seq` says up to which answer a visitor was told. It is moved by compare-and-set in a transaction at whose
commit the mail is handed to the mail server, so that no two workers tell twice. A process that dies between commit and hand-over,
or a mail server that refuses, loses that one mail, never doubles it; the next answer's mail shows everything still unread.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.tenancy import system_access, tenant_scope
from chat.assignment import GRACE
from chat.ledgers import Message, SenderType
from chat.mail_words import words_for
from chat.models import Conversation
from chat.resuming import LINK_LASTS, resume_link
from common import mail

WAITS = timedelta(minutes=2)
# An answer older than this was unread for a reason: nobody is written to after a day about what was said before.
LOOKS_BACK = timedelta(days=1)
MOST_AT_ONCE = 500
MOST_SHOWN = 5
MOST_CHARACTERS = 1_000
TELLERS = (SenderType.AGENT, SenderType.BOT)
DUE = """
SELECT c.tenant_id, c.id FROM chat_conversations c JOIN chat_visitors v ON v.id = c.visitor_id
WHERE c.last_message_at > %(not_before)s AND c.visitor_read_seq < c.last_visitor_seq AND c.agent_message_count > 0
  AND c.mailed_visitor_seq < c.last_visitor_seq
  AND v.email <> '' AND v.erased_at IS NULL AND v.blocked_at IS NULL
  AND (v.last_seen_at IS NULL OR v.last_seen_at <= %(seen_before)s)
  AND EXISTS (
    SELECT FROM chat_messages m WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id
      AND m.visitor_seq > greatest(c.visitor_read_seq, c.mailed_visitor_seq)
      AND m.sender_type IN ('agent', 'bot') AND m.created_at <= %(said_before)s
  )
ORDER BY c.last_message_at LIMIT %(most)s
"""


def mail_unread(*, now: datetime) -> int:
    """Mail every visitor who has left what they have not read for two minutes; return how many were written to."""
    values: dict[str, Any] = {
        "not_before": now - LOOKS_BACK,
        "said_before": now - WAITS,
        "seen_before": now - GRACE,
        "most": MOST_AT_ONCE,
    }
    with system_access("answers nobody has seen"), connection.cursor() as cursor:
        cursor.execute(DUE, values)
        found = cursor.fetchall()
    return sum(tell_visitor(tenant_id=tenant_id, conversation_id=key, now=now) for tenant_id, key in found)


def tell_visitor(*, tenant_id: UUID, conversation_id: UUID, now: datetime) -> bool:
    """Mail one conversation's unread answers, in a transaction of its own; False when another worker did, or it was read."""
    with tenant_scope(tenant_id):
        rows = Conversation.objects.for_tenant(tenant_id)
        conversation = rows.select_related("visitor", "widget").get(pk=conversation_id)
        unread = unread_answers(conversation)
        if not unread or (unread[-1].visitor_seq or 0) <= conversation.mailed_visitor_seq:
            return False
        unchanged = rows.filter(
            pk=conversation_id,
            visitor_read_seq=conversation.visitor_read_seq,
            mailed_visitor_seq=conversation.mailed_visitor_seq,
        )
        if not unchanged.update(mailed_visitor_seq=unread[-1].visitor_seq):
            return False
        _send(conversation, unread, now)
        return True


def unread_answers(conversation: Conversation) -> list[Message]:
    """Return what agents said that the visitor has not read, oldest first."""
    rows = Message.objects.for_tenant(conversation.tenant_id).filter(
        conversation_id=conversation.pk, visitor_seq__gt=conversation.visitor_read_seq, sender_type__in=TELLERS
    )
    return list(rows.order_by("visitor_seq"))


def _send(conversation: Conversation, unread: list[Message], now: datetime) -> None:
    visitor, company = conversation.visitor, conversation.widget.name
    words = words_for(visitor.language, company=company, date=f"{now + LINK_LASTS:%Y-%m-%d}")
    context = {
        "words": words,
        "company": company,
        "answers": [{"name": m.sender_name, "text": _text_of(m, words)} for m in unread[-MOST_SHOWN:]],
        "has_more": len(unread) > MOST_SHOWN,
        "link": resume_link(conversation),
    }
    mail.send_on_commit(template="chat/mail/unread", to=[visitor.email], context=context, language=words["language"])


def _text_of(message: Message, words: dict[str, str]) -> str:
    if not message.text:
        return f"{words['file']}: {message.file_name}"
    return message.text if len(message.text) <= MOST_CHARACTERS else message.text[:MOST_CHARACTERS] + "…"
