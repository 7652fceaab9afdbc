"""The main job in a real browser: a visitor asks, an agent answers, nothing is lost or doubled, and the month is billed."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import APIRequestContext, Browser, Page, expect

from tests.browser.people import Agent, Visitor, pictures_wanted, when
from tests.browser.wire import Wire

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo"), pytest.mark.timeout(240)]

QUESTION = "Hello! Is the blue city bike in stock?"
ANSWER = "Hi, it is. Two are left in the shop."
CUT = "Could you keep one for me until Saturday?"


class Api:
    """The demo company's API, by its key."""

    def __init__(self, request: APIRequestContext, demo: dict[str, Any]) -> None:
        self.request = request
        self.base_url = demo["base_url"]
        self.headers = {"Authorization": f"Bearer {demo['api_key']}"}

    def get(self, path: str) -> Any:
        answer = self.request.get(f"{self.base_url}/v1/{path}", headers=self.headers)
        assert answer.ok, answer.text()
        return answer.json()

    def post(self, path: str, body: dict[str, Any], *, token: str = "") -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else self.headers
        answer = self.request.post(f"{self.base_url}/v1/{path}", headers=headers, data=body)
        assert answer.ok, answer.text()
        return answer.json()

    def used(self) -> Counter[str]:
        items = self.get("usage/current-period")["items"]
        return Counter({f"{item['channel']}/{item['resource_type']}": item["record_count"] for item in items})

    def messages_of(self, conversation_id: str) -> list[dict[str, Any]]:
        events = self.get(f"chat/conversation/{conversation_id}/events?after_seq=0")["events"]
        return [entry["event"]["payload"]["message"] for entry in events if entry["event"]["type"] == "message"]


@pytest.fixture
def bob(browser: Browser, demo: dict[str, Any]) -> Iterator[Agent]:
    agent = Agent(browser, viewport={"width": 1360, "height": 820})
    yield agent
    agent.context.close()


@pytest.fixture
def dana(browser: Browser) -> Iterator[Visitor]:
    visitor = Visitor(browser, viewport={"width": 1280, "height": 820})
    yield visitor
    visitor.context.close()


def test_a_visitor_is_answered_and_the_month_is_billed(demo: dict[str, Any], bob: Agent, dana: Visitor) -> None:
    api = Api(bob.context.request, demo)
    wire = Wire(dana.context)
    if pictures_wanted():
        _others_wait(api, demo)
    used_before = api.used()
    bob.sign_in(demo["pages"]["desk"], demo["users"]["agent"])
    bob.go_online()

    conversation_id = _they_talk(demo, bob, dana)
    _a_lost_answer_costs_nothing(api, wire, bob, dana, conversation_id)
    _they_part(bob, dana)
    _a_call_is_placed(api, bob.page)
    assert api.used() - used_before == Counter({"chat/conversation": 1, "chat/message": 4, "voice/minute": 1})
    _the_invoice_lists_both(demo, bob)
    assert (bob.errors, dana.errors) == ([], [])


def _others_wait(api: Api, demo: dict[str, Any]) -> None:
    """Let the desk of the README's picture look like a morning, not like a test."""
    for name, text in (
        ("Mia Chen", "Do you rent cargo bikes by the day?"),
        ("Jonas Weber", "My order 4471 says delivered, but nothing came."),
        ("Amara Okafor", "Can I bring my own frame for a rebuild?"),
    ):
        email = f"{name.split()[0].lower()}@example.com"
        body = {"widget_key": demo["widget_key"], "visitor_name": name, "visitor_email": email}
        started = api.post("chat/conversation/start", body)
        message = {"conversation_id": started["conversation_id"], "client_message_id": "scene", "text": text}
        api.post("chat/message/send", message, token=started["visitor_token"])


