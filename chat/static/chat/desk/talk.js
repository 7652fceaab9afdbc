/** The middle pane: who it is, what was said, what can be done, where one writes. */

import { avatar, h, icon, write } from "../../ui/dom.js";
import { shortAge } from "../../ui/i18n.js";
import { Composer } from "../composer.js";
import { Thread, TypingLine, rowsOf } from "../thread.js";
import { nameOf } from "./names.js";

export class Talk {
  #drafts = new Map();
  #id = null;

  /** `act`: `{accept, close, details, send(text, mode), typing(is), earlier, retry(id), discard(id)}`. */
  constructor({ parts, words, me, act }) {
    Object.assign(this, { parts, words, me, act, mode: "text" });
    const actions = { retry: act.retry, discard: act.discard };
    this.thread = new Thread({ list: parts.thread, scroller: parts.scroll, words, actions });
    this.typing = new TypingLine({ element: parts.typing, words, onChange: () => this.thread.isAtEnd && this.thread.toEnd() });
    this.composer = new Composer({
      form: parts.composer,
      field: parts.text,
      button: parts.send,
      onSend: (text) => this.#send(text),
      onTyping: (is) => this.mode === "text" && act.typing(is),
    });
    this.#wire();
  }

  /** Show another chat: its own draft, a fresh place in its log. */
  turnTo(row) {
    if (this.#id) this.#drafts.set(this.#id, { text: this.composer.text, mode: this.mode });
    this.#id = row?.id ?? null;
    this.thread.clear();
    this.typing.hide();
    const draft = this.#drafts.get(this.#id) || { text: "", mode: "text" };
    this.setMode(draft.mode);
    this.composer.text = draft.text;
  }

  draw({ row, log, pending, theirReadSeq }) {
    const side = { entries: log.entries, pending, side: "agent", me: this.me.id, visitorName: nameOf(row, this.words), readSeq: theirReadSeq, describe: (event) => this.#describe(event, row) };
    this.thread.show(rowsOf(side));
    this.parts.earlier.hidden = log.base === 0;
    this.parts.jump.hidden = this.thread.isAtEnd;
    this.#drawHead(row);
    this.#drawFoot(row);
  }

  setMode(mode) {
    this.mode = mode;
    this.parts.composer.dataset.mode = mode;
    for (const button of this.parts.composer.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    write(this.parts.send, this.words(mode === "note" ? "addNote" : "send"));
    this.#placeholder();
  }

  /** Begin to write. A chat that is not ours takes notes only, and a reply never turns into a note by itself. */
  focus(mode) {
    if (this.row?.status !== "active" || (mode === "text" && !this.canReply)) return;
    this.setMode(mode);
    this.parts.composer.hidden = false;
    this.parts.text.focus();
  }

  showTyping({ is_typing, participant, expires_at }, row) {
    if (is_typing) this.typing.show(participant.name || nameOf(row, this.words), expires_at);
    else this.typing.hide();
  }

  #wire() {
    const { parts, act } = this;
    parts.earlier.addEventListener("click", () => act.earlier());
    parts.jump.addEventListener("click", () => (this.thread.toEnd(), (parts.jump.hidden = true)));
    parts.scroll.addEventListener("scroll", () => (parts.jump.hidden = this.thread.isAtEnd), { passive: true });
    for (const button of parts.composer.querySelectorAll("[data-mode]")) button.addEventListener("click", () => this.focus(button.dataset.mode));
    this.buttons = {
      close: this.#button("close", "done", "", "E"),
      details: this.#button("details", "panel", "btn--quiet btn--icon"),
    };
    this.buttons.details.setAttribute("aria-label", this.words("details"));
    parts.acts.append(...Object.values(this.buttons));
  }

  #button(name, face, look, key = "") {
    const isBare = look.includes("icon");
    const text = isBare ? null : this.words(name);
    return h("button", { class: `btn ${look}`, type: "button", title: key ? `${this.words(name)} (${key})` : this.words(name), onclick: () => this.act[name]() }, icon(face), text && h("span", {}, text));
  }

  #send(text) {
    this.thread.isAtEnd = true;
    this.act.send(text, this.mode);
    if (this.mode === "note") this.setMode("text");
  }

  #drawHead(row) {
    const name = nameOf(row, this.words);
    const stamp = `${row.id} ${name} ${row.page_title} ${row.page_url}`;
    if (this.parts.who.dataset.stamp !== stamp) {
      this.parts.who.dataset.stamp = stamp;
      const about = h("p", { class: "talk__page" }, row.page_title || row.page_url || row.widget_name || "");
      this.parts.who.replaceChildren(avatar(name, row.visitor.id), h("div", { class: "talk__names" }, h("h2", { class: "talk__name" }, name), about));
    }
    this.buttons.close.hidden = row.status !== "active" || !row.agent;
  }

  #drawFoot(row) {
    const isMine = row.agent?.id === this.me.id;
    const isOpen = row.status === "active";
    this.canReply = isOpen && isMine;
    this.parts.composer.hidden = !isOpen || (!this.canReply && this.mode === "text");
    this.parts.composer.querySelector('[data-mode="text"]').disabled = !this.canReply;
    this.parts.bar.hidden = this.canReply;
    if (!this.canReply) this.#drawBar(row);
    this.#placeholder(row);
  }

  #drawBar(row) {
    const text = this.#barText(row);
    if (this.parts.bar.dataset.text === text) return;
    this.parts.bar.dataset.text = text;
    const accept = h("button", { class: "btn btn--primary", type: "button", onclick: () => this.act.accept() }, this.words("accept"), h("kbd", {}, "A"));
    const note = h("button", { class: "btn btn--quiet", type: "button", onclick: () => this.focus("note") }, icon("note"), this.words("writeNote"));
    const isOpen = row.status === "active";
    this.parts.bar.replaceChildren(h("p", {}, text), ...(isOpen ? [note] : []), ...(isOpen && !row.agent ? [accept] : []));
  }

  #barText(row) {
    const name = nameOf(row, this.words);
    if (row.status === "active" && !row.agent) return this.words("waitingBar", { name, time: shortAge(row.created_at) });
    if (row.status === "active") return this.words("otherBar", { agent: row.agent.name });
    return [this.words("closedBar"), row.rating && this.words("ratedBar", { rating: row.rating })].filter(Boolean).join(" · ");
  }

  #placeholder(row = this.row) {
    this.row = row;
    const key = this.mode === "note" ? "noteTo" : "replyTo";
    this.parts.text.placeholder = row ? this.words(key, { name: nameOf(row, this.words) }) : "";
  }

  #describe({ type, payload }, row) {
    const { words } = this;
    const name = nameOf(row, words);
    if (type === "assignment" && !payload.agent) return words("unassigned");
    if (type === "assignment") return payload.agent.id === this.me.id ? words("assignedToYou") : words("assigned", { agent: payload.agent.name });
    if (type === "rating") return words(payload.feedback ? "ratedWith" : "rated", { name, ...payload });
    if (type !== "status") return "";
    if (payload.status === "active") return words("reopened");
    if (payload.status === "abandoned") return words("abandoned", { name });
    return words({ visitor: "closedByVisitor", agent: "closedByAgent" }[payload.by] || "closedBySystem", { name });
  }
}
