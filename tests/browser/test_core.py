"""The client core (socket, log, outbox, words, colours) in the browser it is made for: see `core/*.js`."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (ROOT / "common/ui/static", ROOT / "chat/static")
CORE = Path(__file__).with_name("core")
ORIGIN = "http://core.test"
TYPES = {".js": "text/javascript", ".html": "text/html"}

CASES = [
    pytest.param(path.stem, name, id=f"{path.stem}-{name}")
    for path in sorted(CORE.glob("test_*.js"))
    for name in re.findall(r"^export (?:async )?function (\w+)", path.read_text(), re.MULTILINE)
]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def page(browser: Browser) -> Page:
    page = browser.new_page()
    page.route(f"{ORIGIN}/**", _serve)
    page.goto(f"{ORIGIN}/")
    return page


def _serve(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN)
    if path == "/":
        return route.fulfill(body="<!doctype html><title>core</title>", content_type="text/html")
    folders = (CORE,) if path.startswith("/core/") else SOURCES
    for folder in folders:
        file = folder / path.removeprefix("/core/").removeprefix("/static/")
        if file.is_file():
            return route.fulfill(
                body=file.read_bytes(), content_type=TYPES.get(file.suffix, "application/octet-stream")
            )
    return route.fulfill(status=404)


@pytest.mark.parametrize(("module", "case"), CASES)
def test_core(page: Page, module: str, case: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.evaluate("([module, name]) => import(`/core/${module}.js`).then((cases) => cases[name]())", [module, case])
    assert errors == []
    page.close()
