"""The portal's pages as people see them, of a company with a past: held to the guidelines in both colours, on desk and phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import Client
from django.test.testcases import LiveServerThread

from accounts.models import User
from irisx.management.commands.seed_demo import seed
from tests.browser.axe import violations
from tests.browser.chromium import collect_errors, running_browser
from tests.browser.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("finance"), pytest.mark.timeout(600)]

PAGES = {
    "finance": "/portal/finance/",
    "filtered": "/portal/finance/?status=open",
    "credit-notes": "/portal/finance/credit-notes/",
    "credit": "/portal/finance/credit/",
    "subscription": "/portal/finance/subscription/?plan=enterprise",
    "profile": "/portal/finance/profile/",
    "exports": "/portal/finance/exports/",
    "usage": "/portal/usage/",
    "usage-cost": "/portal/usage/?by=cost&days=90",
    "overview": "/portal/",
    "widgets": "/portal/widgets/",
    "people": "/portal/company/",
    "keys": "/portal/company/keys/",
    "webhooks": "/portal/company/webhooks/",
    "log": "/portal/company/log/",
    "settings": "/portal/company/settings/",
}
PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
LOOKS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1280, "height": 900}},
    "phone": PHONE,
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}
WIDER_THAN_THE_WINDOW = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def address(committed_db: None, settings: Any) -> Iterator[str]:
    """Serve the product with the demo company in it."""
    seed({})
    server = LiveServerThread("127.0.0.1", StaticFilesHandler, connections_override={})
    server.daemon = True
    server.start()
    server.is_ready.wait()
    assert server.error is None
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "127.0.0.1"]
    yield f"http://127.0.0.1:{server.port}"
    server.terminate()
    server.join()


def session_of(email: str, settings: Any) -> str:
    client = Client()
    client.force_login(User.objects.get(email=email))
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


def test_every_page_meets_the_guidelines_and_fits(address: str, settings: Any) -> None:
    cookie = {
        "name": settings.SESSION_COOKIE_NAME,
        "value": session_of("alice@acme.example", settings),
        "url": address,
    }
    wrong: list[str] = []
    with running_browser() as browser:
        for look, context in LOOKS.items():
            alice = Person(browser, reduced_motion="reduce", **context)
            alice.context.add_cookies([cookie])  # type: ignore[list-item] # Playwright's own shape
            alice.errors = collect_errors(alice.page)
            for name, path in PAGES.items():
                alice.page.goto(address + path)
                wrong += [f"{look} {name}: {one}" for one in violations(alice.page)]
                if alice.page.evaluate(WIDER_THAN_THE_WINDOW):
                    wrong.append(f"{look} {name}: wider than the window")
                alice.picture(f"finance-{name}-{look}")
            alice.page.goto(f"{address}/portal/finance/?status=overdue")
            alice.page.get_by_role("rowheader").get_by_role("link").first.click()
            alice.page.get_by_role("heading", name="History").wait_for()
            wrong += [f"{look} invoice: {one}" for one in violations(alice.page)]
            alice.picture(f"finance-invoice-{look}")
            wrong += [f"{look} widget: {one}" for one in _widget(alice, address, look)]
            with alice.page.expect_download() as download:
                alice.page.goto(f"{address}/portal/finance/")
                alice.page.get_by_role("button", name="Download as ZIP").click()
            assert download.value.path().read_bytes().startswith(b"PK")
            assert alice.errors == []
            alice.context.close()
    assert wrong == []


def _widget(alice: Person, address: str, look: str) -> list[str]:
    """Open a widget, change it and see the preview follow."""
    page = alice.page
    page.goto(f"{address}/portal/widgets/")
    page.get_by_role("rowheader").get_by_role("link").first.click()
    preview = page.get_by_label("Preview")
    page.get_by_label("Greeting").fill("What can we mend for you?")
    page.get_by_label("Ask for an e-mail address first").check()
    page.get_by_label("Question 1", exact=True).fill("Which bike?")
    preview.get_by_text("What can we mend for you?").wait_for()
    preview.get_by_text("Which bike?").wait_for()
    found = violations(page)
    if page.evaluate(WIDER_THAN_THE_WINDOW):
        found.append("wider than the window")
    alice.picture(f"finance-widget-{look}")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The widget is saved").wait_for()
    page.get_by_role("link", name="Identity secret").click()
    page.get_by_role("heading", name="Identity secret").wait_for()
    return [*found, *violations(page)]
