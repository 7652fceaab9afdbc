"""The row that every message rings with is the row the list shows."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.tenancy import tenant_scope
from chat import selectors
from chat.desk_row import desk_row
from chat.models import Conversation
from tests import factories
from tests.chat.conftest import Chat


def of_the_list(chat: Chat) -> dict[str, Any]:
    with tenant_scope(chat.tenant_id):
        listed = selectors.conversations(chat.tenant_id).filter(pk=chat.key)
        return selectors.present_rows(chat.tenant_id, list(listed))[0]


def alone(chat: Chat) -> dict[str, Any]:
    with tenant_scope(chat.tenant_id):
        return desk_row(chat.tenant_id, chat.key)


def test_is_the_same_at_every_step_of_a_conversation(
    chat: Chat, acme: factories.Company, signed_in: Any, send: Any
) -> None:
    bob = signed_in(acme.agent)
    json = {"content_type": "application/json"}
    path = f"/v1/chat/conversation/{chat.conversation_id}"
    steps = [
        lambda: None,
        lambda: send(chat.visitor, chat, "Hello", client_message_id="m1"),
        lambda: bob.post(f"{path}/accept", **json),
        lambda: bob.post(f"{path}/note", {"client_message_id": "n1", "text": "Only we may read this."}, **json),
        lambda: bob.post(f"{path}/labels", {"labels": ["vip"]}, **json),
        lambda: bob.post(f"{path}/read", {"seq": 2}, **json),
        lambda: send(bob, chat, "Yes", client_message_id="m2", **json),
        lambda: chat.visitor.post(f"{path}/delivered", {"seq": 2}),
        lambda: chat.visitor.post(f"{path}/read", {"seq": 3}),
        lambda: bob.post(f"{path}/close", **json),
        lambda: chat.visitor.post(f"{path}/rate", {"rating": 4, "feedback": "Good"}),
    ]
    for number, step in enumerate(steps):
        answer = step()
        assert answer is None or answer.status_code < 300, (number, answer.content)
        assert alone(chat) == of_the_list(chat), number
    assert alone(chat)["rating"] == 4


def test_takes_one_statement(chat: Chat) -> None:
    with tenant_scope(chat.tenant_id), CaptureQueriesContext(connection) as queries:
        desk_row(chat.tenant_id, chat.key)
    assert len(queries) == 1


def test_finds_no_other_tenants_conversation(chat: Chat, globex: factories.Company) -> None:
    with tenant_scope(globex.tenant.pk), pytest.raises(Conversation.DoesNotExist):
        desk_row(globex.tenant.pk, chat.key)
    with tenant_scope(globex.tenant.pk), pytest.raises(Conversation.DoesNotExist):
        desk_row(chat.tenant_id, chat.key)  # row-level security stands behind the condition
