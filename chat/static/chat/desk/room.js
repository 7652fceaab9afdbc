/** The opened chat: its log, its marks. Logs of chats left behind are kept, so that coming back is instant. No DOM. */

import { Disconnected } from "../../ui/http.js";
import { Log } from "../../ui/log.js";
import { Marks } from "./marks.js";

const NEWEST = 100;
const EARLIER = 100;
const STRIDE = 300;
const KEPT = 30;

export class Room {
  #logs = new Map();

  /** `live()`: the socket. `onChange()`: something to draw changed. `isWatched()`: somebody looks at it now. */
  constructor({ api, live, onChange, isWatched }) {
    Object.assign(this, { api, live, onChange, isWatched });
    this.row = null;
    this.read = new Marks((fields) => live().tell("read", fields));
    this.delivered = new Marks((fields) => live().tell("delivered", fields));
    this.theirs = { read: 0, delivered: 0 };
  }

  get id() {
    return this.row?.id ?? null;
  }

  get log() {
    return this.#logs.get(this.id);
  }

  get cursors() {
    return this.id ? { [this.id]: this.log.seq } : {};
  }

  logOf(id) {
    return this.#logs.get(id);
  }

  open(row) {
    this.leave();
    this.theirs = { read: 0, delivered: 0 };
    this.learn(row);
    if (!this.log) this.#logs.set(row.id, this.#newLog(row));
    this.#forgetOldest();
    this.#subscribe();
  }

  leave() {
    if (this.id) this.live().request("unsubscribe", { conversation_id: this.id }).catch(() => {});
    this.row = null;
  }

  /** Take a newer row of the opened chat. */
  learn(row) {
    this.row = row;
    this.#reached("read", row.visitor_read_seq);
    this.#reached("delivered", row.visitor_delivered_seq);
  }

  hear(frame) {
    const log = this.#logs.get(frame.conversation_id);
    if (frame.type === "event") log?.receive(frame.seq, frame.event);
    if (frame.type === "events" || frame.type === "reset") log?.receiveFrame(frame);
    const isTheirs = frame.participant?.type === "visitor" && frame.conversation_id === this.id;
    if (isTheirs && frame.type in this.theirs) this.#reached(frame.type, frame.seq), this.onChange();
  }

  noteHeads(heads = {}) {
    if (this.id in heads) this.log.noteHead(heads[this.id]);
  }

  /** Another epoch: what we hold may never have happened. */
  forget(heads = {}) {
    for (const id of this.#logs.keys()) if (id !== this.id) this.#logs.delete(id);
    if (this.id in heads) this.log.reset(heads[this.id]);
  }

  /** Say that the opened chat was received and, while somebody looks, read to its end. True when reading it was news. */
  mark() {
    if (!this.id) return false;
    this.delivered.reach(this.id, this.log.seq);
    return this.isWatched() && this.read.reach(this.id, this.log.seq);
  }

  /** Give one's own message another text; done when it is shown. */
  async edit(messageId, text) {
    const { id, log } = this;
    await this.api.act(id, `messages/${messageId}/edit`, { text });
    await log.catchUp();
  }

  loadEarlier() {
    return this.#loadFrom(Math.max(0, this.log.base - EARLIER));
  }

  /** Load back to an event, so that it can be shown. */
  async reach(seq) {
    while (this.log.base >= seq) await this.#loadFrom(Math.max(0, this.log.base - STRIDE));
  }

  async #loadFrom(from) {
    const { id, log } = this;
    const answer = await this.api.events(id, from, log.base - from);
    log.prepend(answer.events);
  }

  #newLog({ id, last_seq, agent_read_seq, agent_delivered_seq }) {
    const base = Math.max(0, last_seq - NEWEST);
    const onChange = () => id === this.id && this.onChange();
    this.read.know(id, agent_read_seq ?? 0);
    this.delivered.know(id, agent_delivered_seq ?? 0);
    return new Log({ base, read: (after) => this.#read(id, after), onChange });
  }

  /** Ask for what came since, and for what comes; without a socket, read once over HTTP and wait for the socket. */
  async #subscribe() {
    const { id, log } = this;
    const fields = { conversation_id: id, after_seq: log.seq };
    const frame = await this.live().request("subscribe", fields).catch((error) => (error instanceof Disconnected ? null : Promise.reject(error)));
    if (frame) log.receiveFrame(frame);
    else await log.catchUp();
    if (this.id === id) this.onChange();
  }

  #read(id, after) {
    if (this.live().state.name === "live") return this.live().request("events.get", { conversation_id: id, after_seq: after });
    return this.api.events(id, after, 200).then((answer) => ({ type: "events", ...answer }));
  }

  #reached(mark, seq = 0) {
    this.theirs[mark] = Math.max(this.theirs[mark], seq);
  }

  #forgetOldest() {
    const log = this.log;
    this.#logs.delete(this.id);
    this.#logs.set(this.id, log);
    if (this.#logs.size > KEPT) this.#logs.delete(this.#logs.keys().next().value);
  }
}
