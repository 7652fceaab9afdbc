/** The agent's desk: joins what it knows (core.js) and the panes. The address' hash says which chat is open. */

import { translator } from "../../ui/i18n.js";
import { Files } from "../files.js";
import { lineWatch } from "../line.js";
import { Alerts } from "./alerts.js";
import { Bar } from "./bar.js";
import { CannedMenu, filled } from "./canned.js";
import { Core } from "./core.js";
import { Deeds } from "./deeds.js";
import { Facts } from "./facts.js";
import { bindKeys, openHelp } from "./keys.js";
import { withLightbox } from "./lightbox.js";
import { List } from "./list.js";
import { Offers } from "./offers.js";
import { Presence } from "./presence.js";
import { empty } from "./row.js";
import { STRINGS } from "./strings.js";
import { Talk } from "./talk.js";
import { notify } from "./toast.js";
import { Trays } from "./trays.js";
import { fitViewport, oncePerFrame } from "./viewport.js";
import { VisitorActs } from "./visitor.js";

const config = JSON.parse(document.getElementById("irisx-desk").textContent);
const { me, company, widgets } = config;
const words = translator(STRINGS);
const part = (id) => document.getElementById(id);
const parts = (...ids) => Object.fromEntries(ids.map((id) => [id, part(id)]));
const desk = part("desk");
const isWatched = () => document.visibilityState === "visible" && document.hasFocus();
const refused = (error) => notify(words("refused", { reason: error.message }));
const soon = oncePerFrame(draw);
let soughtSeq = 0;
let takenId = "";

const core = new Core({
  ...config,
  isWatched,
  on: {
    change: soon,
    line: lineChanged,
    presence: (known) => presence.show(known),
    typing: (frame) => talk.showTyping(frame),
    said: () => talk.typing.hide(),
    news: (row, before) => alerts.news(row, before),
    refused,
  },
});
const { inbox, room, catalogue, api } = core;
const deeds = new Deeds({ core, words, go, onTaken });
const list = new List({ inbox, words, parts: { rows: part("rows"), tabs: part("tabs"), state: part("rows-state") }, catalogue, onOpen: go });
const loadFile = (id) => api.get(`attachments/${id}`);
const files = new Files({ words, load: loadFile, onGrow: () => talk.thread.isAtEnd && talk.thread.toEnd() });
const trays = new Trays({ words, send: (id, file, options) => api.sendFile(id, file, options), megabytesOf: (id) => widgets[inbox.rows.get(id)?.widget_name]?.max_file_size_mb, onChange: () => talk.composer.fit() });
const talk = new Talk({
  me,
  words,
  mayReply: deeds.mayReply,
  parts: parts("talk", "log", "thread", "scroll", "typing", "composer", "text", "send", "earlier", "jump", "acts", "who", "trays", "clip", "files"),
  files: withLightbox({ files, load: loadFile, words, refused }),
  trayOf: (id) => trays.of(id),
  colorOf: (name) => catalogue.colorOf(name),
  bar: new Bar({
    element: part("bar"),
    words,
    inbox,
    mayReply: deeds.mayReply,
    act: { accept: () => deeds.accept(), takeOver: () => deeds.takeOver(), reopen: () => deeds.reopen(), note: () => talk.focus("note") },
  }),
  act: {
    close: () => deeds.close(),
    labels: () => deeds.labels(),
    transfer: () => deeds.transfer(),
    details: () => go(`${room.id}/details`),
    send: (text, kind, attachments) => core.send(room.id, text, kind, attachments),
    typing: (is_typing) => core.live.tell("typing", { conversation_id: room.id, is_typing }),
    earlier: () => core.attempt(() => room.loadEarlier()),
    retry: (id) => core.outbox.retry(id),
    discard: (id) => core.outbox.remove(id),
    edit: (id, text) => room.edit(id, text),
  },
});
const visitor = new VisitorActs({ core, words, row: () => deeds.row, learn: (details) => (facts.learn(details), soon()), gone: () => (go(""), inbox.load()) });
const facts = new Facts({
  element: part("facts"),
  api,
  catalogue,
  words,
  may: { reply: deeds.mayReply, manage: core.may("chat.manage") },
  act: {
    back: () => go(room.id),
    edit: () => visitor.edit(),
    block: () => visitor.block(),
    exportData: () => visitor.exportData(),
    erase: () => visitor.erase(),
    labels: () => deeds.labels(),
    open: go,
    changed: soon,
  },
});
const presence = new Presence({ element: part("presence"), hint: part("presence-hint"), words, choose: (choice) => core.setPresence(choice) });
const alerts = new Alerts({ element: part("alerts"), words, store: core.store, inbox, me, isWatched, open: go });
const offers = new Offers({ element: part("offer"), words, accept: (row) => deeds.accept(row), open: go });
const drawLine = lineWatch({ element: part("line"), words, retry: () => core.live.connect() });
new CannedMenu({
  field: part("text"),
  element: part("canned"),
  words,
  replies: () => catalogue.replies,
  take: ({ text }) => talk.insert(filled(text, { row: deeds.row, me, company, words })),
  manage: deeds.mayReply ? () => deeds.canned() : null,
});

