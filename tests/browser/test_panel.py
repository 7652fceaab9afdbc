"""The visitor's panel in the states a visitor may meet."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import violations
from tests.browser.people import Visitor, when
from tests.browser.stage import SHOP, Stage, now

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]

FIELDS = [
    {"key": "name", "label": "Your name", "type": "text", "required": True},
    {"key": "phone", "label": "Phone", "type": "phone", "required": False},
    {"key": "topic", "label": "Topic", "type": "select", "required": True, "options": ["Sales", "Repair"]},
    {"key": "note", "label": "Anything else", "type": "textarea", "required": False},
    {"key": "terms", "label": "You may store what I write.", "type": "checkbox", "required": True},
]
CLOSED = {"is_offline": True, "agents_online": False, "is_open": False}
HOSTILE = '<img src=x onerror="window.hit=1"> javascript:alert(1) https://a.example/?q=1'


@pytest.fixture
def stages(browser: Browser) -> Iterator[Any]:
    """Give a maker of stages; each must end without an error or a refusal of the page's policy."""
    made: list[Stage] = []

    def make(**options: Any) -> Stage:
        made.append(Stage(browser, **options))
        return made[-1]

    yield make
    for stage in made:
        assert stage.visitor.errors == []
        stage.visitor.context.close()


def talking(stage: Stage, text: str = "Hello") -> Visitor:
    """Open the panel, say something, and wait until it is stored."""
    dana = stage.begin()
    dana.open_widget()
    dana.say(text)
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    return dana


def test_asks_what_the_widget_wants_to_know_first(stages: Any) -> None:
    stage = stages(look={"pre_chat_fields": FIELDS, "require_email": True})
    dana = stage.begin()
    dana.launcher.click()
    panel = dana.panel
    expect(panel.get_by_label("E-mail address")).to_be_focused()
    expect(dana.field).to_be_hidden()
    panel.get_by_role("button", name="Continue").click()
    expect(panel.get_by_text("Please fill this in.")).to_have_count(3)
    expect(panel.get_by_text("Please tick this to go on.")).to_be_visible()
    expect(panel.get_by_label("E-mail address")).to_be_focused()
    expect(panel.get_by_label("E-mail address")).to_have_accessible_description("Please fill this in.")
    panel.get_by_label("E-mail address").fill("dana@nowhere")
    panel.get_by_label("Phone").fill("soon")
    panel.get_by_label("Your name").fill("Dana")
    panel.get_by_label("Topic").select_option("Repair")
    panel.get_by_label("You may store").check()
    panel.get_by_role("button", name="Continue").click()
    expect(panel.get_by_text("Please enter an address like")).to_be_visible()
    expect(panel.get_by_text("Please enter a phone number like")).to_be_visible()
    panel.get_by_label("E-mail address").fill("dana@example.com")
    panel.get_by_label("Phone").fill("")
    panel.get_by_role("button", name="Continue").click()
    expect(dana.field).to_be_focused()
    dana.say("It clicks when I push hard")
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    started = stage.asked_for("conversation/start")[0]
    assert (started["visitor_email"], started["pre_chat"]) == (
        "dana@example.com",
        {"name": "Dana", "topic": "Repair", "terms": True},
    )


def test_shows_what_the_server_finds_wrong_in_the_answers_and_sends_then(stages: Any) -> None:
    stage = stages(look={"require_email": True})
    refusal = {"status": 422, "errors": [{"pointer": "/visitor_email", "code": "invalid", "detail": "No such domain."}]}
    stage.answers["conversation/start"] = [(422, refusal)]
    dana = stage.begin()
    dana.launcher.click()
    dana.panel.get_by_label("E-mail address").fill("dana@example.invalid")
    dana.panel.get_by_role("button", name="Continue").click()
    dana.say("Hello")
    expect(dana.panel.get_by_label("E-mail address")).to_have_accessible_description("No such domain.")
    dana.panel.get_by_label("E-mail address").fill("dana@example.com")
    dana.panel.get_by_role("button", name="Continue").click()
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    assert [body["visitor_email"] for body in stage.asked_for("conversation/start")][-1] == "dana@example.com"


