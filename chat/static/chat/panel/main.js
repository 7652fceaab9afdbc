/** The visitor's panel: draws the session, and turns what the visitor does into calls of it. */

import { avatar, h, initials, write } from "../../ui/dom.js";
import { translator } from "../../ui/i18n.js";
import { Composer } from "../composer.js";
import { Thread, TypingLine, rowsOf } from "../thread.js";
import { paint } from "./brand.js";
import { Bridge } from "./bridge.js";
import { lineWatch } from "../line.js";
import { visitorStore } from "./keep.js";
import { ratedCard, ratingCard } from "./rating.js";
import { Session } from "./session.js";
import { STRINGS } from "./strings.js";

const config = JSON.parse(document.getElementById("irisx-panel").textContent);
const words = translator(STRINGS);
const part = (id) => document.getElementById(id);
const parts = Object.fromEntries(
  ["panel", "intro", "face", "name", "status", "end", "close", "line", "scroll", "thread", "typing", "after", "jump", "foot", "who", "email", "email-error", "composer", "text", "send", "anew"].map((id) => [id, part(id)]),
);
const bridge = new Bridge();
bridge.greet();
const session = new Session({ config, store: await visitorStore(bridge), bridge, onChange: soon, onTyping: showTyping, onArrived: arrived });
const thread = new Thread({
  list: parts.thread,
  scroller: parts.scroll,
  words,
  actions: { retry: (id) => session.outbox.retry(id), discard: (id) => session.outbox.remove(id) },
});
const typing = new TypingLine({ element: parts.typing, words, onChange: () => thread.isAtEnd && thread.toEnd() });
const composer = new Composer({ form: parts.composer, field: parts.text, button: parts.send, onSend: send, onTyping: (is) => session.typing(is) });
const drawLine = lineWatch({ element: parts.line, words, retry: () => session.connectNow() });
let isShown = window.parent === window;
let isDrawing = false;
let after = "";
let wasOnline = session.agentsOnline;

function soon() {
  if (isDrawing) return;
  isDrawing = true;
  queueMicrotask(draw);
}

function draw() {
  isDrawing = false;
  const { conversation, log, pending, theirReadSeq } = session;
  const entries = log.base ? log.entries : [greeting(log.entries[0]), ...log.entries];
  thread.show(rowsOf({ entries: entries.filter(Boolean), pending, side: "visitor", readSeq: theirReadSeq, describe }));
  if (isShown && document.visibilityState === "visible") session.markRead();
  bridge.tell("unread", { count: isShown ? 0 : session.unread });
  parts.jump.hidden = thread.isAtEnd || !session.unread;
  drawHead(conversation);
  drawFoot(conversation);
  drawLine(session.line);
}

/** The greeting stands in the log like a message of the team, but lives on this side only. */
function greeting(first) {
  const text = wasOnline ? config.greeting_message : config.offline_message || config.greeting_message;
  if (!text) return null;
  const at = first?.event.occurred_at || new Date().toISOString();
  const message = { id: "greeting", sender_type: "agent", sender_id: null, sender_name: config.name, message_type: "text", text, created_at: at };
  return { seq: 0, event: { type: "message", occurred_at: at, payload: { message } } };
}

function describe({ type, payload }) {
  if (type === "assignment") return payload.agent ? words("joined", { name: payload.agent.name }) : "";
  if (type !== "status") return "";
  if (payload.status === "active") return words("reopened");
  return words({ visitor: "closedByYou", agent: "closedByAgent" }[payload.by] || "closedBySystem");
}

function drawHead(conversation) {
  const agent = conversation?.agent;
  const isOver = conversation && !session.isOpen;
  const seed = agent?.id || "";
  if (parts.face.dataset.seed !== seed) {
    parts.face.dataset.seed = seed;
    parts.face.replaceChildren(agent && config.show_agent_avatars ? avatar(agent.name, agent.id) : h("span", { class: "avatar avatar--brand" }, initials(config.name)));
  }
  parts.panel.classList.toggle("panel--fresh", !conversation && !session.pending.length);
  write(parts.intro, words(wasOnline ? "intro" : "introAway"));
  write(parts.name, agent ? agent.name : config.name);
  parts.status.dataset.status = session.agentsOnline && !isOver ? "online" : "off";
  write(parts.status, words(isOver ? "ended" : session.agentsOnline ? "online" : "away"));
  parts.end.hidden = !session.isOpen;
}

