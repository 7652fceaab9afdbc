/** The middle pane: who it is, what was said, what can be done, where one writes. */

import { avatar, h, icon, write } from "../../ui/dom.js";
import { serverNow } from "../clock.js";
import { Composer } from "../composer.js";
import { EDITABLE_MILLISECONDS, Thread, TypingLine, rowsOf } from "../thread.js";
import { welcomeFiles } from "../tray.js";
import { describe, superseded } from "./describe.js";
import { chip } from "./labels.js";
import { nameOf } from "./names.js";

export class Talk {
  #drafts = new Map();
  #id = null;
  #row = null;

  /**
   * `act`: `{close, reopen, labels, transfer, details, send(text, mode, attachments), typing(is), earlier, retry(id), discard(id), edit(messageId, text)}`;
   * `trayOf(id)`: the files about to be sent in a chat; `colorOf(label)`; `bar`: the strip above the field.
   */
  constructor({ parts, words, me, act, files, bar, trayOf, colorOf, mayReply }) {
    Object.assign(this, { parts, words, me, act, bar, trayOf, colorOf, mayReply, mode: "text" });
    this.thread = new Thread({ list: parts.thread, scroller: parts.scroll, words, files, actions: { retry: act.retry, discard: act.discard, edit: act.edit } });
    this.typing = new TypingLine({ element: parts.typing, words, onChange: () => this.thread.isAtEnd && this.thread.toEnd() });
    this.composer = new Composer({
      form: parts.composer,
      field: parts.text,
      button: parts.send,
      onSend: (text, attachments) => this.#send(text, attachments),
      onTyping: (is) => this.mode === "text" && act.typing(is),
      onUp: () => this.thread.editLast(),
    });
    this.#wire();
  }

