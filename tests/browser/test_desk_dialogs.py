"""The desk's smaller dialogs and its last banner, held to the guidelines in both colours."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import violations
from tests.browser.desk_stage import AGENT, DeskStage, row, said, taken

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]

DOT = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = {"id": "at_1", "file_name": "bike.png", "size": 70, "content_type": "image/png", "is_image": True}


@pytest.fixture(params=["light", "dark"])
def stage(browser: Browser, request: pytest.FixtureRequest) -> Iterator[DeskStage]:
    permissions = (*AGENT, "chat.manage")
    made = DeskStage(
        browser, [row(1, **taken())], permissions=permissions, color_scheme=request.param, reduced_motion="reduce"
    )
    made.answers["attachments/at_1"] = {
        **PICTURE,
        "url": DOT,
        "expires_at": "2100-01-01T00:00:00Z",
        "width": 1,
        "height": 1,
    }
    yield made
    assert made.agent.errors == []
    made.agent.context.close()


def test_every_dialog_meets_the_guidelines(stage: DeskStage, request: pytest.FixtureRequest) -> None:
    bob = stage.begin("#cc_1")
    expect(bob.messages).to_contain_text("Question 1")
    stage.log("cc_1", said("", attachment=PICTURE, id="cm_p", client_message_id="p"))
    facts = bob.page.get_by_role("complementary", name="Visitor")
    opened: list[Any] = [
        ("Edit", lambda: facts.get_by_role("button", name="Edit").click()),
        ("Block Visitor 1?", lambda: facts.get_by_role("button", name="Block").click()),
        ("bike.png", lambda: bob.messages.get_by_role("img", name="bike.png").click()),
        ("Manage labels", lambda: _manage_labels(stage)),
    ]
    for name, act in opened:
        act()
        dialog = bob.page.get_by_role("dialog", name=name)
        expect(dialog).to_be_visible()
        assert violations(bob.page) == [], name
        bob.picture(f"desk-dialog-{name.split()[0]}-{request.node.callspec.id}")
        while bob.page.get_by_role("dialog").count():
            bob.page.keyboard.press("Escape")
        expect(bob.page.get_by_role("dialog")).to_have_count(0)


def _manage_labels(stage: DeskStage) -> None:
    stage.page.keyboard.press("l")
    stage.page.get_by_role("button", name="Manage labels").click()


def test_says_that_one_was_signed_out(
    stage: DeskStage, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = stage.begin("#cc_1")
    expect(bob.messages).to_contain_text("Question 1")
    monkeypatch.setattr(stage, "_heard", lambda socket, frame: socket.close(code=4001))  # a new ticket helps no more
    stage.hang_up(4001)
    banner = bob.page.get_by_text("You have been signed out. Reload the page to sign in.")
    expect(banner).to_be_visible()
    assert violations(bob.page) == []
    bob.picture(f"desk-signed-out-{request.node.callspec.id}")