def _they_talk(demo: dict[str, Any], bob: Agent, dana: Visitor) -> str:
    dana.page.goto(demo["pages"]["customer"])
    dana.open_widget()
    expect(dana.messages).to_contain_text("How can we help you?")
    dana.picture("widget-greeting")
    dana.say(QUESTION)

    expect(bob.row(QUESTION)).to_be_visible()
    bob.row(QUESTION).click()
    expect(bob.messages).to_contain_text(QUESTION)
    bob.accept()

    bob.field.press_sequentially("Hi")
    expect(dana.panel.get_by_text("is typing…")).to_be_visible()
    bob.say(ANSWER)
    expect(dana.messages).to_contain_text(ANSWER)
    expect(dana.panel.get_by_text("is typing…")).to_be_hidden()
    dana.field.press_sequentially("Grea")
    expect(bob.page.get_by_text("is typing…")).to_be_visible()
    dana.say("Great, that is the one I was hoping for.")
    expect(bob.messages).to_contain_text("the one I was hoping for")
    expect(dana.messages.get_by_text("Seen")).to_be_visible()
    bob.page.get_by_role("button", name="Waiting").click()
    bob.picture("desk")
    dana.picture("widget")

    dana.page.reload()
    expect(dana.messages).to_contain_text(ANSWER)
    expect(dana.messages).to_contain_text(QUESTION)
    return bob.page.url.partition("#")[2]


def _a_lost_answer_costs_nothing(api: Api, wire: Wire, bob: Agent, dana: Visitor, conversation_id: str) -> None:
    when(dana.page, lambda: wire.is_live, seconds=30, what="the signing in of the socket")
    before = len(wire.posts)
    wire.cut_after_next_send()
    dana.say(CUT)
    when(dana.page, lambda: len(wire.posts) > before, seconds=30, what="the resend")
    wire.mend()

    left, again = wire.frames_sent[-1], wire.posts[-1]
    assert (left["text"], again["text"]) == (CUT, CUT)
    assert left["client_message_id"] == again["client_message_id"]
    expect(dana.messages.get_by_text("Seen")).to_be_visible(timeout=45_000)  # the backoff may have grown
    expect(bob.messages.get_by_text(CUT)).to_have_count(1)
    expect(dana.messages.get_by_text(CUT)).to_have_count(1)
    stored = [message["client_message_id"] for message in api.messages_of(conversation_id) if message["text"] == CUT]
    assert stored == [left["client_message_id"]]


def _they_part(bob: Agent, dana: Visitor) -> None:
    bob.page.get_by_role("button", name="Close chat").click()
    expect(dana.messages).to_contain_text("The conversation was closed")
    dana.panel.get_by_role("radio", name="Excellent").check()
    dana.panel.get_by_label("Anything you want to add?").fill("Quick and friendly.")
    dana.picture("widget-rating")
    dana.panel.get_by_role("button", name="Send rating").click()
    expect(dana.panel.get_by_text("Thank you for telling us.")).to_be_visible()
    expect(bob.messages).to_contain_text("5 of 5: “Quick and friendly.”")


def _a_call_is_placed(api: Api, page: Page) -> None:
    sid = api.post("calls", {"to": "+15550100212", "from": "+15550109999"})["sid"]
    when(page, lambda: api.get(f"calls/{sid}")["status"] == "completed", seconds=60, what="the end of the call")
    assert api.get(f"calls/{sid}")["billed_seconds"] >= 60


def _the_invoice_lists_both(demo: dict[str, Any], bob: Agent) -> None:
    fiona = Agent(bob.context.browser, viewport={"width": 1280, "height": 800}, accept_downloads=True)  # type: ignore[arg-type] # a launched browser's contexts have one
    fiona.sign_in(demo["pages"]["finance"], demo["users"]["finance"])
    fiona.page.get_by_role("button", name=re.compile("draft", re.IGNORECASE)).first.click()
    lines = fiona.page.get_by_role("table")
    for what in ("Chat conversations", "Chat messages", "Voice"):
        expect(lines).to_contain_text(what)
    fiona.picture("invoice")
    with fiona.page.expect_download() as download:
        fiona.page.get_by_role("link", name="Download PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    assert fiona.errors == []
    fiona.context.close()
