"""The widget on the customer's site as different visitors meet it."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.people import Visitor, when

GREETING = re.compile("We are away just now|How can we help you")


def png(width: int, height: int) -> bytes:
    """Return a green picture."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "#2a7f5b").save(file, "PNG")
    return file.getvalue()


pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo"), pytest.mark.timeout(180)]

PHONE = {"width": 390, "height": 760}
PICTURE: Any = {"name": "bike.png", "mimeType": "image/png", "buffer": png(40, 30)}
LETTER: Any = {"name": "letter.txt", "mimeType": "text/plain", "buffer": b"Dear workshop"}


@pytest.fixture
def dana(browser: Browser, demo: dict[str, Any]) -> Iterator[Visitor]:
    visitor = Visitor(browser, viewport={"width": 1280, "height": 820})
    visitor.page.goto(demo["pages"]["customer"])
    yield visitor
    assert visitor.errors == []
    visitor.context.close()


def _tabbed_to_the_launcher(visitor: Visitor) -> bool:
    visitor.page.keyboard.press("Tab")
    return bool(visitor.page.evaluate("document.activeElement.matches('irisx-chat')"))


def _tabbed_back_to_the_menu(visitor: Visitor) -> bool:
    visitor.page.keyboard.press("Shift+Tab")
    return bool(visitor.panel.locator("#more").evaluate("(button) => document.activeElement === button"))


def test_needs_no_mouse(dana: Visitor) -> None:
    keyboard = dana.page.keyboard
    expect(dana.launcher).to_be_visible()
    when(dana.page, lambda: _tabbed_to_the_launcher(dana), seconds=20, what="reaching the button by Tab")
    keyboard.press("Enter")
    expect(dana.field).to_be_focused()
    keyboard.type("Written without a mouse")
    keyboard.press("Shift+Enter")
    keyboard.type("on two lines")
    keyboard.press("Enter")
    expect(dana.messages).to_contain_text("Written without a mouse\non two lines")
    expect(dana.messages.get_by_text("Sent")).to_be_visible()

    when(dana.page, lambda: _tabbed_back_to_the_menu(dana), seconds=20, what="reaching the menu by Shift+Tab")
    keyboard.press("Enter")
    expect(dana.panel.get_by_role("menuitemcheckbox", name="Sound for new messages")).to_be_focused()
    keyboard.press("ArrowDown")
    expect(dana.panel.get_by_role("menuitem", name="End conversation")).to_be_focused()
    keyboard.press("Enter")
    expect(dana.panel.get_by_role("button", name="End it")).to_be_focused()
    keyboard.press("Enter")
    expect(dana.messages).to_contain_text("You ended the conversation")
    dana.panel.get_by_role("radio", name="Very bad").focus()
    for chosen in ("Bad", "Okay", "Good"):
        keyboard.press("ArrowRight")
        expect(dana.panel.get_by_role("radio", name=chosen, exact=True)).to_be_checked()
    keyboard.press("Tab")
    keyboard.press("Tab")
    expect(dana.panel.get_by_role("button", name="Send rating")).to_be_focused()
    keyboard.press("Enter")
    expect(dana.panel.get_by_text("Thank you for telling us.")).to_be_visible()
    keyboard.press("Escape")
    expect(dana.launcher).to_be_focused()


def test_a_closed_conversation_is_followed_by_a_new_one(dana: Visitor) -> None:
    dana.open_widget()
    dana.say("The first conversation")
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    dana.choose("End conversation")
    dana.panel.get_by_role("button", name="End it").click()
    expect(dana.messages).to_contain_text("You ended the conversation")
    dana.choose("Start a new conversation")
    expect(dana.messages).not_to_contain_text("The first conversation")
    dana.say("The second conversation")
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    dana.page.reload()
    expect(dana.messages).to_contain_text("The second conversation")