def test_says_when_somebody_is_back_and_takes_a_message(stages: Any) -> None:
    opens = (datetime.now(UTC) + timedelta(days=1)).replace(hour=9, minute=0).isoformat()
    stage = stages(look={**CLOSED, "opens_at": opens}, timezone_id="UTC")
    dana = stage.begin()
    dana.launcher.click()
    expect(dana.panel.get_by_text("Back tomorrow at 9:00", exact=True)).to_be_visible()
    expect(dana.messages).to_contain_text("We are away just now.")
    dana.say("Please call me")
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    dana.panel.get_by_role("textbox", name="E-mail address").fill("dana@example.com")
    stage.answers["visitor"] = [(429, {"status": 429})]
    dana.panel.get_by_role("button", name="Continue").click()
    expect(dana.panel.get_by_text("Please wait a moment and try again.")).to_be_visible()
    dana.panel.get_by_role("button", name="Continue").click()
    expect(dana.panel.get_by_role("textbox", name="E-mail address")).to_be_hidden()
    assert stage.asked_for("visitor") == [{"email": "dana@example.com"}] * 2
    stage.frame("presence", agents_online=True, is_offline=False)
    expect(dana.panel.get_by_text("Online now")).to_be_visible()


def test_a_message_is_sent_then_delivered_then_seen(stages: Any) -> None:
    stage = stages()
    dana = talking(stage)
    agent = {"type": "agent", "id": "us_1", "name": "Bob"}
    stage.frame("delivered", participant=agent, seq=1)
    expect(dana.messages.get_by_text("Delivered")).to_be_visible()
    stage.frame("read", participant=agent, seq=1)
    expect(dana.messages.get_by_text("Seen")).to_be_visible()
    stage.say("Hi")
    marks = lambda: {(f["type"], f["seq"]) for f in stage.heard if f["type"] in {"read", "delivered"}}  # noqa: E731
    when(stage.page, lambda: {("delivered", 2), ("read", 2)} <= marks(), seconds=10, what="our marks")
    stage.page.keyboard.press("Escape")
    expect(dana.launcher).to_be_focused()
    stage.say("Still there?")
    when(stage.page, lambda: ("delivered", 3) in marks(), seconds=10, what="the mark of receipt")
    assert ("read", 3) not in marks()


def test_shows_who_types_until_they_have_spoken(stages: Any) -> None:
    stage = stages()
    dana = talking(stage)
    typing = dana.panel.get_by_text("Bob is typing…")
    in_ten_seconds = (datetime.now(UTC) + timedelta(seconds=10)).isoformat()
    frame = {
        "participant": {"type": "agent", "id": "us_1", "name": "Bob"},
        "is_typing": True,
        "expires_at": in_ten_seconds,
    }
    stage.frame("typing", **frame)
    expect(typing).to_be_visible()
    stage.say("Here I am")
    expect(typing).to_be_hidden()
    stage.frame("typing", **frame)
    stage.say("Told late that I typed")
    expect(dana.messages).to_contain_text("Told late that I typed")
    expect(typing).to_be_hidden()
    stage.frame("typing", **{**frame, "expires_at": (datetime.now(UTC) + timedelta(seconds=11)).isoformat()})
    expect(typing).to_be_visible()


def test_says_humanly_that_it_was_too_much_and_loses_nothing(stages: Any) -> None:
    stage = stages()
    stage.answers["conversation/start"] = [(429, {"status": 429, "retry_after": 2})]
    dana = stage.begin()
    dana.open_widget()
    dana.say("Once more")
    expect(dana.panel.get_by_text("Nothing is lost")).to_be_visible()
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    expect(dana.messages.get_by_text("Once more")).to_have_count(1)


def test_a_refused_message_can_be_tried_again_or_thrown_away(stages: Any) -> None:
    stage = stages()
    dana = talking(stage)
    blocked = (403, {"status": 403, "code": "blocked", "detail": "Blocked."})
    stage.answers["message/send"] = [blocked, blocked]
    dana.say("One")
    expect(dana.messages.get_by_text("You can't write here any more.")).to_be_visible()
    dana.panel.get_by_role("button", name="Try again").click()
    when(stage.page, lambda: not stage.answers["message/send"], seconds=10, what="the second try")
    expect(dana.messages.get_by_text("You can't write here any more.")).to_be_visible()
    dana.panel.get_by_role("button", name="Try again").click()
    expect(dana.messages.get_by_text("You can't write here any more.")).to_be_hidden()
    stage.answers["message/send"] = [blocked]
    dana.say("Two")
    dana.panel.get_by_role("button", name="Delete").click()
    expect(dana.messages.get_by_text("Two")).to_have_count(0)
    expect(dana.messages.get_by_text("One")).to_have_count(1)


