/** The agent's desk: joins the inbox, the opened room and the panes. The address' hash says which chat is open. */

import { Live } from "../../ui/live.js";
import { Outbox } from "../../ui/outbox.js";
import { openStore } from "../../ui/store.js";
import { translator } from "../../ui/i18n.js";
import { lineWatch } from "../line.js";
import { Api } from "./api.js";
import { drawFacts } from "./facts.js";
import { Inbox } from "./inbox.js";
import { bindKeys, helpDialog } from "./keys.js";
import { List, empty } from "./list.js";
import { Presence } from "./presence.js";
import { Room } from "./room.js";
import { STRINGS } from "./strings.js";
import { Talk } from "./talk.js";
import { notify } from "./toast.js";

const { me, csrf, socket } = JSON.parse(document.getElementById("irisx-desk").textContent);
const words = translator(STRINGS);
const part = (id) => document.getElementById(id);
const desk = part("desk");
const api = new Api(csrf);
const live = new Live({ url: socket, credentials: () => api.ticket(), cursors: () => room.cursors, onFrame: hear, onState: lineChanged });
const inbox = new Inbox({ api, me, onChange: soon });
const room = new Room({ api, live: () => live, onChange: soon, isWatched: () => document.visibilityState === "visible" && document.hasFocus() });
const outbox = new Outbox({ store: openStore(), prefix: `irisx.desk.${me.id}.`, send: deliver, onSent: stored, onChange: soon });
const list = new List({ inbox, words, parts: { rows: part("rows"), tabs: part("tabs"), state: part("rows-state") }, onOpen: go });
const talk = new Talk({
  me,
  words,
  parts: Object.fromEntries(["thread", "scroll", "typing", "composer", "text", "send", "earlier", "jump", "acts", "who", "bar"].map((id) => [id, part(id)])),
  act: {
    accept: () => act("accept").then(() => talk.focus("text")),
    close: () => act("close"),
    details: () => go(`${room.id}/details`),
    send: (text, kind) => outbox.add(room.id, text, { kind }),
    typing: (is_typing) => live.tell("typing", { conversation_id: room.id, is_typing }),
    earlier: () => attempt(() => room.loadEarlier()),
    retry: (id) => outbox.retry(id),
    discard: (id) => outbox.remove(id),
  },
});
const presence = new Presence({ element: part("presence"), hint: part("presence-hint"), words, choose: choosePresence });
const drawLine = lineWatch({ element: part("line"), words, retry: () => live.connect() });
const showHelp = helpDialog(part("keys"), words);
let epoch = "";
let isDrawing = false;

/* --- drawing: at most once a frame, only what is on the screen --- */

function soon() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(draw);
}

function draw() {
  isDrawing = false;
  list.draw();
  drawRoom();
  const waiting = inbox.view("waiting").length;
  const unread = inbox.view("mine").filter((row) => row.unread_count).length;
  document.title = `${waiting + unread ? `(${waiting + unread}) ` : ""}Desk · IRISX`;
}

function drawRoom() {
  const row = inbox.rows.get(room.id) || room.row;
  part("talk").hidden = part("facts").hidden = !row;
  part("none").hidden = Boolean(row);
  if (!row) return;
  room.learn(row);
  talk.draw({ row, log: room.log, pending: outbox.items(row.id), theirReadSeq: room.theirReadSeq });
  drawFacts(part("facts"), row, words, () => go(row.id));
  if (room.markRead() && row.unread_count) inbox.amend(row.id, { unread_count: 0 });
}

/* --- which chat is open: the hash decides, so that "back" works and a reload comes back here --- */

function go(target) {
  location.hash = target ? `#${target}` : "#";
}

function follow() {
  const [id, view] = location.hash.slice(1).split("/");
  desk.dataset.screen = !id ? "list" : view === "details" ? "facts" : "talk";
  if (id === (room.id ?? "")) return;
  if (id) enter(id);
  else leave();
}

