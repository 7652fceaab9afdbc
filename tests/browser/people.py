"""The two people of the story: an agent at the desk and a visitor on the customer's site, each in a browser of their own."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.chromium import collect_errors

expect.set_options(timeout=20_000)


def pictures_wanted() -> bool:
    """Say whether screenshots are to be kept (`make screenshots`)."""
    return bool(os.environ.get("SCREENSHOTS_DIR"))


class Person:
    """A browser context with one page; `errors` is what its scripts complained of."""

    def __init__(self, browser: Browser, **context: Any) -> None:
        self.context: BrowserContext = browser.new_context(locale="en-GB", **context)
        self.page: Page = self.context.new_page()
        self.errors = collect_errors(self.page)

    def picture(self, name: str) -> None:
        """Keep a screenshot where SCREENSHOTS_DIR says; nothing without it."""
        if pictures_wanted():
            self.page.wait_for_timeout(600)  # animations end
            self.page.screenshot(path=Path(os.environ["SCREENSHOTS_DIR"]) / f"{name}.png")


class Agent(Person):
    """Bob at the desk."""

    def sign_in(self, address: str, user: dict[str, str]) -> None:
        self.page.goto(address)
        self.page.get_by_label("E-mail address").fill(user["email"])
        self.page.get_by_label("Password").fill(user["password"])
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(re.compile(re.escape(address)))

    def go_online(self) -> None:
        status = self.page.get_by_role("button", name="Your status:")
        expect(status).to_have_accessible_name(re.compile("Online|Away|Busy|Offline"))
        status.click()
        self.page.get_by_role("menuitemradio", name="Online").click()
        expect(status).to_have_accessible_name("Your status: Online")

    def row(self, text: str) -> Any:
        """Return the row of a chat, in whichever tab of the list it is: routing may have given it to anybody."""
        row = self.page.locator("#rows").get_by_role("option").filter(has_text=text)
        when(self.page, lambda: self._shows(row), seconds=30, what=f"a row that says {text!r}")
        return row

    def _shows(self, row: Any) -> bool:
        for tab in ("Mine", "Waiting", "Team"):
            if row.count():
                return True
            self.page.locator("#tabs").get_by_role("button", name=tab).click()
        return bool(row.count())

    def accept(self) -> None:
        """Take up the opened chat, whether it waits in the queue or was offered to us, and be ready to answer."""
        self.page.locator("#bar").get_by_role("button", name="Accept").click()
        expect(self.field).to_be_focused()

    @property
    def messages(self) -> Any:
        return self.page.get_by_role("log", name="Messages")

    @property
    def field(self) -> Any:
        return self.page.get_by_label("Message", exact=True)

    def say(self, text: str) -> None:
        self.field.fill(text)
        self.page.keyboard.press("Enter")


class Visitor(Person):
    """Dana on the customer's site."""

    @classmethod
    def beside(cls, other: "Visitor") -> "Visitor":
        """Return the same visitor in another tab."""
        visitor = cls.__new__(cls)
        visitor.context, visitor.page = other.context, other.context.new_page()
        visitor.errors = collect_errors(visitor.page)
        return visitor

    @property
    def panel(self) -> Any:
        return self.page.frame_locator("irisx-chat iframe")

    @property
    def messages(self) -> Any:
        return self.panel.get_by_role("log", name="Messages")

    @property
    def field(self) -> Any:
        return self.panel.get_by_label("Your message")

    @property
    def launcher(self) -> Any:
        return self.page.get_by_role("button", name="Open chat")

    def open_widget(self) -> None:
        self.launcher.click()
        expect(self.field).to_be_focused()

    def say(self, text: str) -> None:
        self.field.fill(text)
        self.page.keyboard.press("Enter")

    def leave(self) -> None:
        """End the conversation, if one is open, and go."""
        self.panel.get_by_role("button", name="Options").click()
        end = self.panel.get_by_role("menuitem", name="End conversation")
        if end.is_visible():
            end.click()
            self.panel.get_by_role("button", name="End it").click()
            expect(self.messages).to_contain_text("You ended the conversation")
        self.context.close()

    def choose(self, name: str) -> None:
        """Choose from the panel's menu."""
        self.panel.get_by_role("button", name="Options").click()
        self.panel.get_by_role("menuitem", name=name).click()


def when(page: Page, ready: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Wait until `ready()` says so, letting the browser's own events through meanwhile."""
    for _ in range(int(seconds * 10)):
        if ready():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{what} did not happen within {seconds} s")
