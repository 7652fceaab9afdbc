"""What stands on a customer's page, and what the page may ask of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.people import when
from tests.browser.stage import IRISX, KEY, SHOP, Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]

PHONE = {"viewport": {"width": 390, "height": 760}, "has_touch": True, "is_mobile": True}
OTHER = KEY.replace("1", "2")


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


def test_needs_nothing_of_the_page_but_three_directives(stages: Any) -> None:
    stage = stages()
    dana = stage.begin()
    dana.open_widget()
    dana.say("Under a strict policy")
    expect(dana.messages).to_contain_text("Under a strict policy")
    assert dana.context.cookies() == []
    assert stage.asked_for("conversation/start")[0]["page_url"] == f"{SHOP}/"


def test_answers_calls_made_before_it_was_there(stages: Any) -> None:
    stage = stages()
    stage.page.add_init_script(
        "window.said = []; window.IRISX = {q: [['on', 'ready', () => said.push('ready')],"
        " ['on', 'open', () => said.push('open')], ['setAttributes', {plan: 'gold'}], ['open']]};"
    )
    dana = stage.begin()
    expect(dana.field).to_be_visible()
    assert stage.page.evaluate("said") == ["ready", "open"]
    dana.say("Hello")
    when(stage.page, lambda: bool(stage.asked_for("conversation/start")), seconds=10, what="the start")
    assert stage.asked_for("conversation/start")[0]["attributes"] == {"plan": "gold"}


def test_opens_closes_hides_and_tells_who_listens(stages: Any) -> None:
    stage = stages()
    dana = stage.begin()
    expect(dana.launcher).to_be_visible()
    stage.page.evaluate(
        "() => { window.said = []; const note = () => said.push('open'); IRISX.on('open', note); IRISX.toggle();"
        " IRISX.on('close', () => said.push('close')); IRISX.close(); IRISX.off('open', note); IRISX.open(); }"
    )
    expect(dana.field).to_be_visible()
    stage.page.evaluate("IRISX.hide()")
    expect(stage.page.locator("irisx-chat")).to_be_hidden()
    stage.page.evaluate("IRISX.show()")
    expect(dana.launcher).to_be_visible()
    expect(dana.field).to_be_hidden()
    assert stage.page.evaluate("said") == ["open", "close", "close"]


def test_gives_the_focus_back_to_where_it_came_from(stages: Any) -> None:
    stage = stages()
    dana = stage.begin()
    expect(dana.launcher).to_be_visible()
    stage.page.evaluate("() => { document.getElementById('help').onclick = () => IRISX.open(); }")
    stage.page.get_by_role("button", name="Help").focus()
    stage.page.keyboard.press("Enter")
    expect(dana.field).to_be_focused()
    stage.page.keyboard.press("Escape")
    expect(stage.page.get_by_role("button", name="Help")).to_be_focused()


def test_follows_a_single_page_application_once_for_each_page(stages: Any) -> None:
    stage = stages()
    dana = stage.begin()
    dana.open_widget()
    dana.say("Hello")
    pages = lambda: [(f["url"], f["title"]) for f in stage.heard if f["type"] == "page"]  # noqa: E731
    when(stage.page, lambda: pages() == [(f"{SHOP}/", "Shop")], seconds=10, what="the first page")
    stage.page.evaluate(
        "history.pushState({}, '', '/bikes'); setTimeout(() => { document.title = 'Bikes'; }, 60);"
        "setTimeout(() => { document.title = '(1) Bikes'; }, 200)"
    )
    when(stage.page, lambda: len(pages()) == 2, seconds=10, what="the second page")
    when(stage.page, lambda: stage.page.title() == "(1) Bikes", seconds=10, what="a title that blinks")
    stage.page.evaluate("history.replaceState({}, '', '/bikes'); document.title = 'Bikes'")
    stage.page.evaluate("history.pushState({}, '', '/visit')")
    when(stage.page, lambda: len(pages()) == 3, seconds=10, what="the third page")
    assert pages()[1:] == [(f"{SHOP}/bikes", "Bikes"), (f"{SHOP}/visit", "Bikes")]


def test_a_script_that_comes_again_changes_nothing_another_key_changes_the_widget(stages: Any) -> None:
    stage = stages()
    dana = stage.begin()
    expect(dana.launcher).to_be_visible()
    add = "([src, key]) => { document.querySelector('script').remove(); const tag = document.createElement('script');"
    add += " tag.src = src; tag.dataset.widgetKey = key; return new Promise((done) => {"
    add += " tag.onload = done; document.head.append(tag); }); }"
    looks = lambda: [path for _, path, _ in stage.asked if path.startswith("widget/")]  # noqa: E731
    stage.page.context.unroute(f"{SHOP}/**")
    stage.page.context.route(f"{SHOP}/**", lambda route: _open_shop(route, stage))
    stage.page.reload()
    expect(dana.launcher).to_be_visible()
    before = len(looks())
    stage.page.evaluate(add, [f"{IRISX}/widget.js", KEY])
    expect(stage.page.locator("irisx-chat")).to_have_count(1)
    assert len(looks()) == before
    stage.page.evaluate(add, [f"{IRISX}/widget.js", OTHER])
    when(stage.page, lambda: looks()[-1] == f"widget/{OTHER}", seconds=10, what="the other widget")
    expect(dana.launcher).to_be_visible()
    expect(stage.page.locator("irisx-chat")).to_have_count(1)


def _open_shop(route: Any, stage: Stage) -> None:
    """Answer with the shop, without the policy that forbids scripts to add scripts."""
    route.fulfill(
        body=f'<!doctype html><title>Shop</title><script async src="{IRISX}/widget.js" data-widget-key="{KEY}"></script>',
        content_type="text/html",
    )


def test_opens_by_itself_once_and_takes_no_focus(stages: Any) -> None:
    stage = stages(look={"auto_open": True, "auto_open_delay": 0})
    dana = stage.begin()
    expect(dana.field).to_be_visible()
    assert stage.page.evaluate("document.activeElement === document.body")
    dana.panel.get_by_role("button", name="Close chat").click()
    expect(dana.field).to_be_hidden()
    stage.page.reload()
    expect(dana.launcher).to_be_visible()
    when(stage.page, lambda: stage.page.evaluate("performance.now()") > 1500, seconds=10, what="a while")
    expect(dana.field).to_be_hidden()


def test_greets_beside_the_button_and_can_be_sent_away(stages: Any) -> None:
    stage = stages(look={"auto_open": True, "auto_open_delay": 0, "greeting_message": "<b>Ahoy</b>"}, **PHONE)
    dana = stage.begin()
    greeting = stage.page.get_by_role("button", name="<b>Ahoy</b>")
    expect(greeting).to_be_visible()
    expect(stage.page.locator("irisx-chat iframe")).to_have_count(0)
    stage.page.get_by_role("button", name="Close message").tap()
    expect(greeting).to_be_hidden()
    stage.page.reload()
    expect(dana.launcher).to_be_visible()
    when(stage.page, lambda: stage.page.evaluate("performance.now()") > 1500, seconds=10, what="a while")
    expect(greeting).to_be_hidden()


@pytest.mark.parametrize("position", ["bottom-right", "bottom-left", "top-right", "top-left"])
def test_stands_in_the_corner_it_was_given_whatever_the_language(stages: Any, position: str) -> None:
    stage = stages(look={"widget_position": position}, tag='data-language="ar"')
    stage.begin()
    box = stage.page.locator("irisx-chat .b").bounding_box()
    assert box is not None
    edge = ("top" if box["y"] < 300 else "bottom", "left" if box["x"] < 300 else "right")
    assert "-".join(edge) == position
    stage.page.locator("irisx-chat .b").click()
    panel = stage.page.locator("irisx-chat iframe")
    when(stage.page, lambda: _is_inside(panel.bounding_box()), seconds=5, what="the panel inside the page")


def _is_inside(box: Any) -> bool:
    return bool(
        box and box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= 1100 and box["y"] + box["height"] <= 780
    )


def test_on_a_phone_the_page_behind_waits(stages: Any) -> None:
    stage = stages(**PHONE)
    dana = stage.begin()
    dana.launcher.tap()
    expect(dana.field).to_be_visible()
    state = "[document.documentElement.style.overflow, document.body.inert]"
    assert stage.page.evaluate(state) == ["hidden", True]
    expect(stage.page.locator("irisx-chat [role=dialog]")).to_have_attribute("aria-modal", "true")
    dana.panel.get_by_role("button", name="Close chat").tap()
    expect(dana.launcher).to_be_visible()
    assert stage.page.evaluate(state) == ["", False]


def test_shows_what_was_said_while_it_was_closed(stages: Any) -> None:
    stage = stages()
    dana = stage.begin()
    dana.open_widget()
    dana.say("Hello")
    when(stage.page, lambda: any(f["type"] == "read" for f in stage.heard), seconds=10, what="the first mark")
    stage.page.evaluate(
        "window.said = []; IRISX.on('unread', (what) => said.push(what.count));"
        "IRISX.on('message', (what) => said.push(what.text))"
    )
    stage.page.keyboard.press("Escape")
    title = stage.page.title()
    stage.say("It is in stock.")
    stage.say("In blue.")
    when(stage.page, lambda: len(stage.page.evaluate("said")) == 4, seconds=10, what="the page's knowledge of it")
    assert set(stage.page.evaluate("said")) == {1, 2, "It is in stock.", "In blue."}
    expect(stage.page.get_by_role("button", name="Open chat (2 unread messages)")).to_be_visible()
    expect(stage.page.get_by_role("button", name="Bob In blue.")).to_be_visible()
    assert stage.page.title() == title
    stage.page.reload()
    expect(stage.page.get_by_role("button", name="Open chat (2 unread messages)")).to_be_visible()
    stage.page.locator("irisx-chat .b").click()
    expect(dana.messages).to_contain_text("In blue.")
    expect(stage.page.get_by_role("button", name="Close chat")).to_be_visible()
    when(stage.page, lambda: stage.heard[-1]["type"] == "read", seconds=10, what="the mark")


def test_speaks_the_language_of_tag_call_and_browser(stages: Any) -> None:
    stage = stages(tag='data-language="de-AT"')
    dana = stage.begin()
    stage.page.get_by_role("button", name="Chat öffnen").click()
    expect(dana.panel.get_by_label("Ihre Nachricht")).to_be_visible()
    expect(dana.panel.get_by_text("Hallo! Wie können wir Ihnen helfen?")).to_be_visible()
    stage.page.evaluate("IRISX.setLanguage('ar')")
    expect(dana.panel.get_by_label("رسالتك")).to_be_visible()
    assert dana.panel.locator("html").evaluate("(root) => [root.lang, root.dir]") == ["ar", "rtl"]
    expect(stage.page.get_by_role("button", name="أغلق المحادثة")).to_be_visible()


def test_reset_forgets_who_it_was(stages: Any) -> None:
    stage = stages()
    dana = stage.begin()
    dana.open_widget()
    dana.say("My secret")
    expect(dana.messages).to_contain_text("My secret")
    stage.page.evaluate("IRISX.reset()")
    expect(dana.field).to_be_hidden()
    stage.page.reload()
    dana.open_widget()
    expect(dana.messages).not_to_contain_text("My secret")
    dana.say("Somebody else")
    expect(dana.messages).to_contain_text("Somebody else")
    assert "visitor_token" not in stage.asked_for("conversation/start")[-1]
