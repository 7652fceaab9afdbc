/** A field with a list below it: letters narrow the list, arrows move, Enter picks. */

import { h } from "../../ui/dom.js";

let count = 0;

export class Picker {
  #items = [];
  #at = 0;
  #asked = 0;

  /**
   * `find(text)`: the items for a text, or a promise of them; `draw(item)`: the content of one; `pick(item)`: it was chosen;
   * `nothing(text)`: what is said when there are none.
   */
  constructor({ label, placeholder, find, draw, pick, nothing, isMultiple = false }) {
    Object.assign(this, { find, draw, pick, nothing });
    this.id = `picker-${(count += 1)}`;
    this.field = h("input", { class: "input", type: "text", inputmode: "search", role: "combobox", "aria-expanded": "true", "aria-controls": this.id, "aria-label": label, "aria-autocomplete": "list", placeholder, autocomplete: "off", spellcheck: "false", autofocus: true });
    this.list = h("ul", { class: "picker__list", role: "listbox", id: this.id, "aria-label": label, "aria-multiselectable": isMultiple ? "true" : null });
    this.said = h("p", { class: "picker__said", role: "status" });
    this.element = h("div", { class: "picker" }, this.field, this.list, this.said);
    this.field.addEventListener("input", () => ((this.#at = 0), this.refresh()));
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.list.addEventListener("click", (event) => this.#clicked(event));
    this.list.addEventListener("mousedown", (event) => event.target.closest("[role=option]") && event.preventDefault());
    this.refresh();
  }

  /** Look again; of several answers under way only the last counts. */
  async refresh() {
    const asked = (this.#asked += 1);
    const items = await this.find(this.field.value.trim());
    if (asked !== this.#asked) return;
    this.#items = items;
    this.#at = Math.min(this.#at, Math.max(0, items.length - 1));
    this.list.replaceChildren(...items.map((item, at) => h("li", { class: "picker__item", role: "option", id: `${this.id}-${at}`, "aria-selected": "false", data: { at } }, this.draw(item))));
    this.list.hidden = !items.length;
    this.said.textContent = items.length ? "" : this.nothing(this.field.value.trim());
    this.#mark();
  }

  #mark() {
    for (const [at, node] of [...this.list.children].entries()) node.classList.toggle("picker__item--marked", at === this.#at);
    for (const [at, node] of [...this.list.children].entries()) node.setAttribute("aria-selected", String(this.#items[at].isOn ?? at === this.#at));
    const node = this.list.children[this.#at];
    if (node) this.field.setAttribute("aria-activedescendant", node.id);
    else this.field.removeAttribute("aria-activedescendant");
    node?.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.isComposing || (!step && event.key !== "Enter")) return;
    event.preventDefault();
    const { length } = this.#items;
    if (step && length) this.#at = (this.#at + step + length) % length;
    if (step) return this.#mark();
    if (length) this.pick(this.#items[this.#at]);
  }

  #clicked(event) {
    const node = event.target.closest("[role=option]");
    if (!node) return;
    this.#at = Number(node.dataset.at);
    this.#mark();
    this.pick(this.#items[this.#at]);
  }
}
