/**
 * The list of chats: tabs, rows, the moving mark. Rows are keyed and touched only where something changed, and of a
 * thousand chats only those near the reader are in the page.
 */

import { h, reconcile, write } from "../../ui/dom.js";
import { empty, fillAge, fillRow, makeRow, skeletons } from "./row.js";

const TABS = ["waiting", "mine", "team", "closed"];
const TICK_MILLISECONDS = 15_000;
const SKELETONS = 6;
const STEP = 60;
const AHEAD_PIXELS = 800;

export class List {
  #nodes = new Map();
  #drawn = new Map();
  #labels = null;
  #reach = STEP;

  constructor({ inbox, words, parts, catalogue, onOpen }) {
    Object.assign(this, { inbox, words, parts, catalogue, onOpen });
    this.tab = "mine";
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

  /** Move the mark by `step` rows, with the focus, and keep it in sight. */
  move(step) {
    const rows = this.rows;
    if (!rows.length) return;
    const at = rows.findIndex(({ id }) => id === this.marked);
    const next = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step));
    if (next >= this.#reach) this.#extend();
    this.mark(rows[next].id);
    this.parts.rows.focus({ preventScroll: true });
    this.#nodes.get(this.marked)?.scrollIntoView({ block: "nearest" });
  }

  mark(id) {
    this.marked = id;
    this.#showMark();
  }

  draw() {
    const { parts, catalogue } = this;
    if (this.#labels !== catalogue.labels) this.#drawn.clear(), (this.#labels = catalogue.labels);
    const rows = this.rows.slice(0, this.#reach);
    for (const tab of TABS) this.#drawTab(tab);
    const byId = new Map(rows.map((row) => [row.id, row]));
    const make = (id) => this.#refresh(makeRow(byId.get(id), this.words), byId.get(id));
    reconcile(parts.rows, this.#nodes, [...byId.keys()], make, (node, id) => this.#refresh(node, byId.get(id)));
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

  #refresh(node, row) {
    if (this.#drawn.get(row.id) === row) return node;
    this.#drawn.set(row.id, row);
    const { words, inbox, catalogue } = this;
    fillRow(node, row, { words, me: inbox.me, isOffer: inbox.isOffer(row), colorOf: (name) => catalogue.colorOf(name) });
    return node;
  }

  #tick() {
    for (const row of this.rows) if (this.#nodes.has(row.id)) fillAge(this.#nodes.get(row.id), row, this.words);
  }

  /** Near the end there must be more; back at the top the rest may go. */
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.parts.rows;
    const isNearEnd = scrollHeight - scrollTop - clientHeight < AHEAD_PIXELS;
    if (isNearEnd && this.#reach < this.rows.length) this.#extend();
    else if (!scrollTop && this.#reach > STEP) (this.#reach = STEP), this.draw();
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
    const parts = state === "loading" ? skeletons(SKELETONS) : rows.length ? [] : [state === "failed" ? this.#failed() : this.#empty()];
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
