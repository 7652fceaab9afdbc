/**
 * Messages not yet acknowledged. They outlive the page, are sent one at a time per conversation (lane), in order,
 * and always again with the same client_message_id: the server keeps one copy however often we repeat.
 */

import { Problem } from "./http.js";
import { backoffSeconds } from "./live.js";

export class Outbox {
  #options;
  #items = new Map();
  #busy = new Set();
  #attempts = 0;
  #order = 0;

  /**
   * `send(item)`: promise of the acknowledgement. `onChange()`: an item came, went or changed its state.
   * `explain(error)`: what is said of a refusal. `onPause(error, seconds)`: the server asked us to wait.
   */
  constructor({ store, prefix, send, onSent = () => {}, onChange = () => {}, onPause = () => {}, explain = ({ message }) => message, random = Math.random }) {
    this.#options = { store, prefix, send, onSent, onChange, onPause, explain, random };
    for (const item of store.all(prefix)) this.#items.set(item.client_message_id, item);
  }

  /** The items of a lane, oldest first. `state` is queued, sending or failed (then `error` says why). */
  items(lane) {
    const mine = [...this.#items.values()].filter((item) => item.lane === lane);
    return mine.sort((one, other) => one.order - other.order);
  }

  add(lane, text, fields = {}) {
    this.#order = Math.max(this.#order + 1, Date.now());
    const item = { ...fields, client_message_id: newId(), lane, text, order: this.#order, state: "queued" };
    this.#items.set(item.client_message_id, item);
    this.#keep(item, "queued");
    this.flush();
    return item;
  }

  /** Send what waits; called whenever the connection is (back) up. */
  flush() {
    for (const lane of new Set([...this.#items.values()].map((item) => item.lane))) this.#pump(lane);
  }

  retry(id) {
    const item = this.#items.get(id);
    if (item?.state === "failed") this.#keep(item, "queued");
    this.flush();
  }

  /** Forget a lane: its conversation is to leave no trace here. */
  clear(lane) {
    for (const { client_message_id } of this.items(lane)) this.remove(client_message_id);
  }

  /** Forget an item: it was stored, or the person gave it up. */
  remove(id) {
    if (!this.#items.delete(id)) return;
    this.#options.store.remove(this.#options.prefix + id);
    this.#options.onChange();
  }

  async #pump(lane) {
    const item = this.items(lane).find(({ state }) => state === "queued");
    if (!item || this.#busy.has(lane)) return;
    this.#busy.add(lane);
    this.#keep(item, "sending");
    const goOn = await this.#attempt(item);
    this.#busy.delete(lane);
    if (goOn) this.#pump(lane);
  }

  async #attempt(item) {
    try {
      const answer = await this.#options.send(item);
      this.#attempts = 0;
      await this.#options.onSent(item, answer);
      this.remove(item.client_message_id);
      return true;
    } catch (error) {
      return this.#disappointed(item, error);
    }
  }

  /** A refusal for good is shown to the person; anything passing is tried again, at the latest when `flush` is called. */
  #disappointed(item, error) {
    if (error instanceof Problem && !error.isPassing) {
      this.#keep(item, "failed", this.#options.explain(error));
      return true;
    }
    this.#keep(item, "queued");
    const pauseSeconds = error.retryAfter || 1 + backoffSeconds(++this.#attempts, this.#options.random);
    if (error.retryAfter) this.#options.onPause(error, pauseSeconds);
    setTimeout(() => this.flush(), pauseSeconds * 1000);
    return false;
  }

  #keep(item, state, error = "") {
    if (!this.#items.has(item.client_message_id)) return;
    Object.assign(item, { state, error });
    const lasting = state === "failed" ? "failed" : "queued";
    this.#options.store.put(this.#options.prefix + item.client_message_id, { ...item, state: lasting });
    this.#options.onChange();
  }
}

/** A new random id; getRandomValues also works where the page is not a secure context, randomUUID does not. */
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
