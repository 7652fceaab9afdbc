/** One socket of protocol version 1 (docs/guides/websocket.md): signs in, keeps alive, comes back by itself. */

import { Disconnected, Problem } from "./http.js";

const ANSWER_SECONDS = 10;
const READY_SECONDS = 10;
const DEFAULT_PING_SECONDS = 25;
const SIGNS = ["online", "offline", "pageshow"];
const ANSWERS = new Set(["ack", "events", "reset", "problem"]);

/** Full jitter: anything from nothing up to min(30, 2ⁿ) seconds, so that a crowd does not come back at once. */
export function backoffSeconds(attempt, random = Math.random) {
  return random() * Math.min(30, 2 ** attempt);
}

/**
 * `url`: address of the socket. `credentials()`: promise of `{visitor_token}` or `{ticket}`, asked anew for each
 * connection; a Problem from it stops the socket. `cursors()`: last applied seq per conversation.
 * `onFrame(frame)`: every frame that is not an answer to `request`. `onState(state)`: `{name, retryAt?, reason?}`
 * with name connecting | live | waiting | stopped.
 */
export class Live {
  #options;
  #socket = null;
  #generation = 0;
  #pending = new Map();
  #nextId = 1;
  #attempt = 0;
  #refusals = 0;
  #restartSeconds = null;
  #retryTimer = 0;
  #silenceTimer = 0;
  #pingSeconds = DEFAULT_PING_SECONDS;
  #heardAt = 0;
  #wake = (event) => this.#wakeUp(event.type);

  constructor(options) {
    this.#options = { WebSocket: globalThis.WebSocket, random: Math.random, cursors: () => ({}), ...options };
    this.state = { name: "stopped", reason: "new" };
  }

  start() {
    for (const name of SIGNS) window.addEventListener(name, this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
    this.connect();
  }

  stop(reason = "asked") {
    for (const name of SIGNS) window.removeEventListener(name, this.#wake);
    document.removeEventListener("visibilitychange", this.#wake);
    this.#drop();
    this.#become({ name: "stopped", reason });
  }

  /** Connect now, whatever wait was agreed on. */
  async connect() {
    this.#drop();
    this.#become({ name: "connecting" });
    const generation = this.#generation;
    try {
      const credentials = await this.#options.credentials();
      if (generation === this.#generation) this.#open(credentials, generation);
    } catch (error) {
      if (generation === this.#generation) this.#refused(error);
    }
  }

  /** Send a frame that is answered; resolves with `ack`, `events` or `reset`, rejects with Problem or Disconnected. */
  request(type, fields = {}) {
    if (this.state.name !== "live") return Promise.reject(new Disconnected("Not connected."));
    const id = String(this.#nextId++);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#lost(), ANSWER_SECONDS * 1000);
      this.#pending.set(id, { resolve, reject, timer });
      this.#write({ type, id, ...fields });
    });
  }

  /** Send a frame that has no answer; false when there is no connection, and nothing is kept for later. */
  tell(type, fields = {}) {
    if (this.state.name === "live") this.#write({ type, ...fields });
    return this.state.name === "live";
  }

  #open(credentials, generation) {
    const socket = (this.#socket = new this.#options.WebSocket(this.#options.url));
    const current = (act) => (event) => generation === this.#generation && act(event);
    socket.onopen = current(() => this.#write({ type: "auth", ...credentials, cursors: this.#options.cursors() }));
    socket.onmessage = current((event) => this.#receive(JSON.parse(event.data)));
    socket.onclose = current((event) => this.#closed(event.code));
    this.#listen(READY_SECONDS);
  }

  #write(frame) {
    this.#socket.send(JSON.stringify({ v: 1, ...frame }));
  }

  #receive(frame) {
    this.#listen(this.#pingSeconds + ANSWER_SECONDS);
    if (frame.type === "ping") this.tell("pong");
    if (frame.type === "ready") this.#ready(frame);
    if (frame.type === "restart") this.#restartSeconds = frame.retry_after_seconds ?? 30;
    const waiting = ANSWERS.has(frame.type) && this.#pending.get(frame.id);
    if (waiting) this.#settle(frame, waiting);
    else this.#options.onFrame(frame);
  }

  #ready(frame) {
    this.#pingSeconds = frame.ping_seconds || DEFAULT_PING_SECONDS;
    this.#attempt = this.#refusals = 0;
    this.#become({ name: "live" });
  }

  #settle(frame, { resolve, reject, timer }) {
    clearTimeout(timer);
    this.#pending.delete(frame.id);
    if (frame.type === "problem") reject(new Problem(frame.problem, frame.problem?.status));
    else resolve(frame);
  }

  /** The silence watch: a socket that says nothing for a ping and a bit is dead, whatever the browser believes. */
  #listen(seconds) {
    this.#heardAt = Date.now();
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#lost(), seconds * 1000);
  }

  /** The network came back, or the page did: don't wait, and don't trust a socket that may have died unseen. */
  #wakeUp(cause) {
    if (cause === "offline") return void (this.state.name === "live" && this.#lost());
    if (cause === "visibilitychange" && document.visibilityState === "hidden") return;
    const silent = Date.now() - this.#heardAt > (this.#pingSeconds + 2) * 1000;
    const doubtful = this.state.name === "live" && (silent || cause === "online");
    if (this.state.name === "waiting" || doubtful) this.connect();
  }

  #lost() {
    this.#closed(1006);
  }

  #closed(code) {
    this.#drop();
    if (code === 4003) return this.stop("forbidden");
    if (code === 4009) return this.stop("protocol");
    if (code === 4001 && ++this.#refusals > 1) return this.stop("signed-out");
    const restart = this.#restartSeconds ?? (code === 1012 ? 30 : null);
    this.#restartSeconds = null;
    this.#wait(restart === null ? backoffSeconds(++this.#attempt, this.#options.random) : restart * this.#options.random());
  }

  #refused(error) {
    if (error instanceof Problem && [401, 403].includes(error.status)) return this.stop("signed-out");
    this.#wait(backoffSeconds(++this.#attempt, this.#options.random));
  }

  #wait(seconds) {
    this.#become({ name: "waiting", retryAt: Date.now() + seconds * 1000 });
    this.#retryTimer = setTimeout(() => this.connect(), seconds * 1000);
  }

  #drop() {
    this.#generation += 1;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#silenceTimer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket && socket.readyState < 2) socket.close(1000);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject, timer } of pending) (clearTimeout(timer), reject(new Disconnected("The connection was lost.")));
  }

  #become(state) {
    this.state = state;
    this.#options.onState?.(state);
  }
}