def test_writing_after_the_end_goes_on_with_the_conversation(dana: Visitor) -> None:
    dana.open_widget()
    dana.say("That is all")
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    dana.choose("End conversation")
    dana.panel.get_by_role("button", name="End it").click()
    expect(dana.panel.get_by_text("How was this conversation?")).to_be_visible()
    dana.say("No, one more thing")
    expect(dana.messages).to_contain_text("The conversation goes on")
    expect(dana.messages).to_contain_text("That is all")
    expect(dana.panel.get_by_text("How was this conversation?")).to_be_hidden()


def test_sends_files_and_sees_them_again(dana: Visitor) -> None:
    dana.open_widget()
    chosen = dana.panel.locator("#file")
    chosen.set_input_files([{**PICTURE, "name": "film.mov", "buffer": bytes(11_000_000)}])
    expect(dana.panel.get_by_text("Larger than 10 MB")).to_be_visible()
    dana.panel.get_by_role("button", name="Remove film.mov").click()
    chosen.set_input_files([PICTURE, LETTER])
    dana.say("This is how it looks")
    expect(dana.messages).to_contain_text("This is how it looks")
    for _ in range(2):
        image = dana.messages.get_by_role("img", name="bike.png")
        when(dana.page, lambda: image.evaluate("(image) => image.naturalWidth") == 40, seconds=20, what="the picture")  # noqa: B023 - called at once
        with dana.page.expect_download() as download:
            dana.messages.get_by_role("link", name="Open letter.txt").click()
        assert download.value.path().read_bytes() == LETTER["buffer"]
        dana.page.reload()


def test_is_forgotten_here_and_on_the_server(dana: Visitor, demo: dict[str, Any]) -> None:
    tokens: list[str] = []
    dana.page.on("request", lambda request: tokens.append(request.headers.get("authorization", "")))
    dana.open_widget()
    dana.say("My secret")
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    dana.choose("Delete my data")
    dana.panel.get_by_role("button", name="Delete everything").click()
    expect(dana.panel.get_by_text("Everything was deleted.")).to_be_visible()
    expect(dana.messages).not_to_contain_text("My secret")
    token = next(token for token in reversed(tokens) if token)
    answer = dana.context.request.get(f"{demo['base_url']}/v1/chat/visitor", headers={"Authorization": token})
    assert answer.status == 401
    dana.page.reload()
    expect(dana.messages).to_contain_text(GREETING)  # which one says whether an agent was there a minute ago
    expect(dana.messages).not_to_contain_text("My secret")


def test_makes_no_cookie_and_no_frame_before_it_is_wanted(dana: Visitor) -> None:
    expect(dana.launcher).to_be_visible()
    assert len(dana.page.frames) == 1
    assert dana.context.cookies() == []
    dana.launcher.hover()
    when(dana.page, lambda: len(dana.page.frames) == 2, seconds=5, what="the panel's frame")


def test_speaks_to_the_page_that_asked_before_it_was_there(browser: Browser, demo: dict[str, Any]) -> None:
    dana = Visitor(browser)
    dana.page.add_init_script(
        "window.said = [];"
        "window.IRISX = [['on', 'ready', () => said.push('ready')], ['on', 'open', () => said.push('open')], ['open']];"
    )
    dana.page.goto(demo["pages"]["customer"])
    expect(dana.field).to_be_visible()
    assert dana.page.evaluate("said") == ["ready", "open"]
    dana.page.evaluate("IRISX.close()")
    expect(dana.field).to_be_hidden()
    dana.context.close()


def test_fills_a_phone_and_gives_it_back(browser: Browser, demo: dict[str, Any]) -> None:
    dana = Visitor(browser, viewport=PHONE, has_touch=True, is_mobile=True)
    dana.page.goto(demo["pages"]["customer"])
    dana.launcher.tap()
    expect(dana.field).to_be_visible()
    frame = dana.page.locator("iframe[title=Chat]")
    when(dana.page, lambda: frame.bounding_box() == {"x": 0, "y": 0, **PHONE}, seconds=5, what="filling the phone")
    assert dana.field.evaluate("(field) => parseFloat(getComputedStyle(field).fontSize)") >= 16
    dana.picture("widget-phone")
    dana.panel.get_by_role("button", name="Close chat").tap()
    expect(dana.launcher).to_be_visible()
    dana.context.close()
