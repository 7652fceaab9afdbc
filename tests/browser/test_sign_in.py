"""The pages of signing up and in, in Chromium: accessible in light and dark, on a desk and on a phone."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from django.utils import timezone
from playwright.sync_api import expect

from accounts.identity import addresses, letters, passwords, signing_up
from accounts.identity.models import SignUp
from tests import factories
from tests.accounts.identity.helpers import code_of
from tests.assertions import rows
from tests.browser.axe import violations
from tests.browser.chromium import running_browser
from tests.browser.people import Person
from tests.chat.desk import in_threads

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PHONE, DESK = {"width": 375, "height": 740}, {"width": 1280, "height": 800}


@pytest.fixture
def address(committed_db: None, settings: Any) -> Iterator[str]:
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


def asked(what: Callable[[], Any]) -> Any:
    """Ask the database from a thread without Playwright's loop."""
    return in_threads([what])[0]


def looks_right(person: Person) -> None:
    assert violations(person.page) == []
    width = person.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], "nothing is cut off at the side"


@pytest.mark.timeout(300)
def test_every_page_is_accessible(address: str) -> None:
    with running_browser() as browser:
        # Contrast is the scheme's, what is cut off the width's: two walks see both of each.
        for number, (scheme, viewport) in enumerate((("light", PHONE), ("dark", DESK))):
            _walk(Person(browser, color_scheme=scheme, viewport=viewport), address, number)


def _walk(person: Person, address: str, number: int) -> None:
    """Go from page to page as somebody new, who turns a second factor on and signs in with it."""
    owner = asked(lambda: factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")).owner
    wish = signing_up.Wish(f"nina{number}@new.example", "Nina", "New Bikes")
    asked(lambda: signing_up.ask(wish=wish, now=timezone.now()))
    [sign_up] = asked(lambda: rows(SignUp, email=wish.email))
    open_pages = [
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/",
        asked(lambda: letters.page("verify", signing_up.token_of(sign_up))).removeprefix(address),
        asked(lambda: letters.page("password-reset", passwords.reset_token(owner))).removeprefix(address),
        asked(lambda: letters.page("address", addresses.change_token(owner, "a@b.example"))).removeprefix(address),
        "/accounts/verify/nonsense/",
    ]
    for path in open_pages:
        person.page.goto(address + path)
        expect(person.page.locator("h1")).to_be_visible()
        looks_right(person)
    sign_in(person, address, owner.email)
    person.page.goto(f"{address}/accounts/security/")
    looks_right(person)
    person.page.get_by_role("link", name="Turn it on").click()
    looks_right(person)
    person.page.get_by_label("Password").fill(factories.PASSWORD)
    person.page.get_by_role("button", name="Go on").click()
    expect(person.page.get_by_role("img", name="QR code")).to_be_visible()
    looks_right(person)
    secret = person.page.get_by_role("textbox", name="Secret").input_value()
    person.page.get_by_label("Code the app shows").fill(code_of(secret))
    person.page.get_by_role("button", name="Turn it on").click()
    expect(person.page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    looks_right(person)
    code = person.page.locator(".codes li").first.inner_text()
    person.page.get_by_role("link", name="I have kept them").click()
    looks_right(person)
    person.page.context.clear_cookies()
    sign_in(person, address, owner.email)
    expect(person.page.get_by_role("heading", name="Enter your code")).to_be_visible()
    looks_right(person)
    person.page.get_by_label("Code").fill(code)
    person.page.get_by_role("button", name="Sign in").click()
    person.page.wait_for_url(re.compile("/portal/"))
    assert person.errors == []


def sign_in(person: Person, address: str, email: str) -> None:
    person.page.goto(f"{address}/accounts/login/")
    person.page.get_by_label("E-mail address").fill(email)
    person.page.get_by_label("Password").fill(factories.PASSWORD)
    person.page.get_by_role("button", name="Sign in").click()
