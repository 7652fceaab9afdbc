/** What the visitor sees: the head, the conversation, what follows it, and where one writes. */

import { serverNow } from "../clock.js";
import { Composer } from "../composer.js";
import { Files } from "../files.js";
import { lineWatch } from "../line.js";
import { EDITABLE_MILLISECONDS, Thread, TypingLine, rowsOf } from "../thread.js";
import { Tray, welcomeFiles } from "../tray.js";
import { After } from "./after.js";
import { ask } from "./ask.js";
import { drawHead, greetingText } from "./head.js";
import { Menu } from "./menu.js";
import { explain, label, own, words } from "./words.js";

const IDS = [
  "panel", "intro", "face", "name", "status", "more", "menu", "close", "line", "notice", "scroll", "earlier", "log", "thread", "typing",
  "after", "jump", "foot", "tray", "composer", "attach", "file", "text", "send",
];

export class View {
  #isDrawing = false;
  #hadTalk = false;
  #noticeTimer = 0;

  constructor({ config, session, person, bridge, sound }) {
    Object.assign(this, { config, session, person, bridge, sound });
    this.parts = Object.fromEntries(IDS.map((id) => [id, document.getElementById(id)]));
    this.isShown = window.parent === window;
    this.wasOffline = session.isOffline;
    this.#build();
    this.#wire();
  }

  /** Whether somebody looks at the conversation now. */
  get isSeen() {
    return this.isShown && document.visibilityState === "visible";
  }

  /** Draw once for all that changes now. */
  soon() {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    queueMicrotask(() => this.draw());
  }

