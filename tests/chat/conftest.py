"""A widget of Acme's, a visitor at it, and a conversation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from accounts.tenancy import tenant_scope
from chat.models import Widget
from tests import factories
from tests.conftest import ApiClient


@dataclass(frozen=True)
class Chat:
    """A started conversation and its visitor's signed-in client."""

    company: factories.Company
    conversation_id: str
    visitor_id: str
    visitor_token: str
    visitor: ApiClient
    agent: ApiClient

    @property
    def key(self) -> UUID:
        return UUID(hex=self.conversation_id[3:])

    @property
    def tenant_id(self) -> UUID:
        return self.company.tenant.pk


def widget_of(company: factories.Company) -> Widget:
    with tenant_scope(company.tenant.pk):
        return Widget.objects.for_tenant(company.tenant).get()


def start_chat(company: factories.Company, **body: Any) -> Chat:
    answer = ApiClient(company.api_key).post(
        "/v1/chat/conversation/start", {"widget_key": widget_of(company).widget_key, "visitor_name": "Dana", **body}
    )
    assert answer.status_code == 201, answer.content
    started = answer.json()
    return Chat(
        company,
        started["conversation_id"],
        started["visitor_id"],
        started["visitor_token"],
        ApiClient(started["visitor_token"]),
        ApiClient(company.api_key),
    )


@pytest.fixture
def chat(acme: factories.Company) -> Chat:
    return start_chat(acme)


@pytest.fixture
def send() -> Callable[..., Any]:
    """Return a sender: `send(chat.visitor, chat, "Hello", client_message_id="m1")`."""

    def send(client: ApiClient, chat: Chat, text: str, client_message_id: str = "m1", **extra: Any) -> Any:
        body = {"conversation_id": chat.conversation_id, "client_message_id": client_message_id, "text": text}
        return client.post("/v1/chat/message/send", body, **extra)

    return send
