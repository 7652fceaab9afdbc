/** The agent's own status and limit: a button that opens a small menu, reachable by every key. */

import { h, icon, write } from "../../ui/dom.js";

const STATUSES = ["online", "away", "busy", "offline"];

export class Presence {
  /** `choose({status, max_concurrent_chats?})`: promise of the stored presence, or null when it was refused. */
  constructor({ element, hint, words, choose }) {
    Object.assign(this, { element, hint, words, choose, known: { status: "offline" } });
    this.dot = h("span", { class: "dot" });
    this.name = h("span", {});
    this.button = h("button", { class: "btn btn--quiet presence__button", type: "button", "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => this.#toggle() }, this.dot, this.name, icon("down"));
    this.list = h("div", { role: "menu", "aria-label": words("presence") }, STATUSES.map((status) => this.#item(status)));
    this.load = h("span", { class: "faint num" });
    this.limit = h("input", { class: "input presence__limit num", type: "number", min: 1, max: 50, inputmode: "numeric", onchange: () => this.#setLimit() });
    this.menu = h("div", { class: "menu presence__menu", hidden: true, onkeydown: (event) => this.#key(event) }, this.list, h("label", { class: "presence__load" }, h("span", {}, words("presence.limit"), this.load), this.limit));
    element.append(this.button, this.menu);
    element.hidden = true;
    document.addEventListener("click", (event) => element.contains(event.target) || this.#close());
  }

  show(presence) {
    const known = (this.known = { ...this.known, ...presence });
    const status = this.words(`presence.${known.status}`);
    this.element.hidden = false;
    this.dot.dataset.status = known.status;
    write(this.name, status);
    this.button.setAttribute("aria-label", this.words("presence.label", { status }));
    this.#showHint(known.status);
    for (const item of this.list.children) item.setAttribute("aria-checked", String(item.dataset.status === known.status));
    if (!known.max_concurrent_chats) return;
    write(this.load, this.words("load", { active: known.active_chats, most: known.max_concurrent_chats }));
    if (document.activeElement !== this.limit) this.limit.value = known.max_concurrent_chats;
  }

  /** How many chats are ours, as the list knows it at this moment. */
  count(active_chats) {
    if (active_chats !== this.known.active_chats && this.known.max_concurrent_chats) this.show({ active_chats });
  }

  /** Whoever is offline may not know it: say so, with the way out beside it. */
  #showHint(status) {
    this.hint.hidden = status !== "offline";
    if (this.hint.hidden || this.hint.firstChild) return;
    this.hint.append(h("span", {}, this.words("away")), h("button", { class: "btn", type: "button", onclick: () => this.#pick({ status: "online" }) }, this.words("goOnline")));
  }

  #item(status) {
    return h("button", { class: "menu__item", type: "button", role: "menuitemradio", tabindex: -1, data: { status }, onclick: () => this.#pick({ status }) }, h("span", { class: "dot", data: { status } }), this.words(`presence.${status}`));
  }

  async #pick(choice) {
    this.#close();
    this.button.focus();
    this.show((await this.choose(choice)) || this.known);
  }

  async #setLimit() {
    const { status } = this.known;
    const max_concurrent_chats = Math.min(50, Math.max(1, Math.round(Number(this.limit.value)) || 1));
    this.show((await this.choose({ status, max_concurrent_chats })) || this.known);
    this.limit.value = this.known.max_concurrent_chats;
  }

  #toggle() {
    if (!this.menu.hidden) return this.#close();
    this.menu.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.list.querySelector(`[data-status="${this.known.status}"]`).focus();
  }

  #close() {
    this.menu.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  #key(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.#close();
      return this.button.focus();
    }
    const items = [...this.list.children];
    const at = items.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    items[(at + step + items.length) % items.length].focus();
  }
}
