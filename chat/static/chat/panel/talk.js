/** One conversation on the line: its log, its marks, its socket, and HTTP where no socket gets through. No DOM. */

import { setClock } from "../clock.js";
import { Problem } from "../../ui/http.js";
import { Live } from "../../ui/live.js";
import { Log } from "../../ui/log.js";
import { Marks } from "./marks.js";

const POLL_FROM_ATTEMPT = 2;
const TYPING_MILLISECONDS = 10_000;

export class Talk {
  #live = null;
  #epoch = "";
  #failures = 0;
  #wasLive = false;
  #pageTold = "";

  /**
   * `on`: `{change(), event(event), arrived(message, seq), typing(frame), presence(frame), level(), gone(isSignedOut)}`:
   * anything to draw changed; an event was applied; somebody else said something new; somebody types; who is there
   * changed; what we missed has been read; it is no longer ours to read.
   */
  constructor({ id, base, status = "active", previous = null, socket, person, on }) {
    Object.assign(this, { id, status, previous, socket, person, on });
    this.agent = this.rating = null;
    this.line = { name: "idle" };
    this.marks = new Marks((type, seq) => this.#tellMark(type, seq));
    this.marks.read = base;
    this.log = new Log({ base, read: (after) => this.#read(after), onChange: (entries) => this.#applied(entries) });
  }

  get isOpen() {
    return this.status === "active";
  }

  /** How many messages of the other side came after what was read. */
  get unread() {
    return this.log.entries.filter(({ seq, event }) => seq > this.marks.read && isTheirs(event)).length;
  }

  connect() {
    this.#live = new Live({
      url: this.socket,
      credentials: async () => ({ visitor_token: this.person.token }),
      cursors: () => ({ [this.id]: this.log.seq }),
      onFrame: (frame) => this.#hear(frame),
      onState: (state) => this.#lineChanged(state),
    });
    this.#live.start();
  }

  reconnect() {
    this.#live?.connect();
  }

  stop() {
    this.on = { change() {}, event() {}, arrived() {}, typing() {}, presence() {}, level() {}, gone() {} };
    this.#live?.stop();
  }

  async send({ client_message_id, text, attachment_id }) {
    const fields = { conversation_id: this.id, client_message_id, text, attachment_id };
    if (this.line.name === "live") return this.#live.request("message.send", fields);
    const answer = await this.person.request("POST", "message/send", fields);
    if (this.line.name === "waiting") this.#live.connect();
    return answer;
  }

  /** Give one's own message another text; done when it is shown. */
  async edit(messageId, text) {
    await this.#post(`messages/${messageId}/edit`, { text });
    await this.log.catchUp();
  }

  typing(isTyping) {
    if (this.isOpen) this.#live?.tell("typing", { conversation_id: this.id, is_typing: isTyping });
  }

  /** Tell the agents which page the visitor looks at; each change once. */
  visit({ page_url: url, page_title: title }) {
    if (url && url !== this.#pageTold && this.#live?.tell("page", { url, title })) this.#pageTold = url;
  }

  async close() {
    this.learn(await this.#post("close", {}));
  }

  async rate(rating, feedback) {
    this.learn(await this.#post("rate", { rating, feedback }));
  }

  /** Read the conversation's state and what we missed over HTTP; false when it is gone. */
  async refresh() {
    try {
      const answer = await this.#get(this.log.seq);
      this.learn(answer.conversation);
      this.log.receiveFrame({ type: "events", ...answer });
      return true;
    } catch (error) {
      const isGone = error instanceof Problem && [401, 404].includes(error.status);
      if (isGone) this.on.gone(error.status === 401);
      return !isGone;
    }
  }

  async readEarlier(number) {
    const from = Math.max(0, this.log.base - number);
    const answer = await this.#get(from, this.log.base - from);
    this.log.prepend(answer.events);
  }

  /** Take over a conversation row as the server tells it. */
  learn(row) {
    if (row?.id !== this.id) return;
    Object.assign(this, { status: row.status, agent: row.agent, rating: row.rating, previous: row.previous_conversation ?? this.previous });
    this.marks.learn(row);
    this.on.change();
  }

  #lineChanged(state) {
    this.line = state;
    if (state.name === "live") this.#failures = 0;
    if (state.name === "waiting" && ++this.#failures >= POLL_FROM_ATTEMPT) this.#poll();
    if (state.reason === "signed-out") this.on.gone(true);
    this.on.change();
  }

  /** Some networks let no socket through: then each failed attempt reads and writes over HTTP instead. */
  async #poll() {
    if (!(await this.refresh())) return;
    this.on.level();
    this.marks.sayAgain();
  }

  #hear(frame) {
    if (frame.type === "ready") this.#ready(frame);
    if (frame.type === "ping") this.#pinged(frame);
    if (frame.type === "resync") this.log.catchUp();
    if (frame.type === "presence") this.on.presence(frame);
    if (frame.conversation_id !== this.id) return;
    if (frame.type === "event") this.log.receive(frame.seq, frame.event);
    if (frame.type === "events" || frame.type === "reset") this.log.receiveFrame(frame), this.on.level();
    if (frame.participant?.type !== "agent") return;
    if (frame.type === "typing" && !this.#isOverheard(frame)) this.on.typing(frame);
    if (frame.type === "read" || frame.type === "delivered") this.marks.hear(frame.type, frame.seq), this.on.change();
  }

  /** Whether it is of a message that has arrived since. Both times are the server's. */
  #isOverheard({ is_typing, expires_at }) {
    const last = this.log.entries.findLast(({ event }) => isTheirs(event));
    return is_typing && Boolean(last) && Date.parse(expires_at) - TYPING_MILLISECONDS < Date.parse(last.event.occurred_at);
  }

  /**
   * What we missed comes before what we resend: a message whose answer got lost is then already known as stored.
   * Marks are not in the log: after a break they are read anew.
   */
  #ready({ epoch, heads, now }) {
    setClock(now);
    this.#epoch = epoch;
    if (this.#wasLive) this.refresh();
    this.#wasLive = true;
    if ((heads?.[this.id] ?? 0) <= this.log.seq) this.on.level();
    this.marks.sayAgain();
    this.visit(this.person.bridge.page);
  }

  #pinged({ epoch, heads = {} }) {
    const head = heads[this.id];
    if (head === undefined) return;
    if (epoch === this.#epoch) this.log.noteHead(head);
    else (this.#epoch = epoch), this.log.reset(head);
  }

  #applied(entries) {
    for (const { event } of entries) this.#effect(event);
    this.marks.reach("delivered", this.log.seq);
    this.on.change();
    for (const { seq, event } of entries) if (seq > this.marks.read && isTheirs(event)) this.on.arrived(event.payload.message, seq);
  }

  #effect(event) {
    const { type, payload } = event;
    if (type === "status") this.status = payload.status;
    if (type === "assignment") this.agent = payload.agent;
    if (type === "rating") this.rating = payload.rating;
    this.on.event(event);
  }

  /** By the socket, or by HTTP while it has been away for long. */
  #tellMark(type, seq) {
    if (this.#live?.tell(type, { conversation_id: this.id, seq })) return true;
    if (this.#failures < POLL_FROM_ATTEMPT) return false;
    this.#post(type, { seq }).catch(() => {});
    return true;
  }

  #read(after) {
    if (this.line.name !== "live") return this.#get(after).then((answer) => ({ type: "events", ...answer }));
    return this.#live.request("events.get", { conversation_id: this.id, after_seq: after });
  }

  #get(after, limit = 200) {
    return this.person.request("GET", `conversation/${this.id}/events?after_seq=${after}&limit=${limit}`);
  }

  #post(what, body) {
    return this.person.request("POST", `conversation/${this.id}/${what}`, body);
  }
}

function isTheirs(event) {
  return event.type === "message" && event.payload.message.sender_type !== "visitor";
}
