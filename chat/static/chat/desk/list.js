/**
 * The list of chats: tabs, rows, the moving mark. Rows are keyed and touched only where something changed, and of a
 * thousand chats only those near the reader are in the page.
 */

import { avatar, h, icon, reconcile, write } from "../../ui/dom.js";
import { fullTime, shortAge } from "../../ui/i18n.js";
import { nameOf } from "./names.js";

const TABS = ["waiting", "mine", "team", "closed"];
const SLOW_MINUTES = 2;
const LATE_MINUTES = 5;
const TICK_MILLISECONDS = 15_000;
const SKELETONS = 6;
const STEP = 60;
const AHEAD_PIXELS = 800;

export class List {
  #nodes = new Map();
  #drawn = new Map();
  #reach = STEP;

  constructor({ inbox, words, parts, onOpen }) {
    Object.assign(this, { inbox, words, parts, onOpen });
    this.tab = "waiting";
    this.marked = null;
    this.openId = null;
    this.#buildTabs();
    parts.rows.addEventListener("click", (event) => this.#clicked(event));
    parts.rows.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    setInterval(() => this.#tick(), TICK_MILLISECONDS);
  }

  get rows() {
    return this.inbox.view(this.tab);
  }

  choose(tab) {
    this.tab = tab;
    this.marked = this.openId;
    this.parts.rows.scrollTop = 0;
    this.#reach = STEP;
    this.draw();
  }

  /** Move the mark by `step` rows and keep it in sight. */
  move(step) {
    const rows = this.rows;
    if (!rows.length) return;
    const at = rows.findIndex(({ id }) => id === this.marked);
    const next = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step));
    if (next >= this.#reach) this.#extend();
    this.mark(rows[next].id);
    this.#nodes.get(this.marked)?.scrollIntoView({ block: "nearest" });
  }

  mark(id) {
    this.marked = id;
    this.#showMark();
  }

  draw() {
    const { parts } = this;
    const rows = this.rows.slice(0, this.#reach);
    for (const tab of TABS) this.#drawTab(tab);
    const byId = new Map(rows.map((row) => [row.id, row]));
    const refresh = (node, id) => this.#refresh(node, byId.get(id));
    reconcile(parts.rows, this.#nodes, [...byId.keys()], (id) => this.#make(byId.get(id)), refresh);
    for (const id of this.#drawn.keys()) if (!byId.has(id)) this.#drawn.delete(id);
    parts.rows.hidden = !rows.length;
    this.#drawState(rows);
    this.#showMark();
  }

  #buildTabs() {
    const tab = (name) =>
      h("button", { class: "tab", type: "button", data: { tab: name }, onclick: () => this.choose(name) }, this.words(`tab.${name}`), h("span", { class: "tab__count num" }));
    this.parts.tabs.append(...TABS.map(tab));
  }

  #drawTab(name) {
    const button = this.parts.tabs.querySelector(`[data-tab="${name}"]`);
    const rows = this.inbox.view(name);
    const isUrgent = name === "waiting" ? rows.length > 0 : name === "mine" && rows.some((row) => row.unread_count);
    button.setAttribute("aria-pressed", String(name === this.tab));
    button.classList.toggle("tab--urgent", isUrgent);
    write(button.querySelector(".tab__count"), name === "closed" || !rows.length ? "" : String(rows.length));
  }

  #make(row) {
    const node = h(
      "div",
      { class: "row", role: "option", id: `row-${row.id}`, data: { id: row.id } },
      avatar(nameOf(row, this.words), row.visitor.id),
      h(
        "div",
        { class: "row__body" },
        h("div", { class: "row__top" }, h("span", { class: "row__name" }), h("time", { class: "row__age num" })),
        h("div", { class: "row__low" }, h("span", { class: "row__text" }), h("span", { class: "row__unread num" })),
      ),
    );
    this.#refresh(node, row);
    return node;
  }

  #refresh(node, row) {
    if (this.#drawn.get(row.id) === row) return;
    this.#drawn.set(row.id, row);
    const { words } = this;
    write(node.querySelector(".row__name"), nameOf(row, words));
    write(node.querySelector(".row__text"), preview(row, words, this.inbox.me));
    node.classList.toggle("row--unread", row.unread_count > 0);
    const unread = node.querySelector(".row__unread");
    unread.hidden = !row.unread_count;
    write(unread, String(row.unread_count || ""));
    unread.setAttribute("aria-label", words("unread", { count: row.unread_count }));
    this.#age(node, row);
  }

  #age(node, row) {
    const since = waitingSince(row) || row.last_message_at || row.created_at;
    const age = node.querySelector(".row__age");
    write(age, shortAge(since));
    age.title = fullTime(since, this.words.language);
    const minutes = waitingSince(row) ? (Date.now() - Date.parse(since)) / 60_000 : 0;
    age.dataset.wait = minutes >= LATE_MINUTES ? "late" : minutes >= SLOW_MINUTES ? "slow" : "";
  }

