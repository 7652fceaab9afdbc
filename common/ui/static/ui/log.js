/**
 * The log of a conversation and the outbox before it (docs/guides/websocket.md, "Applying events"):
 * what makes a message arrive once, in order, whatever the line does. No DOM, no socket.
 */

import { Disconnected, Problem } from "./http.js";

const NEWEST = 100;

/** One conversation as this side knows it: `entries` from `base + 1` up to `seq`, without a hole. */
export class Log {
  #options;
  #reading = false;
  #generation = 0;

  /** `read(afterSeq)`: promise of an `events` or `reset` frame. `onChange(applied)`: entries were added, or all changed. */
  constructor({ base = 0, read, onChange = () => {} }) {
    this.#options = { read, onChange };
    this.base = this.seq = this.head = base;
    this.entries = [];
  }

  /** Apply one live event: next in line is kept, an older one ignored, a later one makes us fetch what lies between (promised). */
  receive(seq, event) {
    this.head = Math.max(this.head, seq);
    if (seq === this.seq + 1) this.#append([{ seq, event }]);
    return seq > this.seq ? this.catchUp() : Promise.resolve();
  }

  /** Take an `events` or `reset` frame. */
  receiveFrame(frame) {
    if (frame.type === "reset") return this.reset(frame.head);
    this.#take(frame);
    if (this.seq < this.head) this.catchUp();
  }

  /** Hear that the log reaches up to `head` elsewhere: a lost last event is noticed here. */
  noteHead(head) {
    this.head = Math.max(this.head, head);
    if (this.seq < this.head) this.catchUp();
  }

  /** Forget everything and read the newest part again. */
  reset(head) {
    this.#generation += 1;
    this.base = this.seq = Math.max(0, head - NEWEST);
    this.head = head;
    this.entries = [];
    this.#options.onChange([]);
    return this.catchUp();
  }

  /** Put older entries, read elsewhere, in front. */
  prepend(entries) {
    const older = entries.filter(({ seq }) => seq <= this.base);
    if (!older.length || older[older.length - 1].seq !== this.base) return;
    this.entries = [...older, ...this.entries];
    this.base = older[0].seq - 1;
    this.#options.onChange([]);
  }

  /** Fetch until level with the head; one fetch at a time. A lost connection ends it: coming back starts it anew. */
  async catchUp() {
    if (this.#reading) return;
    this.#reading = true;
    const generation = this.#generation;
    const before = this.seq;
    const frame = await this.#options.read(this.seq).catch(passing);
    this.#reading = false;
    if (generation !== this.#generation) return this.seq < this.head ? this.catchUp() : undefined;
    if (frame?.type === "reset") return this.reset(frame.head);
    const moved = frame && this.#take(frame) > before;
    if (moved && this.seq < this.head) await this.catchUp();
  }

  #take(frame) {
    this.head = Math.max(this.head, frame.head ?? 0);
    const fresh = [];
    for (const entry of frame.events) if (entry.seq === this.seq + fresh.length + 1) fresh.push(entry);
    this.#append(fresh);
    return this.seq;
  }

  #append(entries) {
    if (!entries.length) return;
    this.entries.push(...entries);
    this.seq = entries[entries.length - 1].seq;
    this.#options.onChange(entries);
  }
}

function passing(error) {
  if (error instanceof Disconnected || error instanceof Problem) return null;
  throw error;
}