function drawFoot(conversation) {
  const isOver = Boolean(conversation) && !session.isOpen;
  const needsEmail = config.require_email && !session.saved.visitor_email && !conversation;
  parts.who.hidden = !needsEmail;
  parts.composer.hidden = isOver || needsEmail;
  parts.anew.hidden = !isOver;
  const wanted = isOver ? `rate ${conversation.rating}` : "";
  if (wanted === after) return;
  after = wanted;
  parts.after.replaceChildren(...(isOver ? [rating(conversation)] : []));
  if (isOver) typing.hide();
  thread.toEnd();
}

function rating(conversation) {
  if (conversation.rating) return ratedCard({ words, rating: conversation.rating });
  return ratingCard({ words, onRate: (value, feedback) => session.rate(value, feedback), onGrow: () => thread.toEnd() });
}

function send(text) {
  thread.isAtEnd = true;
  session.send(text);
}

function showTyping({ is_typing, participant, expires_at }) {
  if (is_typing) typing.show(participant.name, expires_at);
  else typing.hide();
}

function arrived(message) {
  typing.hide();
  if (!isShown) bridge.tell("message", { text: message.text });
}

/* --- what the launcher says --- */

function hear(message) {
  if (message.type === "init" && message.theme) window.irisxTheme(message.theme), paint(config.primary_color);
  if (message.type === "opened") opened(message.quiet);
  if (message.type === "closed") isShown = false;
}

function opened(isQuiet) {
  isShown = true;
  thread.isAtEnd = true;
  composer.fit();
  soon();
  if (!isQuiet) focusFirst();
}

function focusFirst() {
  [parts.text, parts.email, parts.anew].find((element) => element.offsetParent)?.focus();
}

/* --- wiring --- */

function label() {
  document.documentElement.lang = words.language;
  document.documentElement.dir = words.direction;
  for (const element of document.querySelectorAll("[data-word]")) {
    const text = words(element.dataset.word);
    const isNamed = element.matches("#scroll, #thread, .btn--icon");
    if (isNamed) element.setAttribute("aria-label", text);
    else element.textContent = text;
    if (element.matches(".btn--icon")) element.title = text;
  }
  parts.send.setAttribute("aria-label", words("send"));
  parts.text.placeholder = config.placeholder_text || words("placeholder");
  parts.email.placeholder = words("emailPlaceholder");
}

parts.close.addEventListener("click", () => bridge.tell("close"));
parts.jump.addEventListener("click", () => (thread.toEnd(), soon()));
parts.anew.addEventListener("click", () => ((wasOnline = session.agentsOnline), session.startAnew(), thread.clear(), draw(), focusFirst()));
parts.end.addEventListener("click", () => askToEnd());
parts.who.addEventListener("submit", (event) => {
  event.preventDefault();
  const isRight = parts.email.checkValidity();
  parts["email-error"].hidden = isRight;
  parts["email-error"].textContent = isRight ? "" : words("emailWrong");
  parts.email.setAttribute("aria-invalid", String(!isRight));
  if (isRight) session.introduce(parts.email.value.trim()), draw(), focusFirst();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented) bridge.tell("close");
});
document.addEventListener("visibilitychange", soon);
parts.scroll.addEventListener("scroll", () => thread.isAtEnd && (parts.jump.hidden = true), { passive: true });
window.addEventListener("storage", (event) => event.key === session.key && session.adopt());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint(config.primary_color));

/** Ending asks once, in place: the question takes the composer's place and gives it back. */
function askToEnd() {
  if (part("ask")) return;
  const done = () => (ask.remove(), focusFirst());
  const end = () => session.close().then(done, (refusal) => (question.textContent = refusal.message));
  const question = h("p", { class: "ask__text" }, words("endAsk"));
  const ask = h(
    "div",
    { class: "ask", id: "ask", role: "alertdialog", "aria-label": words("endAsk"), onkeydown: (event) => event.key === "Escape" && (event.preventDefault(), done()) },
    question,
    h("button", { class: "btn", type: "button", onclick: done }, words("endNo")),
    h("button", { class: "btn btn--primary", type: "button", onclick: end }, words("endYes")),
  );
  parts.foot.prepend(ask);
  ask.querySelector(".btn--primary").focus();
}

paint(config.primary_color);
label();
draw();
session.resume().finally(() => parts.thread.setAttribute("aria-live", "polite"));
bridge.listen(hear);