async function enter(id) {
  const row = inbox.rows.get(id) || (await attempt(async () => (await api.events(id, 0, 1)).conversation));
  if (!row) return go("");
  if (!inbox.rows.has(id)) inbox.put(row);
  room.open(row);
  talk.turnTo(row);
  list.openId = id;
  if (!list.rows.some((one) => one.id === id)) list.choose(inbox.tabOf(row));
  list.mark(id);
  soon();
}

function leave() {
  room.leave();
  talk.turnTo(null);
  list.openId = null;
  soon();
}

/* --- what the agent does --- */

async function act(verb, id = room.id) {
  const row = await attempt(() => api.act(id, verb));
  if (!row) return;
  inbox.put(row);
  if (verb === "accept") list.tab = "mine";
  draw();
}

/** Run something that may be refused; a refusal is said, not swallowed. */
async function attempt(run) {
  try {
    return await run();
  } catch (error) {
    notify(words("refused", { reason: error.message }));
    return null;
  }
}

async function deliver({ lane, kind, client_message_id, text }) {
  if (kind === "note") return api.act(lane, "note", { client_message_id, text });
  const fields = { conversation_id: lane, client_message_id, text };
  if (live.state.name === "live") return live.request("message.send", fields);
  return api.call("POST", "chat/message/send", fields);
}

function stored({ lane }, { seq, event }) {
  return room.logOf(lane)?.receive(seq, event);
}

async function choosePresence(status) {
  const stored = await attempt(() => api.presence(status));
  return stored || { status: presence.status };
}

/* --- what the server says --- */

function hear(frame) {
  const isOpen = frame.conversation_id === room.id;
  if (frame.type === "ready") return ready(frame);
  if (frame.type === "ping") return pinged(frame);
  if (frame.type === "resync") return room.log?.catchUp(), inbox.load();
  if (frame.type === "inbox") return inbox.hear(frame);
  if (frame.type === "presence" && frame.agent.id === me.id) return presence.show(frame.agent);
  if (frame.type === "typing" && isOpen && frame.participant.type === "visitor") return talk.showTyping(frame, room.row);
  room.hear(frame);
  if (frame.type === "event" && isOpen && frame.event.type === "message") talk.typing.hide();
  if (frame.type === "events") outbox.flush();
}

function ready(frame) {
  epoch = frame.epoch;
  attempt(() => api.presence()).then((stored) => stored && presence.show(stored));
  inbox.compare(frame.inbox, frame.now);
  if (!room.id) outbox.flush();
  soon();
}

function pinged(frame) {
  if (frame.epoch === epoch) {
    room.noteHeads(frame.heads);
    return inbox.compare(frame.inbox, frame.now);
  }
  epoch = frame.epoch;
  room.forget(frame.heads);
  return inbox.load();
}

function lineChanged(state) {
  drawLine(state);
  desk.dataset.line = state.name;
}

/* --- keys --- */

bindKeys({
  acts: {
    j: () => list.move(1),
    k: () => list.move(-1),
    ArrowDown: () => list.move(1),
    ArrowUp: () => list.move(-1),
    Enter: () => list.marked && go(list.marked),
    a: () => accept(),
    r: () => talk.focus("text"),
    n: () => talk.focus("note"),
    e: () => room.row?.status === "active" && room.row.agent && act("close"),
    1: () => list.choose("waiting"),
    2: () => list.choose("mine"),
    3: () => list.choose("team"),
    4: () => list.choose("closed"),
    "?": showHelp,
  },
  escape: (isWriting) => {
    if (isWriting) part("rows").focus(), talk.setMode("text"), soon();
    else if (room.id) go("");
    return isWriting || Boolean(room.id);
  },
});

async function accept() {
  const row = inbox.rows.get(room.id || list.marked);
  if (!row || row.agent || row.status !== "active") return;
  await act("accept", row.id);
  if (row.id !== room.id) go(row.id);
  else talk.focus("text");
}

part("back").addEventListener("click", () => go(""));
part("none").append(empty("chat", words("none.title"), words("none.text")));
window.addEventListener("hashchange", follow);
window.addEventListener("focus", soon);
document.addEventListener("visibilitychange", soon);

list.draw();
live.start();
inbox.load().then(follow);