  draw() {
    this.#isDrawing = false;
    const { session, parts, thread } = this;
    const { talk } = session;
    if (this.#hadTalk && !talk) this.wasOffline = session.isOffline;
    this.#hadTalk = Boolean(talk);
    const marks = { readSeq: talk?.marks.theirRead ?? 0, deliveredSeq: talk?.marks.theirDelivered ?? 0 };
    const editableFrom = talk?.isOpen ? serverNow() - EDITABLE_MILLISECONDS : Infinity;
    thread.show(rowsOf({ entries: this.#entries(), pending: session.pending, side: "visitor", ...marks, editableFrom, describe }));
    if (talk && this.isSeen) session.markRead();
    this.bridge.tell("unread", { count: this.isShown ? 0 : (talk?.unread ?? 0) });
    parts.earlier.hidden = !session.hasEarlier;
    parts.jump.hidden = thread.isAtEnd || !talk?.unread;
    drawHead(this);
    this.after.draw(this.wasOffline);
    if (this.after.isAsking) thread.isAtEnd = false;
    this.#drawFoot(talk);
    this.drawLine(talk?.line ?? { name: "idle" });
  }

  opened(isQuiet) {
    this.isShown = true;
    this.thread.isAtEnd = true;
    this.composer.fit();
    this.draw();
    if (!this.after.isAsking) this.thread.toEnd();
    if (!isQuiet) this.focusFirst();
  }

  closed() {
    this.isShown = false;
    this.menu.close(false);
  }

  /** Where one goes on: the field. On a touch screen that would call up the keyboard over what is to be read first. */
  focusFirst() {
    const { parts } = this;
    const isTouch = matchMedia("(pointer: coarse)").matches;
    const firsts = isTouch ? [parts.name] : [parts.after.querySelector(".before .input, .before__box"), parts.text, parts.name];
    firsts.find((element) => element?.offsetParent)?.focus();
  }

  /** Say something passing, aloud too. */
  say(text, seconds = 6) {
    const { notice } = this.parts;
    clearTimeout(this.#noticeTimer);
    notice.hidden = false;
    notice.textContent = text;
    this.#noticeTimer = setTimeout(() => (notice.hidden = true), seconds * 1000);
  }

  showTyping({ is_typing, participant, expires_at }) {
    if (is_typing) this.typing.show(participant.name, expires_at);
    else this.typing.hide();
  }

  askAgain(mistakes) {
    this.after.askAgain(mistakes);
    this.soon();
  }

  translate() {
    label();
    this.after.refresh();
    this.#placeholder();
    this.thread.clear();
    this.draw();
  }

  /** From now on what comes is news, and read aloud. */
  beginToSpeak() {
    this.parts.log.setAttribute("aria-live", "polite");
  }

  #build() {
    const { parts, session, config } = this;
    parts.panel.hidden = false;
    this.files = new Files({ words, load: (id) => this.person.request("GET", `attachments/${id}`), onGrow: () => this.thread.isAtEnd && this.thread.toEnd() });
    const actions = { retry: (id) => session.outbox.retry(id), discard: (id) => session.outbox.remove(id), edit: (id, text) => session.talk.edit(id, text) };
    this.thread = new Thread({ list: parts.thread, scroller: parts.scroll, words, actions, files: this.files, explain });
    this.typing = new TypingLine({ element: parts.typing, words, onChange: () => this.thread.isAtEnd && this.thread.toEnd() });
    this.tray = new Tray({
      element: parts.tray,
      words,
      explain,
      maxMegabytes: config.max_file_size_mb,
      send: (file, options) => session.upload(file, options),
      isReady: () => Boolean(session.talk?.isOpen),
      onChange: () => this.composer.fit(),
    });
    this.composer = new Composer({
      form: parts.composer,
      field: parts.text,
      button: parts.send,
      tray: this.tray,
      onSend: (text, attachments) => this.#send(text, attachments),
      onTyping: (is) => session.talk?.typing(is),
      onUp: () => this.thread.editLast(),
    });
    this.menu = new Menu({ button: parts.more, list: parts.menu, words, items: () => this.#choices() });
    this.drawLine = lineWatch({ element: parts.line, words, retry: () => session.talk?.reconnect() });
    this.after = new After({ element: parts.after, config, session, person: this.person, onAnswered: () => this.#answered(), onGrow: () => this.thread.toEnd() });
    this.#placeholder();
  }

  #wire() {
    const { parts, thread, session, config } = this;
    const isOn = () => config.allow_file_upload && !parts.composer.hidden;
    parts.attach.hidden = !config.allow_file_upload;
    parts.close.hidden = window.parent === window;
    welcomeFiles({ tray: this.tray, button: parts.attach, input: parts.file, field: parts.text, zone: parts.panel, isOn });
    parts.close.addEventListener("click", () => this.bridge.tell("close"));
    parts.jump.addEventListener("click", () => (thread.toEnd(), this.soon()));
    parts.earlier.addEventListener("click", () => session.loadEarlier().catch((error) => this.say(explain(error))));
    parts.scroll.addEventListener("scroll", () => thread.isAtEnd && (parts.jump.hidden = true), { passive: true });
    document.addEventListener("visibilitychange", () => this.soon());
    document.addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && this.bridge.tell("close"));
  }

  #entries() {
    const { session } = this;
    const isWhole = !session.older.length && !session.hasEarlier;
    const text = isWhole && greetingText(this.config, this.wasOffline);
    if (!text) return session.entries;
    const at = session.entries[0]?.event.occurred_at || new Date().toISOString();
    const message = { id: "greeting", sender_type: "agent", sender_id: null, sender_name: this.config.name, message_type: "text", text, created_at: at };
    return [{ seq: 0, event: { type: "message", occurred_at: at, payload: { message } } }, ...session.entries];
  }

  #drawFoot(talk) {
    const { parts } = this;
    const isOver = Boolean(talk && !talk.isOpen);
    if (isOver) this.typing.hide();
    parts.composer.hidden = this.after.isAsking;
    if (parts.composer.dataset.over === String(isOver)) return;
    parts.composer.dataset.over = String(isOver);
    this.#placeholder();
  }

  #placeholder() {
    const isOver = this.parts.composer.dataset.over === "true";
    this.parts.text.placeholder = isOver ? words("goOn") : own(this.config.placeholder_text, "placeholder") || words("placeholder");
  }

  /** Questions are answered: one goes on writing, and what they held up is sent. */
  #answered() {
    this.draw();
    this.composer.fit();
    this.parts.text.focus();
    for (const { client_message_id, state } of this.session.pending) if (state === "failed") this.session.outbox.retry(client_message_id);
  }

  #send(text, attachments) {
    this.thread.isAtEnd = true;
    for (const attachment of attachments) this.files.know(attachment);
    this.session.send(text, attachments);
  }

  #choices() {
    const { session, sound, person } = this;
    const talk = session.talk;
    const question = { place: this.parts.foot, words, explain, done: () => this.focusFirst() };
    const end = { question: "endAsk", yes: "endYes", no: "endNo", act: () => talk.close() };
    const forget = { question: "forgetAsk", yes: "forgetYes", no: "forgetNo", act: () => session.forget().then(() => this.say(words("forgotten"))) };
    return [
      { name: "sound", face: "bell", isOn: sound.isOn, act: () => sound.toggle() },
      talk && !talk.isOpen && { name: "anew", face: "plus", act: () => this.#startAnew() },
      talk?.isOpen && { name: "end", face: "done", act: () => ask({ ...question, ...end }) },
      person.token && { name: "forget", face: "trash", act: () => ask({ ...question, ...forget }) },
    ].filter(Boolean);
  }

  #startAnew() {
    this.session.startAnew();
    this.draw();
    this.focusFirst();
  }
}

function describe({ type, payload }) {
  if (type === "assignment") return payload.agent ? words("joined", { name: payload.agent.name }) : "";
  if (type !== "status") return "";
  if (payload.status === "active") return words("reopened");
  return words({ visitor: "closedByYou", agent: "closedByAgent" }[payload.by] || "closedBySystem");
}