  /** Show another chat: its own draft, its own files, a fresh place in its log. */
  turnTo(row) {
    if (this.#id) this.#drafts.set(this.#id, { text: this.composer.text, mode: this.mode });
    this.#id = row?.id ?? null;
    this.#row = row;
    this.thread.clear();
    this.parts.log.setAttribute("aria-live", "off");
    this.typing.hide();
    const draft = this.#drafts.get(this.#id) || { text: "", mode: "text" };
    this.tray = row && this.trayOf(row.id);
    this.parts.trays.replaceChildren(...(row ? [this.tray.element] : []));
    this.setMode(draft.mode);
    this.composer.text = draft.text;
  }

  draw({ row, log, pending, theirs }) {
    this.#row = row;
    const name = nameOf(row, this.words);
    const editableFrom = this.mayReply && row.status === "active" ? serverNow() - EDITABLE_MILLISECONDS : Infinity;
    const side = { entries: log.entries, pending, side: "agent", me: this.me.id, visitorName: name, readSeq: theirs.read, deliveredSeq: theirs.delivered, editableFrom };
    const old = superseded(log.entries);
    this.thread.show(rowsOf({ ...side, describe: (event) => (old.has(event) ? "" : describe(event, { name, me: this.me, words: this.words })) }));
    if (log.seq) setTimeout(() => this.parts.log.setAttribute("aria-live", "polite"));
    this.parts.earlier.hidden = log.base === 0;
    this.parts.jump.hidden = this.thread.isAtEnd;
    this.#drawHead(row);
    this.#drawFoot(row);
  }

  /** Show the message of a search. */
  reveal(seq) {
    this.thread.reveal(seq);
    this.parts.jump.hidden = this.thread.isAtEnd;
  }

  setMode(mode) {
    this.mode = mode;
    this.parts.composer.dataset.mode = mode;
    for (const button of this.parts.composer.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    write(this.parts.send, this.words(mode === "note" ? "addNote" : "send"));
    this.#fitFiles();
    this.#placeholder();
  }

  /** Begin to write. A colleague's chat takes notes only, and a reply never turns into a note by itself. */
  focus(mode) {
    if (this.#row?.status !== "active" || !this.mayReply || (mode === "text" && !this.canReply)) return;
    this.setMode(mode);
    this.parts.composer.hidden = false;
    this.parts.text.focus();
  }

  /** Put a text into the field, as if it had been typed. */
  insert(text) {
    this.composer.text = text;
    this.parts.text.focus();
    this.parts.text.setSelectionRange(text.length, text.length);
  }

  showTyping({ is_typing, expires_at }) {
    if (is_typing) this.typing.show(nameOf(this.#row, this.words), expires_at);
    else this.typing.hide();
  }

  #wire() {
    const { parts, act, words } = this;
    parts.earlier.addEventListener("click", () => act.earlier());
    parts.jump.addEventListener("click", () => (this.thread.toEnd(), (parts.jump.hidden = true)));
    parts.scroll.addEventListener("scroll", () => (parts.jump.hidden = this.thread.isAtEnd), { passive: true });
    for (const button of parts.composer.querySelectorAll("[data-mode]")) button.addEventListener("click", () => this.focus(button.dataset.mode));
    const isOn = () => this.mode === "text" && this.canReply;
    welcomeFiles({ tray: { add: (files) => this.tray.add(files) }, button: parts.clip, input: parts.files, field: parts.text, zone: parts.talk, isOn });
    const button = (name, face, key = "", label = name) => h("button", { class: "btn btn--quiet btn--icon", type: "button", title: key ? `${words(label)} (${key})` : words(label), "aria-label": words(label), onclick: () => act[name]() }, icon(face));
    this.buttons = {
      labels: button("labels", "tag", "L"),
      transfer: button("transfer", "transfer", "T"),
      close: h("button", { class: "btn", type: "button", title: `${words("close")} (E)`, "aria-label": words("close"), onclick: () => act.close() }, icon("done"), h("span", {}, words("close"))),
      details: button("details", "panel"),
    };
    parts.acts.append(...Object.values(this.buttons));
  }

  /** Files go to the visitor: beside a note there are none. */
  #fitFiles() {
    const isNote = this.mode === "note";
    this.parts.clip.hidden = isNote;
    this.parts.trays.hidden = isNote;
    this.composer.tray = isNote ? null : (this.tray ?? null);
    this.composer.fit();
  }

  #send(text, attachments) {
    this.thread.isAtEnd = true;
    this.act.send(text, this.mode, attachments);
    if (this.mode === "note") this.setMode("text");
  }

  #drawHead(row) {
    const name = nameOf(row, this.words);
    const labels = row.labels.map((label) => [label, this.colorOf(label)]);
    const stamp = JSON.stringify([row.id, name, row.page_title, row.page_url, labels]);
    if (this.parts.who.dataset.stamp !== stamp) {
      this.parts.who.dataset.stamp = stamp;
      const about = h("p", { class: "talk__page" }, row.page_title || row.page_url || row.widget_name || "");
      const chips = labels.length > 0 && h("p", { class: "talk__labels" }, labels.map(([label, color]) => chip(label, color)));
      this.parts.who.replaceChildren(avatar(name, row.visitor.id), h("div", { class: "talk__names" }, h("h2", { class: "talk__name" }, name), chips || about));
    }
    const isOpen = row.status === "active";
    this.buttons.labels.hidden = !this.mayReply;
    this.buttons.transfer.hidden = !isOpen || !this.mayReply;
    this.buttons.close.hidden = !isOpen || !this.mayReply || !row.agent;
  }

  #drawFoot(row) {
    const isOpen = row.status === "active";
    this.canReply = this.mayReply && isOpen && (!row.agent || row.agent.id === this.me.id);
    this.parts.composer.hidden = !this.mayReply || !isOpen || (!this.canReply && this.mode === "text");
    this.parts.composer.querySelector('[data-mode="text"]').disabled = !this.canReply;
    this.bar.draw(row);
    this.#placeholder();
  }

  #placeholder() {
    const row = this.#row;
    const key = this.mode === "note" ? "noteTo" : "replyTo";
    this.parts.text.placeholder = row ? this.words(key, { name: nameOf(row, this.words) }) : "";
  }
}
