"""Mending one's own message, and seeing the other side's mended: at the desk and in the panel."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import violations
from tests.browser.desk_stage import DeskStage, ago, row, said, taken
from tests.browser.people import Visitor
from tests.browser.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]

PHONE = {"viewport": {"width": 390, "height": 760}, "has_touch": True, "is_mobile": True}
LANGUAGES = {"en": "Edited", "de": "Bearbeitet", "es": "Editado", "ar": "مُعدَّلة"}


@pytest.fixture
def panels(browser: Browser) -> Iterator[Any]:
    made: list[Stage] = []

    def make(**options: Any) -> tuple[Stage, Visitor]:
        made.append(Stage(browser, **options))
        dana = made[-1].begin()
        dana.page.locator("irisx-chat button").first.click()  # in whatever language
        return made[-1], dana

    yield make
    for stage in made:
        assert stage.visitor.errors == []
        stage.visitor.context.close()


@pytest.fixture
def desks(browser: Browser) -> Iterator[Any]:
    made: list[DeskStage] = []

    def make(*rows: Any, **options: Any) -> DeskStage:
        made.append(DeskStage(browser, rows, **options))
        return made[-1]

    yield make
    for stage in made:
        assert stage.agent.errors == []
        stage.agent.context.close()


def first(stage: Stage) -> str:
    """Return the id of the first message of the log."""
    return str(stage.events[0]["event"]["payload"]["message"]["id"])


def test_a_visitor_mends_a_message_by_keys_alone(panels: Any) -> None:
    stage, dana = panels()
    dana.say("I need a blu bike")
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    stage.page.keyboard.press("ArrowUp")
    field = dana.panel.get_by_label("New text of the message")
    expect(field).to_be_focused()
    expect(field).to_have_value("I need a blu bike")
    assert violations(stage.page) == []
    dana.picture("panel-editing")
    field.fill("I need a blue bike")
    stage.page.keyboard.press("Enter")
    expect(dana.field).to_be_focused()
    expect(dana.messages.get_by_text("I need a blue bike", exact=True)).to_be_visible()
    expect(dana.messages.get_by_text("I need a blu bike", exact=True)).to_have_count(0)
    expect(dana.messages.get_by_text("Edited", exact=True)).to_be_visible()
    dana.picture("panel-edited")
    stage.page.keyboard.press("ArrowUp")
    field.fill("Never said")
    stage.page.keyboard.press("Escape")
    expect(dana.field).to_be_focused()
    expect(field).to_have_count(0)
    path = f"conversation/{stage.id}/messages/{first(stage)}/edit"
    assert stage.asked_for(path) == [{"text": "I need a blue bike"}]


def test_a_visitor_hears_why_a_message_stays_as_it_is(panels: Any) -> None:
    stage, dana = panels()
    dana.say("Hello")
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    stage.answers[f"conversation/{stage.id}/messages/{first(stage)}/edit"] = [
        (409, {"status": 409, "code": "too-late"})
    ]
    dana.panel.get_by_role("button", name="Edit “Hello”").click()
    dana.panel.get_by_label("New text of the message").fill("Hallo")
    dana.panel.get_by_role("button", name="Save").click()
    expect(dana.panel.get_by_role("alert").filter(has_text="This can no longer be changed.")).to_be_visible()
    assert violations(stage.page) == []
    dana.panel.get_by_role("button", name="Cancel").click()
    expect(dana.messages.get_by_text("Hello", exact=True)).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_visitor_sees_an_answer_mended_and_after_a_reload_too(panels: Any, language: str) -> None:
    stage, dana = panels(tag=f'data-language="{language}"')
    dana.panel.locator("#text").fill("Hello")
    stage.page.keyboard.press("Enter")
    expect(dana.panel.locator(".msg__state[data-state=sent]")).to_be_visible()
    stage.say("We open at 8")
    answer = dana.panel.locator(".msg").filter(has_text="We open at 8")
    expect(answer).to_be_visible()
    stage.mend(str(stage.events[-1]["event"]["payload"]["message"]["id"]), "We open at 9")
    mended = dana.panel.locator(".msg").filter(has_text="We open at 9")
    expect(mended).to_contain_text(LANGUAGES[language])
    expect(answer).to_have_count(0)
    stage.page.reload()
    expect(mended).to_contain_text(LANGUAGES[language])
    expect(dana.panel.locator(".msg--mine")).to_have_count(1)
    dana.picture(f"panel-edited-{language}")


def test_nothing_can_be_mended_after_the_end(panels: Any) -> None:
    stage, dana = panels()
    dana.say("Hello")
    button = dana.panel.get_by_role("button", name="Edit “Hello”")
    expect(button).to_have_count(1)
    stage.say_status("closed", by="agent")
    expect(button).to_have_count(0)


def test_an_agent_mends_a_reply_and_a_note(desks: Any) -> None:
    stage = desks(row(1, **taken()))
    bob = stage.begin("#cc_1")
    expect(bob.messages).to_contain_text("Question 1")
    stage.log("cc_1", said("We open at 8", "agent", created_at=ago()))
    stage.log("cc_1", said("A colleague's", "agent", sender_id="us_a", sender_name="Alice", created_at=ago()))
    stage.log("cc_1", said("Long ago", "agent", created_at=ago(minutes=16)))
    stage.log("cc_1", said("VIP", "agent", message_type="note", created_at=ago()))
    buttons = bob.page.locator(".msg__edit")
    expect(buttons).to_have_count(2)
    bob.page.get_by_role("button", name="Edit “We open at 8”").click()
    field = bob.page.get_by_label("New text of the message")
    expect(field).to_be_focused()
    assert violations(bob.page) == []
    bob.picture("desk-editing")
    field.fill("We open at 9")
    bob.page.get_by_role("button", name="Save").click()
    expect(bob.messages.get_by_text("We open at 9", exact=True)).to_be_visible()
    expect(bob.page.get_by_role("button", name="Edit “We open at 9”")).to_be_focused()
    bob.field.focus()
    bob.page.keyboard.press("ArrowUp")
    expect(field).to_have_value("VIP")
    field.fill("No VIP")
    bob.page.keyboard.press("Enter")
    expect(bob.messages.get_by_text("No VIP", exact=True)).to_be_visible()
    expect(bob.messages.get_by_text("Edited", exact=True)).to_have_count(2)
    bob.picture("desk-edited")
    assert violations(bob.page) == []
    assert stage.asked_for("conversation/cc_1/messages/cm_VIP/edit") == [{"text": "No VIP"}]


def test_the_desk_shows_a_visitors_mended_message_live_and_when_the_doorbell_was_lost(desks: Any) -> None:
    stage = desks(row(1, **taken()))
    bob = stage.begin("#cc_1")
    expect(bob.messages).to_contain_text("Question 1")
    stage.mend("cc_1", "cm_Question 1", "Question one")
    expect(bob.messages.get_by_text("Question one", exact=True)).to_be_visible()
    sockets, stage.sockets = stage.sockets, []  # the doorbell is lost
    stage.mend("cc_1", "cm_Question 1", "Question 1, once more")
    stage.sockets = sockets
    stage.frame("ping", now=ago(), epoch="1", heads={"cc_1": 3}, inbox={"open": 1, "versions": 1})
    expect(bob.messages.get_by_text("Question 1, once more", exact=True)).to_be_visible()
    bob.page.reload()
    expect(bob.messages.get_by_text("Question 1, once more", exact=True)).to_be_visible()
    expect(bob.messages.get_by_text("Edited", exact=True)).to_have_count(1)


def test_a_finger_can_hit_the_pencil(panels: Any, desks: Any) -> None:
    _, dana = panels(**PHONE)
    dana.panel.locator("#text").fill("Hello")
    dana.panel.locator("#send").click()
    pencil = dana.panel.get_by_role("button", name=re.compile("^Edit "))
    box = pencil.bounding_box()
    assert min(box["width"], box["height"]) >= 44
    dana.picture("panel-phone-pencil")
    pencil.tap()
    expect(dana.panel.get_by_label("New text of the message")).to_be_focused()
    assert all(
        b["height"] >= 43.5
        for b in (e.bounding_box() for e in dana.panel.locator(".edit button, .edit textarea").all())
    )
    dana.picture("panel-phone-editing")
    desk = desks(row(1, **taken()), **PHONE)
    bob = desk.begin("#cc_1")
    expect(bob.messages).to_contain_text("Question 1")
    desk.log("cc_1", said("We open at 8", "agent", created_at=ago()))
    bob.page.get_by_role("button", name="Edit “We open at 8”").tap()
    bob.picture("desk-phone-editing")
    assert all(
        b["height"] >= 43.5 for b in (e.bounding_box() for e in bob.page.locator(".edit button, .edit textarea").all())
    )
