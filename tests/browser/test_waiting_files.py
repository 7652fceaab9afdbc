"""A file that waited longer than the server keeps it: sent again by itself, or asked for again in plain words."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.people import Visitor
from tests.browser.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]

FILE = {"name": "bike.txt", "mimeType": "text/plain", "buffer": b"A bike"}
A_DAY_LATER = "() => { const now = Date.now; Date.now = () => now() + 24 * 60 * 60 * 1000; }"


@pytest.fixture
def stage(browser: Browser) -> Iterator[Stage]:
    made = Stage(browser)
    yield made
    assert made.visitor.errors == []
    made.visitor.context.close()


def attached(stage: Stage) -> Visitor:
    """Talk, and attach a file that is stored at once."""
    stored = {"id": "at_1", "file_name": "bike.txt", "size": 6, "content_type": "text/plain", "is_image": False}
    stage.answers["attachments"] = [(201, stored), (201, {**stored, "id": "at_2"})]
    dana = stage.begin()
    dana.open_widget()
    dana.say("Hello")
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    with stage.page.expect_response(lambda response: response.url.endswith("/attachments")):
        dana.panel.locator("#file").set_input_files(files=[FILE])  # type: ignore[arg-type] # Playwright's own shape
    expect(dana.panel.get_by_text("bike.txt")).to_be_visible()
    return dana


def test_is_sent_again_by_itself(stage: Stage) -> None:
    dana = attached(stage)
    stage.page.frames[-1].evaluate(A_DAY_LATER)
    dana.say("My bike")
    expect(dana.messages.get_by_text("My bike")).to_be_visible()
    expect(dana.messages.get_by_text("Sent")).to_be_visible()
    assert [f["attachment_id"] for f in stage.heard if f["type"] == "message.send" and "attachment_id" in f] == ["at_2"]


def test_one_that_is_gone_is_asked_for_again(stage: Stage) -> None:
    dana = attached(stage)
    gone = {
        "status": 404,
        "code": "not-found",
        "errors": [{"pointer": "/attachment_id", "code": "not-found", "detail": "."}],
    }
    stage.answers["message/send"] = [(404, gone)]
    dana.say("My bike")
    expect(dana.panel.get_by_text("The file waited for more than a day and is gone.")).to_be_visible()