def test_after_a_day_the_next_conversation_begins_by_itself(stages: Any) -> None:
    stage = stages()
    dana = talking(stage, "The old question")
    stage.say_status("closed", by="agent")
    expect(dana.panel.get_by_text("How was this conversation?")).to_be_visible()
    refusal = {"status": 409, "code": "conversation-closed", "next_conversation": None}
    stage.answers["message/send"] = [(409, refusal)]
    stage.number, stage.events = 2, []
    dana.say("A new question")
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    expect(dana.messages).to_contain_text("The old question")
    expect(dana.panel.get_by_text("How was this conversation?")).to_be_hidden()
    sends = [f for f in stage.heard if f["type"] == "message.send"] + stage.asked_for("message/send")
    tries = [(sent["conversation_id"], sent["client_message_id"]) for sent in sends if sent["text"] == "A new question"]
    assert [conversation for conversation, _ in tries] == ["cc_1", "cc_2"]
    assert len({key for _, key in tries}) == 1


def test_writing_soon_after_the_end_goes_on_with_it(stages: Any) -> None:
    stage = stages()
    dana = talking(stage)
    stage.say_status("closed", by="agent")
    expect(dana.panel.get_by_text("How was this conversation?")).to_be_visible()
    dana.say("One more thing")
    stage.say_status("active", by="visitor")
    expect(dana.messages).to_contain_text("The conversation goes on")
    expect(dana.panel.get_by_text("How was this conversation?")).to_be_hidden()


def test_ends_and_is_rated(stages: Any) -> None:
    stage = stages()
    dana = talking(stage)
    dana.choose("End conversation")
    expect(dana.panel.get_by_role("button", name="End it")).to_be_focused()
    stage.page.keyboard.press("Escape")
    expect(dana.field).to_be_focused()
    dana.choose("End conversation")
    dana.panel.get_by_role("button", name="End it").click()
    expect(dana.messages).to_contain_text("You ended the conversation")
    rating = f"conversation/{stage.id}/rate"
    stage.answers[rating] = [(429, {"status": 429})]
    dana.panel.get_by_role("radio", name="Good").check()
    dana.panel.get_by_label("Anything you want to add?").fill("Quick")
    dana.panel.get_by_role("button", name="Send rating").click()
    expect(dana.panel.get_by_text("Please wait a moment and try again.")).to_be_visible()
    dana.panel.get_by_role("button", name="Send rating").click()
    expect(dana.panel.get_by_text("Thank you for telling us.")).to_be_visible()
    assert stage.asked_for(rating)[-1] == {"rating": 4, "feedback": "Quick"}


def test_forgets_only_when_asked_twice_and_in_every_tab(stages: Any) -> None:
    stage = stages()
    dana = talking(stage, "My secret")
    other = Visitor.beside(dana)
    other.page.goto(f"{SHOP}/")
    other.open_widget()
    expect(other.messages).to_contain_text("My secret")
    dana.choose("Delete my data")
    expect(dana.panel.get_by_text("This can't be undone.")).to_be_visible()
    assert stage.asked_for("visitor/forget") == []
    dana.panel.get_by_role("button", name="Delete everything").click()
    expect(dana.panel.get_by_text("Everything was deleted.")).to_be_visible()
    expect(dana.messages).not_to_contain_text("My secret")
    expect(other.messages).not_to_contain_text("My secret")
    assert len(stage.asked_for("visitor/forget")) == 1
    assert "vt_1" not in dana.page.evaluate("JSON.stringify(localStorage)")


