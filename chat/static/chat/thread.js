/** The conversation as it is read: days, groups of bubbles, quiet lines. One for panel and desk; each passes its side. */

import { avatar, h, icon, linked, reconcile, write } from "../ui/dom.js";
import { clock, dayName, fullTime, sameDay } from "../ui/i18n.js";

const GROUP_MILLISECONDS = 5 * 60 * 1000;
const NEAR_PIXELS = 90;

/**
 * Return the rows of a conversation. `side`: "visitor" or "agent" (whose screen this is), `me`: the agent's own id;
 * `readSeq`: how far the other side has read; `describe(event)`: the words of an event that is not a message, or "";
 * `visitorName`: what the desk calls a visitor who gave no name.
 */
export function rowsOf({ entries, pending, side, me, readSeq, describe, visitorName = "" }) {
  const rows = [];
  const stored = new Set();
  for (const { seq, event } of entries) {
    const message = event.payload.message;
    if (message) stored.add(message.client_message_id);
    const row = message ? said(seq, message, { side, me, visitorName }) : told(seq, event, describe);
    if (row) rows.push(row);
  }
  for (const item of pending) if (!stored.has(item.client_message_id)) rows.push(waiting(item));
  return separated(grouped(rows), readSeq);
}

function said(seq, message, { side, me, visitorName }) {
  if (message.message_type === "system") return line(`s:${seq}`, message.text, message.created_at, seq);
  return {
    kind: "message",
    key: `m:${message.client_message_id || message.id}`,
    seq,
    isMine: message.sender_type === side,
    isNote: message.message_type === "note",
    isColleague: Boolean(me) && message.sender_type === side && message.sender_id !== me,
    author: message.sender_id || message.sender_type,
    name: (message.sender_type === "visitor" && visitorName) || message.sender_name,
    isHouse: !message.sender_id,
    text: message.text,
    at: message.created_at,
    state: "sent",
  };
}

function waiting(item) {
  return {
    kind: "message",
    key: `m:${item.client_message_id}`,
    seq: Infinity,
    isMine: true,
    isNote: item.kind === "note",
    isColleague: false,
    author: "",
    name: "",
    text: item.text,
    at: new Date(item.order).toISOString(),
    state: item.state,
    error: item.error,
    id: item.client_message_id,
  };
}

function told(seq, event, describe) {
  const isBirth = seq === 1 && event.type === "status";
  const text = isBirth ? "" : describe(event);
  return text ? line(`e:${seq}`, text, event.occurred_at, seq) : null;
}

function line(key, text, at, seq) {
  return { kind: "line", key, text, at, seq };
}

function grouped(rows) {
  rows.forEach((row, at) => {
    row.isFirst = !together(rows[at - 1], row);
    row.isLast = !together(row, rows[at + 1]);
  });
  return rows;
}

function together(one, other) {
  if (one?.kind !== "message" || other?.kind !== "message") return false;
  const near = Date.parse(other.at) - Date.parse(one.at) < GROUP_MILLISECONDS;
  const same = one.isMine === other.isMine && one.isColleague === other.isColleague && (isOwn(one) || one.author === other.author);
  return near && same && one.isNote === other.isNote && sameDay(one.at, other.at);
}

function isOwn(row) {
  return row.isMine && !row.isColleague;
}

/** Put a day's name before its first row (a talk of today needs none), and the state on the last of one's own messages that is not a note. */
function separated(rows, readSeq) {
  const mine = rows.filter((row) => row.kind === "message" && isOwn(row) && !row.isNote);
  const last = mine[mine.length - 1];
  if (last) last.mark = last.state === "sent" && last.seq <= readSeq ? "read" : last.state;
  const out = [];
  let day = new Date();
  for (const row of rows) {
    if (!sameDay(day, row.at)) out.push({ kind: "day", key: `d:${new Date(row.at).toDateString()}`, at: row.at });
    day = row.at;
    out.push(row);
  }
  return out;
}

/** Draws rows into a list, keeps its place: at the bottom it stays there, above it the reader is left alone. */
export class Thread {
  #nodes = new Map();
  #rows = new Map();

