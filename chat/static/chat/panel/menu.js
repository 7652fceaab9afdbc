/** The menu behind the three dots (WAI-ARIA menu button): arrow keys walk it, Escape and a press elsewhere put it away. */

import { h, icon } from "../../ui/dom.js";

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class Menu {
  /** `items()`: what can be done now, `[{name, face, act, isOn?}]`; `isOn` makes it a switch. */
  constructor({ button, list, words, items }) {
    Object.assign(this, { button, list, words, items });
    button.addEventListener("click", () => (list.hidden ? this.open() : this.close()));
    list.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("pointerdown", ({ target }) => list.parentElement.contains(target) || this.close(false));
    window.addEventListener("blur", () => this.close(false));
  }

  open() {
    this.list.replaceChildren(...this.items().map((item) => this.#item(item)));
    this.#turn(true);
    this.#entries[0].focus();
  }

  close(isReturning = true) {
    if (this.list.hidden) return;
    this.#turn(false);
    if (isReturning) this.button.focus();
  }

  get #entries() {
    return [...this.list.querySelectorAll("button")];
  }

  #turn(isOpen) {
    this.list.hidden = !isOpen;
    this.button.setAttribute("aria-expanded", String(isOpen));
  }

  #item({ name, face, act, isOn }) {
    const isSwitch = isOn !== undefined;
    const attributes = { class: "menu__item", type: "button", tabindex: -1, role: isSwitch ? "menuitemcheckbox" : "menuitem", onclick: () => (this.close(), act()) };
    if (isSwitch) attributes["aria-checked"] = String(isOn);
    return h("li", { role: "none" }, h("button", attributes, icon(face), h("span", {}, this.words(name)), isOn ? icon("check") : null));
  }

  #key(event) {
    if (event.key === "Tab") return this.close(false);
    const entries = this.#entries;
    const at = entries.indexOf(document.activeElement);
    const next = { Home: 0, End: entries.length - 1 }[event.key] ?? (event.key in STEPS ? (at + STEPS[event.key] + entries.length) % entries.length : null);
    if (next === null && event.key !== "Escape") return;
    event.preventDefault();
    if (next === null) this.close();
    else entries[next].focus();
  }
}