def test_tabs_agree_on_what_was_read(stages: Any) -> None:
    stage = stages()
    dana = talking(stage)
    other = Visitor.beside(dana)
    other.page.goto(f"{SHOP}/")
    other.page.locator("irisx-chat iframe").wait_for(state="attached")
    dana.page.bring_to_front()
    stage.page.keyboard.press("Escape")
    expect(dana.launcher).to_be_focused()
    when(
        stage.page, lambda: sum(f["type"] == "auth" for f in stage.heard) == 2, seconds=10, what="the second tab's line"
    )
    stage.say("News")
    for tab in (dana, other):
        expect(tab.page.get_by_role("button", name="Open chat (1 unread message)")).to_be_visible()
    dana.launcher.click()
    expect(dana.messages).to_contain_text("News")
    expect(other.page.get_by_role("button", name="Open chat", exact=True)).to_be_visible()


def test_rings_only_for_what_nobody_sees_and_never_when_switched_off(stages: Any) -> None:
    stage = stages()
    stage.visitor.context.add_init_script(
        "window.rung = 0; const Real = OscillatorNode;"
        "window.OscillatorNode = class extends Real { start(...all) { rung += 1; super.start(...all); } };"
    )
    dana = talking(stage)
    rung = lambda: dana.page.frames[1].evaluate("rung")  # noqa: E731
    stage.say("You see this")
    expect(dana.messages).to_contain_text("You see this")
    dana.panel.get_by_role("button", name="Close chat").click()
    stage.say("You hear this")
    when(stage.page, lambda: rung() == 2, seconds=10, what="the two notes")
    dana.open_widget()
    sound = dana.panel.get_by_role("menuitemcheckbox", name="Sound for new messages")
    for _ in range(5):  # a frame that loses its focus to the page, as one just opened may, puts its menu away
        if not sound.is_visible():
            dana.panel.get_by_role("button", name="Options").click()
        dana.page.wait_for_timeout(300)
    sound.click()
    dana.panel.get_by_role("button", name="Close chat").click()
    stage.say("You don't")
    expect(dana.page.get_by_role("button", name="Bob You don't")).to_be_visible()
    dana.page.wait_for_timeout(600)
    assert rung() == 2


def test_text_is_text(stages: Any) -> None:
    stage = stages()
    dana = talking(stage, HOSTILE)
    stage.say(HOSTILE, name='<b onclick="x">Bob</b>')
    expect(dana.messages.get_by_text(HOSTILE)).to_have_count(2)
    links = dana.messages.locator("a")
    found = [
        (link.get_attribute("href"), link.get_attribute("target"), link.get_attribute("rel")) for link in links.all()
    ]
    assert found == [("https://a.example/?q=1", "_blank", "noopener noreferrer nofollow ugc")] * 2
    assert dana.messages.locator("img, b").count() == 0
    assert dana.page.frames[1].evaluate("window.hit") is None


def test_an_identity_is_told_and_the_conversation_goes_over_to_a_known_person(stages: Any) -> None:
    stage = stages()
    dana = talking(stage)
    dana.page.evaluate("IRISX.identify('aaa.bbb.ccc')")
    patches = lambda: [body for method, path, body in stage.asked if (method, path) == ("PATCH", "visitor")]  # noqa: E731
    when(stage.page, lambda: patches() == [{"identity_jwt": "aaa.bbb.ccc"}], seconds=10, what="the identity")
    expect(dana.messages).to_contain_text("Hello")
    dana.page.evaluate("IRISX.setAttributes({plan: 'gold'})")
    when(stage.page, lambda: patches()[-1] == {"attributes": {"plan": "gold"}}, seconds=10, what="the attributes")
    stage.answers["visitor"] = [(200, {"id": "vi_2", "visitor_token": "vt_2"})]
    dana.page.evaluate("IRISX.identify('ddd.eee.fff')")
    tokens = lambda: [frame["visitor_token"] for frame in stage.heard if frame["type"] == "auth"]  # noqa: E731
    when(stage.page, lambda: tokens() == ["vt_1", "vt_2"], seconds=10, what="the other token")
    dana.say("As somebody known")
    expect(dana.messages).to_contain_text("Hello")
    expect(dana.messages).to_contain_text("As somebody known")
    assert len(stage.asked_for("conversation/start")) == 1


