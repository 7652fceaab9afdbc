/** The files one is about to send: chosen, dropped or pasted; each with its preview, its progress and a way to take it back. */

import { h, icon } from "../ui/dom.js";
import { fileSize } from "../ui/i18n.js";

const MOST_FILES = 10;
const MEGABYTE = 1_000_000;
/** The server removes after a day what no message carries. */
const KEPT_MILLISECONDS = 23 * 60 * 60 * 1000;

export class Tray {
  #items = new Set();

  /**
   * `send(file, {onProgress, signal})`: promise of the stored attachment. `isReady()`: whether a file may be sent as
   * soon as it is chosen, or waits for `finish`. `explain(error)`: its words. `onChange()`: a file came, went or failed.
   */
  constructor({ element, words, maxMegabytes, send, isReady, explain, onChange = () => {} }) {
    Object.assign(this, { element, words, maxMegabytes, send, isReady, explain, onChange });
  }

  get count() {
    return this.#items.size;
  }

  add(files) {
    for (const file of [...files].slice(0, MOST_FILES - this.count)) this.#take(file);
    this.onChange();
  }

  /** Send what is not yet sent, and again what was sent so long ago that it may be gone; true when everything arrived, false when something needs the person. */
  async finish() {
    for (const item of this.#items) {
      if (Date.now() - item.storedAt > KEPT_MILLISECONDS) item.attachment = null;
      this.#start(item);
    }
    await Promise.all([...this.#items].map(({ sending }) => sending));
    return [...this.#items].every(({ attachment }) => attachment);
  }

  /** Return the stored attachments and begin anew. */
  empty() {
    const attachments = [...this.#items].map(({ attachment }) => attachment);
    for (const item of this.#items) this.#drop(item);
    return attachments;
  }

  #take(file) {
    const item = { file, isRefused: false, abort: new AbortController() };
    item.preview = file.type.startsWith("image/") ? URL.createObjectURL(file) : "";
    item.node = this.#chip(item);
    this.#items.add(item);
    this.element.append(item.node);
    this.element.hidden = false;
    if (file.size > this.maxMegabytes * MEGABYTE) this.#refuse(item, this.words("error.tooBig", { size: fileSize(this.maxMegabytes * MEGABYTE, this.words.language) }));
    else if (!file.size) this.#refuse(item, this.words("error.emptyFile"));
    else if (this.isReady()) this.#start(item);
  }

  #start(item) {
    if (item.isRefused || item.attachment || item.sending) return;
    this.#say(item, "");
    item.progress.hidden = false;
    const onProgress = (share) => (item.progress.value = share);
    item.sending = this.send(item.file, { onProgress, signal: item.abort.signal })
      .then((attachment) => Object.assign(item, { attachment, storedAt: Date.now() }), (error) => this.#failed(item, error))
      .finally(() => ((item.sending = null), (item.progress.hidden = true), this.onChange()));
  }

  #failed(item, error) {
    if (item.abort.signal.aborted) return;
    this.#say(item, this.explain(error));
    item.again.hidden = false;
  }

  #refuse(item, text) {
    item.isRefused = true;
    this.#say(item, text);
  }

  #say(item, text) {
    item.again.hidden = true;
    item.node.classList.toggle("chip--bad", Boolean(text));
    item.note.textContent = text || fileSize(item.file.size, this.words.language);
    item.note.setAttribute("role", text ? "alert" : "none");
  }

  #remove(item) {
    item.abort.abort();
    this.#drop(item);
    this.onChange();
  }

  #drop(item) {
    if (item.preview) URL.revokeObjectURL(item.preview);
    item.node.remove();
    this.#items.delete(item);
    this.element.hidden = !this.count;
  }

  #chip(item) {
    const { words } = this;
    const { name, size } = item.file;
    item.note = h("span", { class: "chip__note" }, fileSize(size, words.language));
    item.progress = h("progress", { class: "chip__progress", max: 1, value: 0, hidden: true, "aria-label": words("uploading", { name }) });
    item.again = h("button", { class: "chip__act", type: "button", hidden: true, onclick: () => this.#start(item) }, words("retry"));
    return h(
      "li",
      { class: "chip" },
      item.preview ? h("img", { class: "chip__face", src: item.preview, alt: "" }) : h("span", { class: "chip__face" }, icon("file")),
      h("span", { class: "chip__body" }, h("span", { class: "chip__name", dir: "auto", title: name }, name), item.note, item.progress),
      item.again,
      h("button", { class: "chip__x", type: "button", "aria-label": words("removeFile", { name }), onclick: () => this.#remove(item) }, icon("x")),
    );
  }
}

/** Let files come by the button, by dropping them on `zone`, and by pasting into `field`. */
export function welcomeFiles({ tray, button, input, field, zone, isOn = () => true }) {
  const take = (files) => isOn() && files.length && tray.add(files);
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => (take(input.files), (input.value = ""), field.focus()));
  field.addEventListener("paste", (event) => {
    const { files } = event.clipboardData;
    if (!files.length || event.clipboardData.getData("text/plain")) return;
    event.preventDefault();
    take(files);
  });
  const isFiles = (event) => isOn() && event.dataTransfer?.types.includes("Files");
  zone.addEventListener("dragover", (event) => isFiles(event) && (event.preventDefault(), zone.classList.add("is-over")));
  zone.addEventListener("dragleave", (event) => zone.contains(event.relatedTarget) || zone.classList.remove("is-over"));
  zone.addEventListener("drop", (event) => {
    zone.classList.remove("is-over");
    if (!isFiles(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
}
