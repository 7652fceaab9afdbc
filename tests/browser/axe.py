"""axe-core in every frame and shadow root of a page: WCAG 2.2 up to AA, and its best practices."""

from importlib.resources import files
from typing import Any

from playwright.sync_api import Frame, Page

AXE = files("axe_playwright_python").joinpath("axe.min.js")
# A panel is a document of its own inside the host's: it is not to repeat the host's landmarks.
RULES = {"region": {"enabled": False}, "landmark-one-main": {"enabled": False}}


def violations(page: Page | Frame) -> list[str]:
    """Return what axe finds wrong, a line each: the rule and the element."""
    source = AXE.read_text(encoding="utf-8")
    frames = page.frames if isinstance(page, Page) else [page]
    return [line for frame in frames for line in _violations(frame, source)]


def _violations(frame: Frame, source: str) -> list[str]:
    frame.evaluate(source)
    options: dict[str, Any] = {"iframes": False, "rules": RULES, "resultTypes": ["violations"]}
    found = frame.evaluate("(options) => axe.run(document, options)", options)
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found["violations"] for node in rule["nodes"]]
