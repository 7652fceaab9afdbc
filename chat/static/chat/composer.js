/** The field one writes in: grows with the text, Enter sends, nothing is lost by an accident. Panel and desk share it. */

import { TypingSignal } from "./typing.js";

const MAX_ROWS_PIXELS = 140;

export class Composer {
  /** `onSend(text, attachments)`; `onTyping(isTyping)`, throttled here; `onUp()`: ↑ in an empty field, true when it did something; `tray`: the files to go with it, if any may. */
  constructor({ form, field, button, onSend, onTyping, onUp = () => false, tray = null }) {
    Object.assign(this, { form, field, button, onSend, onUp, tray });
    this.signal = new TypingSignal(onTyping);
    this.isSending = false;
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

  /** Send text and files, once every file has arrived; what did not arrive stays, and so does the text. */
  async send() {
    if (this.isSending || this.#isEmpty) return;
    this.isSending = true;
    if (this.tray?.count) this.fit();
    const isComplete = !this.tray?.count || (await this.tray.finish());
    this.isSending = false;
    if (isComplete) this.#send();
    else this.fit();
  }

  /** Make the field as high as its text, up to a point, and the button answer whether there is something to send. */
  fit() {
    const isOff = this.#isEmpty || this.isSending;
    this.field.style.blockSize = "auto";
    this.field.style.blockSize = `${Math.min(this.field.scrollHeight, MAX_ROWS_PIXELS)}px`;
    this.button.disabled = isOff;
    this.button.setAttribute("aria-disabled", String(isOff));
  }

  get #isEmpty() {
    return !this.field.value.trim() && !this.tray?.count;
  }

  #send() {
    const text = this.field.value.trim();
    const attachments = this.tray?.empty() ?? [];
    if (!text && !attachments.length) return this.fit();
    this.text = "";
    this.signal.stopped();
    this.onSend(text, attachments);
    this.field.focus();
  }

  #changed() {
    this.fit();
    this.signal.typed(this.field.value);
  }

  #key(event) {
    if (event.key === "ArrowUp" && !this.field.value && this.onUp()) event.preventDefault();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.send();
  }
}