  #tick() {
    for (const row of this.rows) if (this.#nodes.has(row.id)) this.#age(this.#nodes.get(row.id), row);
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.parts.rows;
    const isNearEnd = scrollHeight - scrollTop - clientHeight < AHEAD_PIXELS;
    if (isNearEnd && this.#reach < this.rows.length) this.#extend();
  }

  #extend() {
    this.#reach += STEP;
    this.draw();
  }

  #showMark() {
    for (const [id, node] of this.#nodes) {
      const isOpen = id === this.openId;
      if (node.getAttribute("aria-selected") !== String(isOpen)) node.setAttribute("aria-selected", String(isOpen));
      node.classList.toggle("row--marked", id === this.marked);
    }
    const isThere = this.#nodes.has(this.marked);
    if (isThere) this.parts.rows.setAttribute("aria-activedescendant", `row-${this.marked}`);
    else this.parts.rows.removeAttribute("aria-activedescendant");
  }

  #clicked(event) {
    const node = event.target.closest(".row");
    if (node) this.onOpen(node.dataset.id);
  }

  #drawState(rows) {
    const { state, hasMorePast } = this.inbox;
    const more = this.tab === "closed" && hasMorePast && rows.length;
    const shape = [state, rows.length ? "" : this.tab, Boolean(more)].join();
    if (this.shape === shape) return;
    this.shape = shape;
    const parts = state === "loading" ? skeletons() : rows.length ? [] : [state === "failed" ? this.#failed() : this.#empty()];
    if (more) parts.push(h("button", { class: "btn btn--quiet rows__more", type: "button", onclick: () => this.inbox.loadMorePast() }, this.words("more")));
    this.parts.state.replaceChildren(...parts);
    this.parts.state.setAttribute("aria-busy", String(state === "loading"));
  }

  #empty() {
    const art = { waiting: "done", mine: "chat", team: "users", closed: "inbox" }[this.tab];
    return empty(art, this.words(`empty.${this.tab}`), this.words(`empty.${this.tab}.text`));
  }

  #failed() {
    const again = h("button", { class: "btn", type: "button", onclick: () => this.inbox.load() }, this.words("again"));
    return empty("offline", this.words("failed"), this.words("failed.text", { reason: this.inbox.reason }), again);
  }
}

export function empty(art, title, text, ...rest) {
  return h("div", { class: "empty" }, h("span", { class: "empty__art" }, icon(art)), h("p", { class: "empty__title" }, title), h("p", { class: "empty__text" }, text), rest);
}

function skeletons() {
  const line = () => h("div", { class: "row row--ghost" }, h("span", { class: "skeleton ghost__face" }), h("div", { class: "row__body" }, h("span", { class: "skeleton ghost__name" }), h("span", { class: "skeleton ghost__text" })));
  return Array.from({ length: SKELETONS }, line);
}

/** Since when somebody waits for us: the queue counts from the start, an accepted chat from the visitor's last word. */
function waitingSince(row) {
  if (row.status !== "active") return null;
  if (!row.agent) return row.created_at;
  return row.last_message?.sender_type === "visitor" ? row.last_message.created_at : null;
}

function preview(row, words, me) {
  const last = row.last_message;
  if (!last) return words("noPreview");
  const isOwn = last.sender_type === "agent" && row.agent?.id === me.id;
  return isOwn ? words("youSaid", { text: last.text }) : last.text;
}