def test_goes_on_without_an_identity_the_server_does_not_believe(stages: Any) -> None:
    stage = stages()
    refusal = {
        "status": 422,
        "errors": [{"pointer": "/identity_jwt", "code": "identity-invalid", "detail": "Expired."}],
    }
    stage.answers["conversation/start"] = [(422, refusal)]
    dana = stage.begin()
    expect(dana.launcher).to_be_visible()
    stage.page.evaluate("IRISX.identify('aaa.bbb.ccc')")
    dana.open_widget()
    dana.say("Hello")
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    assert ["identity_jwt" in body for body in stage.asked_for("conversation/start")] == [True, False]


def test_files_chosen_before_the_first_word_begin_one_conversation(stages: Any) -> None:
    stage = stages()
    stored = {"file_name": "a.txt", "size": 3, "content_type": "text/plain", "is_image": False}
    stage.answers["attachments"] = [
        (201, {"id": "at_1", **stored}),
        (413, {"status": 413}),
        (201, {"id": "at_2", **stored}),
    ]
    dana = stage.begin()
    dana.open_widget()
    files: Any = [{"name": f"{name}.txt", "mimeType": "text/plain", "buffer": b"abc"} for name in "ab"]
    dana.panel.locator("#file").set_input_files(files)
    dana.say("Both of them")
    expect(dana.panel.get_by_text("This file is too large.")).to_be_visible()
    expect(dana.field).to_have_value("Both of them")
    dana.panel.get_by_role("button", name="Try again").click()
    expect(dana.panel.get_by_role("button", name="Try again")).to_be_hidden()
    dana.panel.get_by_role("button", name="Send").click()
    expect(dana.messages.get_by_text("Both of them")).to_be_visible()
    when(stage.page, lambda: len(stage.events) == 2, seconds=10, what="the second message")
    assert len(stage.asked_for("conversation/start")) == 1
    sends = stage.asked_for("message/send") + [f for f in stage.heard if f["type"] == "message.send"]
    assert sorted(sent["attachment_id"] for sent in sends) == ["at_1", "at_2"]


THEMES = ("light", "dark")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", ["greeting", "questions", "thread", "offline", "rating", "arabic"])
def test_meets_the_guidelines(stages: Any, state: str, theme: str) -> None:
    look: dict[str, Any] = {
        "greeting": {"auto_open_delay": 0},
        "questions": {"pre_chat_fields": FIELDS, "require_email": True},
        "offline": {**CLOSED, "opens_at": now()},
        "rating": {"primary_color": "#ffe14d"},
    }.get(state, {})
    stage = stages(look=look, tag=f'data-theme="{theme}" data-language="{"ar" if state == "arabic" else "en"}"')
    stage.visitor.page.emulate_media(reduced_motion="reduce")
    dana = stage.begin()
    button = stage.page.locator("irisx-chat .b")
    if state == "greeting":
        expect(stage.page.get_by_role("button", name="Hello! How can we help you?")).to_be_visible()
    elif state == "questions":
        button.click()
        dana.panel.get_by_role("button", name="Continue").click()
    else:
        button.click()
        dana.panel.locator("#text").fill("Hello https://a.example")
        stage.page.keyboard.press("Enter")
        when(stage.page, lambda: bool(stage.events), seconds=10, what="the message")
        stage.say("Hi")
    if state == "rating":
        stage.say_status("closed", by="agent")
        dana.panel.get_by_role("radio", name="Good").check()
    if state == "offline":
        dana.panel.get_by_role("button", name="Continue").click()
    if state in {"thread", "arabic"}:
        dana.panel.locator("#more").click()
    assert violations(stage.page) == []
    assert [small for frame in stage.page.frames[1:] for small in frame.evaluate(SMALL_TARGETS)] == []


SMALL_TARGETS = """() => [...document.querySelectorAll("button, a, input, select, textarea")]
  .filter((one) => one.offsetParent && !one.matches(".rate__input, .msg__bubble a"))
  .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .filter(([, { width, height }]) => Math.min(width, height) < 24).map(([html]) => html)"""


def test_the_guidelines_find_what_is_wrong(stages: Any) -> None:
    stage = stages()
    dana = talking(stage)
    dana.panel.locator("#name").evaluate("(name) => { name.style.color = '#eee'; }")
    assert any(line.startswith("color-contrast") for line in violations(stage.page))
