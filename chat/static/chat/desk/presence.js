/** The agent's own status: a button that opens a small menu, reachable by every key. */

import { h, icon, write } from "../../ui/dom.js";

const STATUSES = ["online", "away", "busy", "offline"];

export class Presence {
  /** `choose(status)`: promise of the stored presence. */
  constructor({ element, hint, words, choose }) {
    Object.assign(this, { element, hint, words, choose, status: "offline" });
    this.dot = h("span", { class: "dot" });
    this.name = h("span", {});
    this.button = h("button", { class: "btn btn--quiet presence__button", type: "button", "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => this.#toggle() }, this.dot, this.name, icon("down"));
    this.menu = h("div", { class: "menu", role: "menu", hidden: true, onkeydown: (event) => this.#key(event) }, STATUSES.map((status) => this.#item(status)));
    element.append(this.button, this.menu);
    element.hidden = true;
    document.addEventListener("click", (event) => element.contains(event.target) || this.#close());
  }

  show(presence) {
    this.status = presence.status;
    this.element.hidden = false;
    this.dot.dataset.status = presence.status;
    write(this.name, this.words(`presence.${presence.status}`));
    this.button.title = "max_concurrent_chats" in presence ? this.words("load", { active: presence.active_chats, most: presence.max_concurrent_chats }) : "";
    this.button.setAttribute("aria-label", this.words("presence.label", { status: this.words(`presence.${presence.status}`) }));
    this.#showHint(presence.status);
    for (const item of this.menu.children) item.setAttribute("aria-checked", String(item.dataset.status === presence.status));
  }

  /** Whoever is offline may not know it: say so, with the way out beside it. */
  #showHint(status) {
    this.hint.hidden = status !== "offline";
    if (this.hint.hidden || this.hint.firstChild) return;
    this.hint.append(h("span", {}, this.words("away")), h("button", { class: "btn", type: "button", onclick: () => this.#pick("online") }, this.words("goOnline")));
  }

  #item(status) {
    return h("button", { class: "menu__item", type: "button", role: "menuitemradio", tabindex: -1, data: { status }, onclick: () => this.#pick(status) }, h("span", { class: "dot", data: { status } }), this.words(`presence.${status}`));
  }

  async #pick(status) {
    this.#close();
    this.button.focus();
    this.show(await this.choose(status));
  }

  #toggle() {
    if (!this.menu.hidden) return this.#close();
    this.menu.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.menu.querySelector(`[data-status="${this.status}"]`).focus();
  }

  #close() {
    this.menu.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  #key(event) {
    const items = [...this.menu.children];
    const at = items.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) items[(at + step + items.length) % items.length].focus();
    if (event.key === "Escape") this.#close(), this.button.focus();
    if (step || event.key === "Escape") event.preventDefault(), event.stopPropagation();
    if (event.key === "Tab") this.#close();
  }
}
