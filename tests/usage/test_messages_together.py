"""The usage of one message keeps no other message of the company waiting."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, transaction

from tests.chat.conftest import Chat, start_chat
from tests.factories import Company
from tests.usage.helpers import rows

MESSAGES = (
    "SELECT count(*)::int, sum(quantity)::int FROM usage_records WHERE channel = 'chat' AND resource_type = 'message'"
)


def say(chat: Chat, key: str) -> Any:
    try:
        body = {"conversation_id": chat.conversation_id, "client_message_id": key, "text": "Hello"}
        return chat.visitor.post("/v1/chat/message/send", body)
    finally:
        if not connection.in_atomic_block:
            connection.close()


def test_another_message_commits_while_one_s_transaction_is_open(committed_db: None, acme: Company) -> None:
    first, second = start_chat(acme), start_chat(acme)
    with transaction.atomic():
        assert say(first, "m1").status_code == 201
        with ThreadPoolExecutor(1) as other:
            assert other.submit(say, second, "m2").result(timeout=10).status_code == 201
            assert other.submit(rows, acme, MESSAGES).result(timeout=10) == [(1, 1)]
            other.submit(lambda: connection.close()).result(timeout=10)
    assert rows(acme, MESSAGES) == [(2, 2)]
