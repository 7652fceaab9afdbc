"""The page behind a mail's link: it goes on though the shop's page is not there and the old chat is past reopening."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from django.utils import timezone

from accounts.tenancy import tenant_scope
from chat.ledgers import Message, SenderType
from chat.models import Conversation
from chat.resuming import resume_link
from tests import factories
from tests.assertions import rows
from tests.browser.chromium import running_browser
from tests.chat.conftest import Chat, start_chat
from tests.chat.desk import ago, in_threads, set_conversation, set_widget

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def address(committed_db: None, settings: Any) -> Iterator[str]:
    """Serve the product over HTTP alone: what the page cannot hear by socket it reads."""
    server = LiveServerThread("127.0.0.1", StaticFilesHandler, connections_override={})
    server.daemon = True
    server.start()
    server.is_ready.wait()
    assert server.error is None
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "127.0.0.1"]
    settings.IRISX_BASE_URL = f"http://127.0.0.1:{server.port}"
    yield settings.IRISX_BASE_URL
    server.terminate()
    server.join()


def answered_long_ago() -> Chat:
    company = factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona", now=timezone.now())
    set_widget(company, domains_whitelist=["shop.example"])
    chat = start_chat(company, visitor_email="dana@example.com")
    body = {"conversation_id": chat.conversation_id, "client_message_id": "a1", "text": "Shall I keep one for you?"}
    assert chat.agent.post("/v1/chat/message/send", body).status_code == 201
    chat.agent.post(f"/v1/chat/conversation/{chat.conversation_id}/close")
    set_conversation(chat, closed_at=ago(hours=30))
    return chat


def link_of(chat: Chat) -> str:
    with tenant_scope(chat.tenant_id):
        return resume_link(Conversation.objects.for_tenant(chat.tenant_id).select_related("visitor").get(pk=chat.key))


def read(what: Callable[[], Any]) -> Any:
    """Ask the database from a thread without Playwright's loop."""
    return in_threads([what])[0]


def test_shows_the_answer_and_begins_the_next_conversation(address: str) -> None:
    chat = answered_long_ago()
    link = link_of(chat)
    with running_browser() as browser:
        page = browser.new_page()
        page.goto(link)
        page.get_by_text("Shall I keep one for you?").wait_for()
        page.locator("#text").fill("Yes, please")
        with page.expect_response(lambda r: r.url.endswith("/message/send") and r.status == 201):
            page.locator("#text").press("Enter")
        page.get_by_text("Yes, please").wait_for()
    [said] = read(partial(rows, Message, sender_type=SenderType.VISITOR))
    [is_open] = read(partial(rows, Conversation, status="active"))
    assert (said.text, said.conversation_id) == ("Yes, please", is_open.pk)
    assert (is_open.previous_id, is_open.visitor_id) == (chat.key, said.sender_id)
