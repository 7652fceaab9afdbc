import { contrast, ground, mix, parse, readable } from "/static/ui/color.js";
import { initials, linked, reconcile } from "/static/ui/dom.js";
import { fileSize, shortAge, translator } from "/static/ui/i18n.js";
import { rowsOf } from "/static/chat/thread.js";
import { equal, event } from "./assert.js";

const shape = (text) => linked(text).map((node) => (typeof node === "string" ? node : `<${node.getAttribute("href")}>`));

export function links_only_what_is_safe() {
  equal(shape("see https://a.example/x?y=1, or mailto:a@b.example."), ["see ", "<https://a.example/x?y=1>", ", or ", "<mailto:a@b.example>", "."]);
  equal(shape("javascript:alert(1) data:text/html,x ftp://x"), ["javascript:alert(1) data:text/html,x ftp://x"]);
  equal(shape("<img src=x onerror=alert(1)>"), ["<img src=x onerror=alert(1)>"]);
  equal(shape("(https://en.example/wiki/A_(b))"), ["(", "<https://en.example/wiki/A_(b)>", ")"]);
}

export function a_link_gives_nothing_away() {
  const [anchor] = linked("https://a.example");
  equal(anchor.rel.includes("noopener"), true);
}

export function every_colour_can_be_written_on() {
  for (let red = 0; red < 256; red += 17)
    for (let green = 0; green < 256; green += 17)
      for (let blue = 0; blue < 256; blue += 17) {
        const { fill, ink } = ground([red, green, blue]);
        if (contrast(fill, ink) < 4.5) throw new Error(`${[red, green, blue]}: ${contrast(fill, ink)}`);
      }
}

export function every_colour_has_a_readable_tone() {
  for (const hex of ["#ffff00", "#000", "#667eea", "#fff", "nonsense"]) {
    equal(contrast(readable(parse(hex), [255, 255, 255], [0, 0, 0]), [255, 255, 255]) >= 4.5, true, hex);
  }
  equal(mix([0, 0, 0], [255, 255, 255], 0.5), [128, 128, 128]);
}

export function counts_in_the_right_form() {
  const t = translator({ en: { "unread.one": "{count} message", "unread.other": "{count} messages" } }, "en-GB");
  equal([t("unread", { count: 1 }), t("unread", { count: 2 }), t("missing")], ["1 message", "2 messages", "missing"]);
}

export function says_ages_shortly() {
  const now = Date.parse("2026-01-02T12:00:00Z");
  equal(["2026-01-02T11:59:30Z", "2026-01-02T11:50:00Z", "2026-01-02T09:00:00Z", "2025-12-30T12:00:00Z"].map((at) => shortAge(at, now)), ["now", "10m", "3h", "3d"]);
}

export function takes_initials_of_any_script() {
  equal([initials("Ana María López"), initials("李雷"), initials("")], ["AL", "李", "?"]);
}

export function moves_only_the_row_that_moved() {
  const list = document.createElement("ol");
  const nodes = new Map();
  const draw = (keys) => reconcile(list, nodes, keys, (key) => Object.assign(document.createElement("li"), { textContent: key }), () => {});
  draw(["a", "b", "c", "d"]);
  const kept = [...list.children];
  let moves = 0;
  const insert = list.insertBefore;
  list.insertBefore = (...all) => ((moves += 1), insert.apply(list, all));
  draw(["d", "a", "b", "c"]);
  draw(["a", "b", "c", "d"]);
  equal([[...list.children].map((node) => node.textContent), moves], [["a", "b", "c", "d"], 2]);
  equal(kept.every((node, at) => node === list.children[at]), true);
  draw(["b"]);
  equal([list.children.length, nodes.size], [1, 1]);
}

const said = (number, sender_type, extra = {}) => ({ seq: number, event: event(number, { sender_type, sender_id: sender_type, message_type: "text", created_at: new Date().toISOString(), ...extra }) });

export function shows_a_message_once_while_its_answer_is_under_way() {
  const pending = [{ client_message_id: "m1", text: "1", order: Date.now(), state: "sending" }];
  const rows = rowsOf({ entries: [said(1, "visitor")], pending, side: "visitor", readSeq: 0, describe: () => "" });
  equal(rows.map(({ key, state, mark }) => [key, state, mark]), [["m:m1", "sent", "sent"]]);
}

export function marks_the_last_of_ones_own_as_read() {
  const entries = [said(1, "visitor"), said(2, "visitor"), said(3, "agent")];
  const rows = rowsOf({ entries, pending: [], side: "visitor", readSeq: 2, describe: () => "" });
  equal(rows.map(({ mark }) => mark ?? ""), ["", "read", ""]);
}

export function leaves_the_beginning_of_a_conversation_unsaid() {
  const status = { type: "status", occurred_at: new Date().toISOString(), payload: { status: "active" } };
  const rows = rowsOf({ entries: [{ seq: 1, event: status }, { seq: 9, event: status }], pending: [], side: "agent", readSeq: 0, describe: () => "opened" });
  equal(rows.map(({ key }) => key), ["e:9"]);
}

export function hostile_text_stays_text() {
  const hostile = ["<script>x</script>", "javascript:alert(1)", "data:text/html,<b>", "vbscript:x", "https://a.example/\"onmouseover=\"x", "java\nscript:alert(1)", "HTTPS://A.example"];
  const box = document.createElement("div");
  box.append(...hostile.flatMap((text) => [...linked(text), "\n"]));
  equal(box.textContent, hostile.map((text) => `${text}\n`).join(""));
  equal([...box.querySelectorAll("*")].map((node) => [node.tagName, node.protocol, node.getAttribute("onmouseover")]), [["A", "https:", null], ["A", "https:", null]]);
}

export function says_sizes_as_people_do() {
  equal([fileSize(1, "en"), fileSize(820_400, "en"), fileSize(2_400_000, "en"), fileSize(2_400_000, "de")], ["1 kB", "820 kB", "2.4 MB", "2,4 MB"]);
}
