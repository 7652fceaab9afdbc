"""The desk as different agents use it."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.people import Agent, Visitor, when

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo"), pytest.mark.timeout(180)]


@pytest.fixture
def dana(browser: Browser, demo: dict[str, Any]) -> Iterator[Visitor]:
    visitor = Visitor(browser)
    visitor.page.goto(demo["pages"]["customer"])
    visitor.open_widget()
    yield visitor
    visitor.leave()


def at_the_desk(browser: Browser, demo: dict[str, Any], **context: Any) -> Agent:
    agent = Agent(browser, **context)
    agent.sign_in(demo["pages"]["desk"], demo["users"]["agent"])
    return agent


def test_needs_no_mouse_and_keeps_notes_inside(browser: Browser, demo: dict[str, Any], dana: Visitor) -> None:
    bob = at_the_desk(browser, demo)
    keyboard = bob.page.keyboard
    dana.say("Is anybody there, without a mouse?")
    row = bob.row("without a mouse?")
    expect(row).to_be_visible()
    for _ in range(bob.page.get_by_role("option").count() + 1):
        keyboard.press("j")
        if "row--marked" in (row.get_attribute("class") or ""):
            break
    keyboard.press("Enter")
    expect(bob.messages).to_contain_text("without a mouse?")
    keyboard.press("a")
    expect(bob.field).to_be_focused()
    keyboard.press("Escape")
    keyboard.press("n")
    keyboard.type("Only we may read this.")
    keyboard.press("Enter")
    expect(bob.messages).to_contain_text("Only we may read this.")
    keyboard.press("Escape")
    keyboard.press("r")
    keyboard.type("Yes, me.")
    keyboard.press("Enter")
    expect(dana.messages).to_contain_text("Yes, me.")
    assert "Only we may read this." not in dana.messages.inner_text()
    keyboard.press("Escape")
    keyboard.press("e")
    expect(dana.messages).to_contain_text("The conversation was closed")
    keyboard.press("?")
    expect(bob.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert bob.errors == []
    bob.context.close()


def test_shows_one_pane_at_a_time_on_a_phone(browser: Browser, demo: dict[str, Any], dana: Visitor) -> None:
    bob = at_the_desk(browser, demo, viewport={"width": 390, "height": 760}, has_touch=True, is_mobile=True)
    dana.say("Can you read me on the train?")
    row = bob.row("on the train?")
    row.tap()
    expect(bob.messages).to_contain_text("on the train?")
    expect(row).to_be_hidden()
    bob.page.get_by_role("button", name="Details").tap()
    expect(bob.messages).to_be_hidden()
    expect(bob.page.get_by_role("complementary", name="Visitor")).to_contain_text("Came from")
    bob.page.go_back()
    expect(bob.messages).to_be_visible()
    bob.page.go_back()
    expect(row).to_be_visible()
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not bob.page.evaluate(wide)
    bob.context.close()


def test_says_when_the_line_is_dead_and_sends_when_it_is_back(
    browser: Browser, demo: dict[str, Any], dana: Visitor
) -> None:
    bob = at_the_desk(browser, demo)
    dana.say("A question before the tunnel")
    bob.row("before the tunnel").click()
    bob.accept()
    bob.context.set_offline(True)
    bob.say("An answer from inside the tunnel")
    expect(bob.messages.get_by_text("Waiting to send")).to_be_visible()
    expect(bob.page.get_by_text("You are offline.")).to_be_visible()
    bob.context.set_offline(False)
    expect(dana.messages).to_contain_text("An answer from inside the tunnel")
    expect(bob.messages.get_by_text("An answer from inside the tunnel")).to_have_count(1)
    when(bob.page, lambda: bob.page.locator("#line").is_hidden(), seconds=30, what="the end of the banner")
    bob.context.close()
