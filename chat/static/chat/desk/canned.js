/** Canned replies at the desk: `/` at the start of the field opens them; their variables are filled in when one is taken. */

import { h, write } from "../../ui/dom.js";

const MOST_SHOWN = 8;
export const VARIABLES = ["visitor.name", "visitor.email", "agent.name", "company"];
const VARIABLE = /\{\{\s*([a-z.]+)\s*\}\}/g;

/** Return a reply's text with its variables filled in; an unknown one stays as it is written, so that it is noticed. */
export function filled(text, { row, me, company, words }) {
  const values = {
    "visitor.name": row.visitor.name || words("canned.visitor"),
    "visitor.email": row.visitor.email || words("canned.email"),
    "agent.name": me.name,
    company,
  };
  return text.replace(VARIABLE, (written, name) => values[name] ?? written);
}

/** Return the replies for what was typed after the slash: shortcuts that begin with it first, then shortcuts and texts that contain it. */
export function matching(replies, typed) {
  const wanted = typed.toLowerCase();
  const rank = ({ shortcut, text }) => (shortcut.startsWith(wanted) ? 0 : shortcut.includes(wanted) ? 1 : text.toLowerCase().includes(wanted) ? 2 : 3);
  const ranked = replies.map((reply) => ({ reply, rank: rank(reply) })).filter((one) => one.rank < 3);
  return ranked.sort((one, other) => one.rank - other.rank).map(({ reply }) => reply);
}

/** The menu over the field. */
export class CannedMenu {
  #items = [];
  #at = 0;

  /** `replies()`: all there are; `take(reply)`: one was chosen; `manage`: opens their dialog, or null for who may not. */
  constructor({ field, element, words, replies, take, manage }) {
    Object.assign(this, { field, element, words, replies, take, manage });
    this.list = h("ul", { role: "listbox", id: "canned-list", "aria-label": words("canned") });
    this.none = h("p", { class: "canned__none", role: "status" });
    const manageButton = manage && h("button", { class: "btn btn--quiet canned__manage", type: "button", tabindex: -1, data: { manage: "" } }, words("canned.manage"));
    element.append(...[this.list, this.none, manageButton].filter(Boolean));
    field.setAttribute("aria-controls", this.list.id);
    field.addEventListener("input", () => this.#typed());
    field.addEventListener("blur", () => this.close());
    field.form.addEventListener("keydown", (event) => event.target === field && this.#key(event), { capture: true });
    element.addEventListener("mousedown", (event) => event.preventDefault());
    element.addEventListener("click", (event) => this.#clicked(event));
  }

  get isOpen() {
    return !this.element.hidden;
  }

  close() {
    this.element.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
  }

  #typed() {
    const { value } = this.field;
    if (!value.startsWith("/") || value.includes("\n")) return this.close();
    this.#items = matching(this.replies(), value.slice(1)).slice(0, MOST_SHOWN);
    if (!this.#items.length && value.length > 1) return this.close();
    this.#at = 0;
    this.#draw();
  }

  #draw() {
    const rows = this.#items.map(({ shortcut, text }, at) =>
      h("li", { class: "canned__item", role: "option", id: `canned-${at}`, data: { at } }, h("span", { class: "canned__key" }, `/${shortcut}`), h("span", { class: "canned__text" }, text)),
    );
    this.list.replaceChildren(...rows);
    this.list.hidden = !rows.length;
    this.element.hidden = false;
    write(this.none, rows.length ? "" : this.words("canned.none"));
    this.#mark();
  }

  #mark() {
    const options = this.list.children;
    for (const [at, node] of [...options].entries()) node.setAttribute("aria-selected", String(at === this.#at));
    options[this.#at]?.scrollIntoView({ block: "nearest" });
    if (options.length) this.field.setAttribute("aria-activedescendant", `canned-${this.#at}`);
  }

  /** While the menu is open its keys are not the field's. */
  #key(event) {
    if (!this.isOpen || event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isTaken = (event.key === "Enter" || event.key === "Tab") && this.#items.length;
    if (!step && !isTaken && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    const { length } = this.#items;
    if (step && length) this.#at = (this.#at + step + length) % length;
    if (step) return this.#mark();
    this.close();
    if (isTaken) this.take(this.#items[this.#at]);
  }

  #clicked(event) {
    const option = event.target.closest("[role=option]");
    if (!option && !event.target.closest("[data-manage]")) return;
    this.close();
    if (option) this.take(this.#items[Number(option.dataset.at)]);
    else this.manage();
  }
}
