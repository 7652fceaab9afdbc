"""How long the desk's scripts work after one frame: with 1,000 open chats beside 10, in the same browser.

`python -m benchmarks.desk_list` prints the median and the 95th percentile of the time from a frame's arrival to the end of
the drawing it causes, layout included, and the heap the page holds. Needs Chromium and the development lock.
"""

import os
import statistics
from typing import Any

import django
from playwright.sync_api import Page

from benchmarks.conditions import conditions

# The page is rendered by Django's templates; no server is reached.
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "irisx.settings",
    "DEBUG": "true",
    "SECRET_KEY": "only-for-a-page-that-signs-nothing-and-reaches-no-server",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9/0",
}
FRAMES = 200
BUDGET_MILLISECONDS = 16.0

MEASURE = """
async (frames) => {
  const times = [];
  for (let number = 0; number < frames; number += 1) {
    const shown = window.list.rows.slice(0, 60);
    const row = shown[(number * 7919) % shown.length];
    const last_message = { ...row.last_message, text: `Said ${number}` };
    const next = { ...row, version: row.version + 1, unread_count: number, last_message };
    const began = performance.now();
    window.inbox.hear({ conversation: next });
    window.list.draw();
    document.body.offsetHeight;
    times.push(performance.now() - began);
    await new Promise(requestAnimationFrame);
  }
  return times;
}
"""
SET_UP = """
async (rows) => {
  const { Inbox } = await import("/static/chat/desk/inbox.js");
  const { List } = await import("/static/chat/desk/list.js");
  const { translator } = await import("/static/ui/i18n.js");
  const { STRINGS } = await import("/static/chat/desk/strings.js");
  const part = (id) => document.getElementById(id);
  const api = { conversations: async ({ status }) => ({ results: status === "active" ? rows : [], next: null }) };
  window.inbox = new Inbox({ api, me: { id: "us_b" }, onChange: () => {} });
  part("tabs").replaceChildren();
  part("rows").replaceChildren();
  const parts = { rows: part("rows"), tabs: part("tabs"), state: part("rows-state") };
  const catalogue = { labels: [], colorOf: () => "" };
  window.list = new List({ inbox: window.inbox, words: translator(STRINGS), parts, catalogue, onOpen: () => {} });
  await window.inbox.load();
  window.list.choose("waiting");
}
"""


def main() -> None:
    """Print both lists' times."""
    os.environ.update(SETTINGS)
    django.setup()
    from tests.browser.chromium import running_browser
    from tests.browser.desk_stage import DeskStage, row

    print(conditions())
    with running_browser() as browser:
        for count in (10, 1000):
            stage = DeskStage(browser)
            page = stage.begin().page
            page.wait_for_selector(".empty")
            page.evaluate(SET_UP, [row(number) for number in range(count)])
            tell(count, page, page.evaluate(MEASURE, FRAMES))
            stage.agent.context.close()


def tell(count: int, page: Page, times: list[float]) -> None:
    """Print one list's figures."""
    typical, slow = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    heap: Any = page.evaluate("performance.memory.usedJSHeapSize")
    verdict = "within" if slow < BUDGET_MILLISECONDS else "over"
    print(
        f"{count:5} chats: {typical:5.1f} ms median, {slow:5.1f} ms p95 a frame ({verdict} {BUDGET_MILLISECONDS:.0f} ms), "
        f"{page.locator('.row').count()} rows in the page, {heap / 1e6:.1f} MB of heap"
    )


if __name__ == "__main__":
    main()
