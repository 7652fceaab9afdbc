"""The system's Chromium, headless. Where none is installed browser tests are not run; under CI=true that is a failure."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable() -> str:
    """Return Chromium's path; skip the test where there is none, fail it under CI."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is not None:
        return found
    sentence = f"not run: no Chromium on PATH (looked for {', '.join(NAMES)})"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start Chromium for the block; Playwright's loop is gone after it, so that other tests may run theirs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def collect_errors(page: Page) -> list[str]:
    """Return a list that fills with what the page's scripts complain of: uncaught errors and refusals of its policy."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
    return errors
