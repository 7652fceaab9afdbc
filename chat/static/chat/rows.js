/** A conversation's log as the rows one reads: messages in groups, quiet lines, days. No DOM. */

import { sameDay } from "../ui/i18n.js";

const GROUP_MILLISECONDS = 5 * 60 * 1000;
/** How long a message may be mended by its author; the server holds to it (chat/services/editing.py). */
export const EDITABLE_MILLISECONDS = 15 * 60 * 1000;

/**
 * Return the rows of a conversation. `side`: "visitor" or "agent" (whose screen this is), `me`: the agent's own id;
 * `readSeq`, `deliveredSeq`: how far the other side has read and received; `describe(event)`: the words of an event that is not a message, or "";
 * `visitorName`: what the desk calls a visitor who gave no name; `editableFrom`: one's own messages after this moment (milliseconds) can be mended.
 */
export function rowsOf({ entries, pending, side, me, readSeq, deliveredSeq = 0, describe, visitorName = "", editableFrom = Infinity }) {
  const rows = [];
  const edits = new Map();
  for (const { event } of entries) if (event.type === "edit") edits.set(event.payload.message_id, event.payload);
  const stored = new Set();
  for (const { seq, event } of entries) {
    const message = event.payload.message;
    if (message) stored.add(message.client_message_id);
    const row = message ? said(seq, mended(message, edits), { side, me, visitorName, editableFrom }) : told(seq, event, describe);
    if (row) rows.push(row);
  }
  for (const item of pending) if (!stored.has(item.client_message_id)) rows.push(waiting(item));
  return separated(grouped(rows), { readSeq, deliveredSeq });
}

/** A message as it reads now: the last edit's text stands in its place. */
function mended(message, edits) {
  const { text, edited_at } = edits.get(message.id) ?? message;
  return { ...message, text, edited_at };
}

function said(seq, message, { side, me, visitorName, editableFrom }) {
  if (message.message_type === "system") return line(`s:${seq}`, message.text, message.created_at, seq);
  const isMine = message.sender_type === side;
  const isColleague = Boolean(me) && isMine && message.sender_id !== me;
  return {
    kind: "message",
    key: `m:${message.client_message_id || message.id}`,
    seq,
    isMine,
    isNote: message.message_type === "note",
    isColleague,
    canEdit: isMine && !isColleague && seq > 0 && Date.parse(message.created_at) > editableFrom,
    messageId: message.id,
    editedAt: message.edited_at ?? null,
    author: message.sender_id || message.sender_type,
    name: (message.sender_type === "visitor" && visitorName) || message.sender_name,
    isHouse: !message.sender_id,
    text: message.text,
    attachment: message.attachment ?? null,
    at: message.created_at,
    state: "sent",
  };
}

function waiting(item) {
  return {
    kind: "message",
    key: `m:${item.client_message_id}`,
    seq: Infinity,
    isMine: true,
    isNote: item.kind === "note",
    isColleague: false,
    author: "",
    name: "",
    text: item.text,
    attachment: item.attachment ?? null,
    at: new Date(item.order).toISOString(),
    state: item.state,
    error: item.error,
    id: item.client_message_id,
  };
}

function told(seq, event, describe) {
  const isBirth = seq === 1 && event.type === "status";
  const text = isBirth ? "" : describe(event);
  return text ? line(`e:${seq}`, text, event.occurred_at, seq) : null;
}

function line(key, text, at, seq) {
  return { kind: "line", key, text, at, seq };
}

function grouped(rows) {
  rows.forEach((row, at) => {
    row.isFirst = !together(rows[at - 1], row);
    row.isLast = !together(row, rows[at + 1]);
  });
  return rows;
}

function together(one, other) {
  if (one?.kind !== "message" || other?.kind !== "message") return false;
  const near = Date.parse(other.at) - Date.parse(one.at) < GROUP_MILLISECONDS;
  const same = one.isMine === other.isMine && one.isColleague === other.isColleague && (isOwn(one) || one.author === other.author);
  return near && same && one.isNote === other.isNote && sameDay(one.at, other.at);
}

function isOwn(row) {
  return row.isMine && !row.isColleague;
}

/** Put a day's name before its first row (a talk of today needs none), and the state on the last of one's own messages that is not a note. */
function separated(rows, marks) {
  const mine = rows.filter((row) => row.kind === "message" && isOwn(row) && !row.isNote);
  const last = mine[mine.length - 1];
  if (last) last.mark = last.state === "sent" ? reached(last.seq, marks) : last.state;
  const out = [];
  let day = new Date();
  for (const row of rows) {
    if (!sameDay(day, row.at)) out.push({ kind: "day", key: `d:${new Date(row.at).toDateString()}`, at: row.at });
    day = row.at;
    out.push(row);
  }
  return out;
}

function reached(seq, { readSeq, deliveredSeq }) {
  if (seq <= readSeq) return "read";
  return seq <= deliveredSeq ? "delivered" : "sent";
}