  /** `words`: translator; `actions`: `{retry(id), discard(id)}`; `scroller`: the element that scrolls. */
  constructor({ list, scroller, words, actions }) {
    Object.assign(this, { list, scroller, words, actions });
    scroller.addEventListener("scroll", () => (this.isAtEnd = this.#nearEnd()), { passive: true });
    new ResizeObserver(() => this.isAtEnd && this.toEnd()).observe(scroller);
    this.isAtEnd = true;
  }

  clear() {
    this.#nodes.clear();
    this.#rows.clear();
    this.list.replaceChildren();
    this.isAtEnd = true;
  }

  show(rows) {
    const follow = this.isAtEnd;
    const before = this.scroller.scrollHeight - this.scroller.scrollTop;
    const headKept = this.#rows.has(rows[1]?.key) || !this.#rows.size;
    this.#rows = new Map(rows.map((row) => [row.key, row]));
    reconcile(this.list, this.#nodes, [...this.#rows.keys()], (key) => this.#make(key), (node, key) => this.#refresh(node, key));
    if (follow) this.toEnd();
    else if (!headKept) this.scroller.scrollTop = this.scroller.scrollHeight - before;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.isAtEnd = true;
  }

  #nearEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < NEAR_PIXELS;
  }

  #make(key) {
    const row = this.#rows.get(key);
    const node = row.kind === "message" ? this.#message(row) : this.#line(row);
    this.#refresh(node, key);
    return node;
  }

  #line(row) {
    if (row.kind === "day") return h("li", { class: "day" }, dayName(row.at, this.words.language));
    const text = h("span", { title: fullTime(row.at, this.words.language) }, row.text);
    return h("li", { class: "line" }, text);
  }

  #message(row) {
    const words = this.words;
    const who = isOwn(row) ? words("you") : row.name;
    return h(
      "li",
      { class: "msg" },
      h("span", { class: "msg__who" }, row.isMine ? null : avatar(row.name, row.author, row.isHouse ? "avatar--s avatar--brand" : "avatar--s")),
      h(
        "div",
        { class: "msg__body" },
        h("span", { class: "msg__name", "aria-hidden": "true" }, row.isNote ? words("noteBy", { name: who }) : who),
        h("div", { class: "msg__bubble", dir: "auto", title: fullTime(row.at, words.language) }, h("span", { class: "sr" }, `${who}: `), linked(row.text)),
        h("div", { class: "msg__meta" }),
      ),
    );
  }

  #refresh(node, key) {
    const row = this.#rows.get(key);
    if (row.kind !== "message") return;
    const flags = { mine: row.isMine, note: row.isNote, named: row.isNote || row.isColleague, first: row.isFirst, last: row.isLast, failed: row.state === "failed" };
    for (const [flag, isOn] of Object.entries(flags)) node.classList.toggle(`msg--${flag}`, isOn);
    const stamp = [row.state, row.mark, row.isLast, row.error].join();
    if (node.dataset.stamp === stamp) return;
    node.dataset.stamp = stamp;
    this.#mark(node.querySelector(".msg__meta"), row);
  }

  #mark(meta, row) {
    if (row.state === "failed") return meta.replaceChildren(...this.#failure(row));
    const shown = row.isLast || row.mark;
    meta.hidden = !shown;
    const parts = [h("time", { datetime: row.at }, clock(row.at, this.words.language))];
    if (row.mark) parts.push(h("span", { class: "msg__state", data: { state: row.mark } }, STATE_ICON[row.mark]?.() ?? "", this.words(`state.${row.mark}`)));
    meta.replaceChildren(...(shown ? parts : []));
  }

  #failure(row) {
    const { words, actions } = this;
    const button = (key, act) => h("button", { type: "button", class: "msg__act", onclick: () => act(row.id) }, words(key));
    return [
      h("span", { class: "msg__error", role: "alert" }, icon("alert"), row.error || words("state.failed")),
      button("retry", actions.retry),
      button("discard", actions.discard),
    ];
  }
}

const STATE_ICON = {
  queued: () => icon("clock"),
  sending: () => icon("clock"),
  sent: () => icon("check"),
  read: () => icon("checks"),
};

/** The three dots: shown while somebody types, gone by themselves when the last word of it is ten seconds old. */
export class TypingLine {
  #timer = 0;

  constructor({ element, words, onChange = () => {} }) {
    Object.assign(this, { element, words, onChange });
  }

  show(name, expiresAt) {
    clearTimeout(this.#timer);
    const left = Math.min(10_000, Math.max(0, Date.parse(expiresAt) - Date.now()) || 10_000);
    this.#timer = setTimeout(() => this.hide(), left);
    if (this.element.hidden) this.element.hidden = false;
    write(this.element.querySelector("[data-name]"), this.words("typing", { name }));
    this.onChange();
  }

  hide() {
    clearTimeout(this.#timer);
    this.element.hidden = true;
    this.onChange();
  }
}

/** Tells the other side that we type: at most once every 3 seconds, and once when we stop. */
export class TypingSignal {
  #toldAt = 0;

  constructor(tell) {
    this.tell = tell;
  }

  typed(text) {
    if (!text.trim()) return this.stopped();
    if (Date.now() - this.#toldAt < 3000) return;
    this.#toldAt = Date.now();
    this.tell(true);
  }

  stopped() {
    if (this.#toldAt) this.tell(false);
    this.#toldAt = 0;
  }
}
