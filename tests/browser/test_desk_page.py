"""The desk's page, with the server's part played by the test."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk_stage import ALICE, DeskStage, ago, offered, row, said, taken
from tests.browser.people import when

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(90)]

PHONE = {"viewport": {"width": 390, "height": 760}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def stages(browser: Browser) -> Iterator[Any]:
    """Make stages; afterwards no page may have complained."""
    made: list[DeskStage] = []

    def make(*rows: dict[str, Any], **options: Any) -> DeskStage:
        made.append(DeskStage(browser, rows, **options))
        return made[-1]

    yield make
    for stage in made:
        assert stage.agent.errors == []
        stage.agent.context.close()


def test_an_offer_is_shown_at_once_and_taken_by_a_key(stages: Any) -> None:
    stage = stages()
    bob = stage.begin()
    expect(bob.page.get_by_text("No chats of yours")).to_be_visible()
    stage.change("cc_7", **offered())
    strip = bob.page.locator("#offer")
    expect(strip).to_contain_text("New chat from Visitor 7")
    expect(strip.locator(".offer__left")).to_have_text(re.compile(r"^(60|[45]\d) s$"))
    assert bob.page.title().startswith("(1)")
    bob.page.keyboard.press("a")
    expect(bob.field).to_be_focused()
    expect(strip).to_be_hidden()
    assert stage.asked_for("conversation/cc_7/accept") == [{}]


def test_an_offer_that_went_to_another_is_gone(stages: Any) -> None:
    stage = stages(row(7, **offered()))
    bob = stage.begin()
    strip = bob.page.locator("#offer")
    expect(strip).to_be_visible()
    stage.change("cc_7", **taken(ALICE))
    expect(strip).to_be_hidden()
    bob.page.get_by_role("button", name="Team").click()
    expect(bob.page.get_by_role("option")).to_have_count(1)


def test_a_colleagues_chat_takes_notes_only(stages: Any) -> None:
    stage = stages(row(1, **taken(ALICE)))
    bob = stage.begin("#cc_1")
    expect(bob.page.get_by_text("Alice is answering this chat.")).to_be_visible()
    expect(bob.field).to_be_hidden()
    bob.page.keyboard.press("n")
    bob.page.keyboard.type("She knows the case.")
    bob.page.keyboard.press("Enter")
    expect(bob.messages).to_contain_text("She knows the case.")
    assert [frame for frame in stage.heard if frame["type"] == "message.send"] == []


def test_says_what_was_received_and_read_on_both_sides(stages: Any) -> None:
    stage = stages(row(1, **taken()))
    bob = stage.begin("#cc_1")
    when(bob.page, lambda: bool(stage.told("read")), seconds=10, what="the read mark")
    assert [(frame["conversation_id"], frame["seq"]) for frame in stage.told("delivered")] == [("cc_1", 1)]
    bob.say("An answer")
    visitor = {"type": "visitor", "id": "vi_1"}
    for type, word in (("sent", "Sent"), ("delivered", "Delivered"), ("read", "Seen"), ("delivered", "Seen")):
        if type != "sent":
            stage.frame(type, conversation_id="cc_1", participant=visitor, seq=2)
        expect(bob.messages.locator(".msg__state")).to_have_text(word)


def test_tells_that_a_message_of_mine_has_arrived_though_it_is_not_open(stages: Any) -> None:
    stage = stages(row(1, **taken()), row(2, **taken()))
    bob = stage.begin("#cc_1")
    expect(bob.messages).to_contain_text("Question 1")
    stage.change("cc_2", last_seq=5, unread_count=2)
    arrived = {"v": 1, "type": "delivered", "conversation_id": "cc_2", "seq": 5}
    when(bob.page, lambda: arrived in stage.heard, seconds=10, what="the delivered mark")
    assert all(frame["conversation_id"] != "cc_2" for frame in stage.told("read"))


def test_labels_are_put_on_and_taken_off(stages: Any) -> None:
    stage = stages(row(1, **taken(labels=["vip"])))
    bob = stage.begin("#cc_1")
    expect(bob.messages).to_contain_text("Question 1")
    bob.page.keyboard.press("l")
    dialog = bob.page.get_by_role("dialog", name="Labels")
    bob.page.keyboard.type("lost parcel")
    bob.page.keyboard.press("Enter")
    expect(bob.page.locator("#who")).to_contain_text("lost parcel")
    expect(dialog.get_by_role("option", name="vip")).to_have_attribute("aria-selected", "true")
    dialog.get_by_role("option", name="vip").click()
    expect(bob.page.locator("#who")).not_to_contain_text("vip")
    sent = [body["labels"] for body in stage.asked_for("conversation/cc_1/labels")]
    assert sent == [["vip", "lost parcel"], ["lost parcel"]]


def test_a_chat_is_handed_to_a_colleague_with_a_note(stages: Any) -> None:
    stage = stages(row(1, **taken()))
    bob = stage.begin("#cc_1")
    expect(bob.messages).to_contain_text("Question 1")
    bob.page.keyboard.press("t")
    dialog = bob.page.get_by_role("dialog", name="Transfer this chat")
    expect(dialog.get_by_role("radio")).to_have_count(2)
    expect(dialog.get_by_role("radio", name="Alice")).to_be_checked()
    expect(dialog).to_contain_text("Online · 2 of 5 chats")
    dialog.get_by_label("Note").fill("Speaks German.")
    dialog.get_by_role("button", name="Transfer").click()
    expect(bob.page.get_by_text("Alice is answering this chat.")).to_be_visible()
    assert stage.asked_for("conversation/cc_1/transfer") == [{"agent": ALICE["id"], "note": "Speaks German."}]


def test_a_closed_chat_is_read_and_reopened(stages: Any) -> None:
    stage = stages(row(1, **taken(status="closed", closed_at=ago(minutes=1), rating=4)))
    bob = stage.begin("#cc_1")
    expect(bob.page.locator("#bar")).to_contain_text("This chat is closed · Rated 4 of 5")
    expect(bob.field).to_be_hidden()
    bob.page.keyboard.press("o")
    expect(bob.field).to_be_focused()


def test_canned_replies_open_by_a_slash_and_are_filled_in(stages: Any) -> None:
    stage = stages(row(1, **taken(visitor={"id": "vi_1", "name": "", "email": "dana@example.com"})))
    stage.answers["canned-replies"] = {
        "results": [
            {"id": "cr_1", "shortcut": "bye", "text": "Goodbye from {{company}}"},
            {
                "id": "cr_2",
                "shortcut": "hello",
                "text": "Hi {{visitor.name}} <{{visitor.email}}>, {{agent.name}} here. {{x}}",
            },
        ]
    }
    bob = stage.begin("#cc_1")
    expect(bob.messages).to_contain_text("Question 1")
    bob.page.keyboard.press("r")
    bob.page.keyboard.type("/")
    menu = bob.page.get_by_role("listbox", name="Canned replies")
    expect(menu.get_by_role("option")).to_have_count(2)
    bob.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(bob.field).to_have_value("/")
    bob.page.keyboard.type("good")
    expect(menu.get_by_role("option")).to_have_count(1)
    bob.field.fill("/")
    bob.page.keyboard.press("ArrowDown")
    bob.page.keyboard.press("Tab")
    expect(bob.field).to_have_value("Hi there <dana@example.com>, Bob here. {{x}}")
    bob.page.keyboard.press("Enter")
    expect(bob.messages).to_contain_text("Hi there <dana@example.com>")


def test_search_opens_the_message_that_was_found(stages: Any) -> None:
    stage = stages(row(1, **taken(last_seq=400)))
    stage.logs["cc_1"] = [said(f"Line {number}") for number in range(1, 401)]
    found = {
        "id": "cm_9",
        "seq": 9,
        "text": "Line 9",
        "sender_type": "visitor",
        "sender_name": "Dana",
        "created_at": ago(),
        "highlight": [[5, 6]],
    }
    stage.answers["search"] = {"results": [{"conversation": stage.rows["cc_1"], "message": found}]}
    bob = stage.begin()
    bob.page.keyboard.press("Control+k")
    bob.page.keyboard.type("line")
    option = bob.page.get_by_role("dialog", name="Search").get_by_role("option")
    expect(option.locator("mark")).to_have_text("9")
    bob.page.keyboard.press("Enter")
    line = bob.messages.get_by_text("Line 9", exact=True)
    expect(line).to_be_in_viewport()
    expect(bob.page.locator(".msg--found")).to_contain_text("Line 9")


def test_only_safe_addresses_become_links_and_text_stays_text(stages: Any) -> None:
    text = "<b>x</b> javascript:alert(1) https://shop.test/a mailto:dana@example.com data:text/html,x"
    bad: dict[str, Any] = {
        "page_url": "javascript:alert(1)",
        "page_title": "A <i>page</i>",
        "referrer": "data:text/html,x",
    }
    stage = stages(row(1, **taken(**bad)))
    stage.logs["cc_1"] = [said(text)]
    bob = stage.begin("#cc_1")
    expect(bob.messages).to_contain_text("<b>x</b> javascript:alert(1)")
    facts = bob.page.get_by_role("complementary", name="Visitor")
    expect(facts).to_contain_text("A <i>page</i>")
    addresses = bob.page.locator("#thread a, #facts a").evaluate_all("(all) => all.map((a) => a.getAttribute('href'))")
    assert addresses == ["https://shop.test/a", "mailto:dana@example.com", "https://shop.test/repairs"]


def test_the_banner_says_what_is_true(stages: Any) -> None:
    stage = stages(row(1, **taken()))
    stage.page.add_init_script("Math.random = () => 0.9")  # it comes back after 27 of 30 seconds
    bob = stage.begin("#cc_1")
    expect(bob.messages).to_contain_text("Question 1")
    line = bob.page.locator("#line")
    expect(line).to_be_hidden()
    stage.frame("restart", retry_after_seconds=30)
    stage.hang_up(1012)
    expect(line).to_contain_text("Trying again")
    bob.say("Written meanwhile")
    expect(bob.messages).to_contain_text("Written meanwhile")
    line.get_by_role("button", name="Try again").click()
    expect(line).to_be_hidden()
    expect(bob.messages.locator(".msg__state")).to_have_text("Sent")
    stage.hang_up(4003)
    expect(line).to_contain_text("The desk was disconnected")


def test_tells_of_news_only_when_nobody_looks_and_asks_only_on_a_click(stages: Any) -> None:
    stage = stages(row(1, **taken(unread_count=0)))
    stage.page.add_init_script(
        "window.told = []; window.askedFor = 0;"
        "window.Notification = class { static permission = 'default';"
        " static async requestPermission() { askedFor += 1; return (Notification.permission = 'granted'); }"
        " constructor(title, options) { told.push([title, options.body]); } };"
        "document.hasFocus = () => !window.isAway;"
    )
    bob = stage.begin()
    expect(bob.page.get_by_role("option")).to_have_count(1)
    assert bob.page.evaluate("askedFor") == 0
    bob.page.get_by_role("button", name="Notifications").click()
    bob.page.get_by_role("menuitemcheckbox", name="Desktop notifications").click()
    expect(bob.page.get_by_role("menuitemcheckbox", name="Desktop notifications")).to_have_attribute(
        "aria-checked", "true"
    )
    assert bob.page.evaluate("askedFor") == 1
    stage.change("cc_1", unread_count=1)
    stage.change("cc_5", **offered())
    expect(bob.page.locator("#offer")).to_be_visible()
    # What was seen in one tab is not told by another a moment later; that moment is over here.
    bob.page.evaluate("window.isAway = true, localStorage.removeItem('irisx.desk.told.us_b')")
    stage.change("cc_6", **offered())
    when(bob.page, lambda: bool(bob.page.evaluate("told.length")), seconds=5, what="a notification")
    assert bob.page.evaluate("told") == [["New chat from Visitor 6", "Question 6"]]


def test_stays_quick_with_a_thousand_chats(stages: Any) -> None:
    stage = stages(*(row(number, queued_at=ago(minutes=number)) for number in range(1000)))
    bob = stage.begin()
    bob.page.get_by_role("button", name="Waiting").click()
    expect(bob.page.get_by_role("button", name="Waiting 1000")).to_be_visible()
    rows = bob.page.locator("#rows").get_by_role("option")
    assert rows.count() == 60
    for _ in range(75):
        bob.page.keyboard.press("j")
    expect(bob.page.locator(".row--marked")).to_be_in_viewport()
    stage.change("cc_999", last_message={"text": "Changed", "sender_type": "visitor", "created_at": ago()})
    expect(rows.first).to_contain_text("Changed")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_is_accessible(stages: Any, theme: str, screen: str) -> None:
    context = {"color_scheme": theme, "reduced_motion": "reduce", **(PHONE if screen == "phone" else {})}
    rows = [row(1, **taken(labels=["vip"])), row(2), row(3, **taken(ALICE)), row(4, **offered())]
    stage = stages(*rows, permissions=["chat.read", "chat.reply", "presence", "chat.manage"], **context)
    stage.answers["canned-replies"] = {"results": [{"id": "cr_1", "shortcut": "hello", "text": "Hi {{visitor.name}}"}]}
    bob = stage.begin()
    expect(bob.page.get_by_role("option")).to_have_count(2)
    assert violations(bob.page) == []
    stage.page.goto(f"{stage.page.url}#cc_1")
    expect(bob.messages).to_contain_text("Question 1")
    stage.log("cc_1", said("A note", "agent", message_type="note"))
    expect(bob.messages).to_contain_text("A note")
    assert violations(bob.page) == []
    for key, name in (("l", "Labels"), ("t", "Transfer this chat"), ("s", "Search"), ("?", "Keyboard shortcuts")):
        bob.page.keyboard.press(key)
        expect(bob.page.get_by_role("dialog", name=name)).to_be_visible()
        assert violations(bob.page) == [], name
        bob.page.keyboard.press("Escape")
        expect(bob.page.get_by_role("dialog")).to_have_count(0)
    bob.page.keyboard.press("r")
    bob.page.keyboard.type("/")
    expect(bob.page.get_by_role("listbox", name="Canned replies")).to_be_visible()
    assert violations(bob.page) == [], "canned"


def test_keeps_the_focus_where_it_was_when_a_dialog_closes(stages: Any) -> None:
    stage = stages(row(1, **taken()))
    bob = stage.begin("#cc_1")
    button = bob.page.get_by_role("button", name="Transfer")
    button.click()
    expect(bob.page.get_by_role("dialog")).to_be_visible()
    bob.page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_everything_to_touch_is_large_enough_on_a_phone(stages: Any) -> None:
    stage = stages(row(1, **taken()), row(2, **offered()), **PHONE)
    bob = stage.begin()
    expect(bob.page.get_by_role("option")).to_have_count(2)
    assert too_small(bob.page) == []
    for place in ("#cc_1", "#cc_1/details"):
        bob.page.goto(f"{bob.page.url.partition('#')[0]}{place}")
        expect(bob.page.locator("#facts" if "details" in place else "#thread")).to_be_visible()
        assert too_small(bob.page) == []


def too_small(page: Page) -> list[str]:
    """Return the controls in sight that are less than 44 pixels high; links in a text may be."""
    return list(
        page.evaluate(
            "[...document.querySelectorAll('button, input, textarea, [role=option]')]"
            ".filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)"
            ".map((e) => e.className + ' ' + e.textContent)"
        )
    )


def violations(page: Page) -> list[str]:
    """Return what axe finds against WCAG 2.2 AA, with the elements."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}}).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:200]}" for one in found for node in one["nodes"]
    ]