/* --- drawing: at most once a frame, only what is on the screen --- */

function draw() {
  list.draw();
  drawRoom();
  const mine = inbox.view("mine");
  offers.draw(mine.filter((row) => inbox.isOffer(row)), room.id);
  presence.count(mine.length);
  const calls = inbox.view("waiting").length + mine.filter((row) => row.unread_count || inbox.isOffer(row)).length;
  document.title = `${calls ? `(${calls}) ` : ""}Desk · IRISX`;
}

function drawRoom() {
  const { row } = deeds;
  part("talk").hidden = part("facts").hidden = !row;
  part("none").hidden = Boolean(row);
  if (!row) return;
  room.learn(row);
  talk.draw({ row, log: room.log, pending: core.outbox.items(row.id), theirs: room.theirs });
  facts.draw(row);
  if (room.mark() && row.unread_count) inbox.amend(row.id, { unread_count: 0 });
  if (soughtSeq && room.log.seq >= soughtSeq) talk.reveal(soughtSeq), (soughtSeq = 0);
}

function lineChanged(state) {
  drawLine(state);
  desk.dataset.line = state.name;
}

/* --- which chat is open: the hash decides, so that "back" works and a reload comes back here --- */

function go(target) {
  location.hash = target ? `#${target}` : "#";
}

async function follow() {
  const [id, view] = location.hash.slice(1).split("/");
  desk.dataset.screen = !id ? "list" : view === "details" ? "facts" : "talk";
  if (!id) leave();
  else if (id !== room.id) await enter(id);
  if (Number(view) && id === room.id) await seek(Number(view));
}

async function enter(id) {
  const row = await core.rowOf(id);
  if (!row) return go("");
  room.open(row);
  talk.turnTo(row);
  list.openId = id;
  if (!list.rows.some((one) => one.id === id)) list.choose(inbox.tabOf(row));
  list.mark(id);
  draw();
  if (takenId === id) talk.focus("text");
  takenId = "";
}

/** Show an event of the opened chat, however far back it lies. */
async function seek(seq) {
  await core.attempt(() => room.reach(seq));
  talk.thread.isAtEnd = false;
  soughtSeq = seq;
  soon();
}

function leave() {
  room.leave();
  talk.turnTo(null);
  list.openId = null;
  soon();
}

/** A chat has become ours: there it is, ready to be answered. */
function onTaken(row) {
  list.tab = "mine";
  draw();
  if (row.id === room.id) return talk.focus("text");
  takenId = row.id;
  go(row.id);
}

/* --- keys --- */

bindKeys({
  search: () => deeds.search(),
  acts: {
    j: () => list.move(1),
    k: () => list.move(-1),
    ArrowDown: () => list.move(1),
    ArrowUp: () => list.move(-1),
    Enter: () => list.marked && go(list.marked),
    a: () => deeds.accept(acceptable()),
    r: () => talk.focus("text"),
    n: () => talk.focus("note"),
    l: () => deeds.labels(),
    t: () => deeds.transfer(),
    e: () => deeds.close(),
    o: () => deeds.reopen(),
    s: () => deeds.search(),
    "/": () => deeds.search(),
    1: () => list.choose("waiting"),
    2: () => list.choose("mine"),
    3: () => list.choose("team"),
    4: () => list.choose("closed"),
    "?": () => openHelp(words),
  },
  escape: (isWriting) => {
    if (isWriting) part("rows").focus(), talk.setMode("text"), soon();
    else if (room.id) go("");
    return isWriting || Boolean(room.id);
  },
});

/** What A means: the opened chat, else the marked one, else the offer on top. */
function acceptable() {
  return deeds.row ?? inbox.rows.get(list.marked) ?? inbox.view("mine").find((row) => inbox.isOffer(row));
}

part("search").addEventListener("click", () => deeds.search());
part("shortcuts").addEventListener("click", () => openHelp(words));
part("back").addEventListener("click", () => go(""));
part("none").append(empty("chat", words("none.title"), words("none.text")));
window.addEventListener("hashchange", follow);
window.addEventListener("focus", soon);
document.addEventListener("visibilitychange", soon);

fitViewport(document.documentElement);
list.draw();
core.start().then(() => {
  if (!inbox.view("mine").length && inbox.view("waiting").length) list.choose("waiting");
  return follow();
});
