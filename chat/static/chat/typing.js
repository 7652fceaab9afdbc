/** Typing, both ways: the three dots of the other side, and what we tell of ourselves. */

import { write } from "../ui/dom.js";

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
