/** The field one writes in: grows with the text, Enter sends, nothing is lost by an accident. Panel and desk share it. */

import { TypingSignal } from "./thread.js";

const MAX_ROWS_PIXELS = 140;

export class Composer {
  /** `onSend(text)`; `onTyping(isTyping)`, throttled here. */
  constructor({ form, field, button, onSend, onTyping }) {
    Object.assign(this, { form, field, button, onSend });
    this.signal = new TypingSignal(onTyping);
    form.addEventListener("submit", (event) => (event.preventDefault(), this.send()));
    field.addEventListener("input", () => this.#changed());
    field.addEventListener("blur", () => this.signal.stopped());
    field.addEventListener("keydown", (event) => this.#key(event));
    this.fit();
  }

  get text() {
    return this.field.value;
  }

  set text(value) {
    this.field.value = value;
    this.fit();
  }

  send() {
    const text = this.field.value.trim();
    if (!text) return;
    this.text = "";
    this.signal.stopped();
    this.onSend(text);
    this.field.focus();
  }

  /** Make the field as high as its text, up to a point, and the button answer whether there is something to send. */
  fit() {
    const isEmpty = !this.field.value.trim();
    this.field.style.blockSize = "auto";
    this.field.style.blockSize = `${Math.min(this.field.scrollHeight, MAX_ROWS_PIXELS)}px`;
    this.button.disabled = isEmpty;
    this.button.setAttribute("aria-disabled", String(isEmpty));
  }

  #changed() {
    this.fit();
    this.signal.typed(this.field.value);
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.send();
  }
}
