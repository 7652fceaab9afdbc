/** The visitor's conversation: who we are, its log, its outbox, its socket. No DOM: the page draws what this knows. */

import { Disconnected, Problem, request } from "../../ui/http.js";
import { Live } from "../../ui/live.js";
import { Log } from "../../ui/log.js";
import { Outbox } from "../../ui/outbox.js";

const KEPT_ENTRIES = 100;
const POLL_FROM_ATTEMPT = 2;

export class Session {
  #live = null;
  #epoch = "";
  #readTold = 0;
  #failures = 0;
  #wasLive = false;

  /** `onChange()`: anything to draw changed. `onTyping(frame)`. `onArrived(message)`: somebody else said something new. */
  constructor({ config, store, bridge, onChange, onTyping, onArrived }) {
    Object.assign(this, { config, store, bridge, onChange, onTyping, onArrived });
    this.key = `irisx.${config.widget_key}`;
    this.saved = store.get(this.key) || {};
    this.line = { name: "idle" };
    this.agentsOnline = config.agents_online;
    this.#forgetConversation();
    this.outbox = new Outbox({
      store,
      prefix: `${this.key}.outbox.`,
      send: (item) => this.#deliver(item),
      onSent: (item, answer) => this.log.receive(answer.seq, answer.event),
      onChange: () => this.onChange(),
    });
  }

  get isOpen() {
    return this.conversation?.status === "active";
  }

  get pending() {
    return this.outbox.items(this.key);
  }

  /** How many messages of the other side came after what was read. */
  get unread() {
    return this.log.entries.filter(({ seq, event }) => seq > this.readSeq && isTheirs(event)).length;
  }

  /** Take up the conversation this browser remembers, if there is one. */
  async resume() {
    const { visitor_token, conversation_id, seq = 0 } = this.saved;
    if (!visitor_token || !conversation_id) return this.outbox.flush();
    this.#join(conversation_id, Math.max(0, seq - KEPT_ENTRIES));
    if (await this.refresh()) this.#connect(this.config.socket);
  }

  /** Another tab of this browser may have begun the conversation. */
  adopt() {
    this.saved = this.store.get(this.key) || {};
    if (!this.conversation && this.saved.conversation_id) this.resume();
  }

  send(text) {
    this.outbox.add(this.key, text);
  }

  introduce(email) {
    this.#save({ visitor_email: email });
  }

  typing(isTyping) {
    if (this.isOpen) this.#live?.tell("typing", { conversation_id: this.conversation.id, is_typing: isTyping });
  }

  /** Say that everything shown was read; says each seq once. */
  markRead() {
    this.readSeq = Math.max(this.readSeq, this.log.seq);
    if (!this.conversation || this.readSeq <= this.#readTold) return;
    if (this.#live?.tell("read", { conversation_id: this.conversation.id, seq: this.readSeq })) this.#readTold = this.readSeq;
  }

  async close() {
    this.#learn(await this.#post(`conversation/${this.conversation.id}/close`, {}));
  }

  async rate(rating, feedback) {
    this.#learn(await this.#post(`conversation/${this.conversation.id}/rate`, { rating, feedback }));
  }

  /** Leave the closed conversation behind; the next message begins another. */
  startAnew() {
    this.#live?.stop();
    this.#live = null;
    this.line = { name: "idle" };
    this.#forgetConversation();
    this.#save({ conversation_id: null, seq: 0 });
    this.onChange();
  }

  connectNow() {
    this.#live?.connect();
  }

  /** Read the conversation's state and what we missed over HTTP; false when it is gone. */
  async refresh() {
    const { id } = this.conversation;
    try {
      const answer = await this.#get(this.log.seq);
      this.#learn(answer.conversation);
      this.log.receiveFrame({ type: "events", ...answer });
      return true;
    } catch (error) {
      const isGone = error instanceof Problem && [401, 403, 404].includes(error.status);
      if (isGone && this.conversation?.id === id) this.#expired();
      return !isGone;
    }
  }

  #expired() {
    this.#save({ visitor_token: undefined });
    this.startAnew();
  }

  #forgetConversation() {
    this.conversation = null;
    this.log = new Log({ read: () => Promise.reject(new Disconnected("There is no conversation yet.")) });
    this.readSeq = this.theirReadSeq = this.#readTold = 0;
  }

  #join(id, base) {
    this.#forgetConversation();
    this.conversation = { id, status: "active", agent: null, rating: null };
    this.readSeq = base;
    this.log = new Log({ base, read: (after) => this.#read(after), onChange: (entries) => this.#applied(entries) });
    this.bridge.tell("conversation");
  }

  #connect(url) {
    this.#live?.stop();
    this.#live = new Live({
      url,
      credentials: async () => ({ visitor_token: this.saved.visitor_token }),
      cursors: () => ({ [this.conversation.id]: this.log.seq }),
      onFrame: (frame) => this.#hear(frame),
      onState: (state) => this.#lineChanged(state),
    });
    this.#live.start();
  }

  #lineChanged(state) {
    this.line = state;
    if (state.name === "live") this.#failures = 0;
    if (state.name === "waiting" && ++this.#failures >= POLL_FROM_ATTEMPT) this.#poll();
    if (state.reason === "signed-out" && this.conversation) this.#expired();
    this.onChange();
  }

  /** Some networks let no socket through: then each failed attempt reads and writes over HTTP instead. */
  async #poll() {
    if (this.conversation && (await this.refresh())) this.outbox.flush();
  }

  #hear(frame) {
    const mine = frame.conversation_id === this.conversation?.id;
    if (frame.type === "ready") this.#ready(frame);
    if (frame.type === "ping") this.#pinged(frame);
    if (frame.type === "resync") this.log.catchUp();
    if (frame.type === "presence") (this.agentsOnline = frame.agents_online), this.onChange();
    if (!mine) return;
    if (frame.type === "event") this.log.receive(frame.seq, frame.event);
    if (frame.type === "events" || frame.type === "reset") this.log.receiveFrame(frame), this.outbox.flush();
    if (frame.type === "typing" && frame.participant.type === "agent") this.onTyping(frame);
    if (frame.type === "read" && frame.participant.type === "agent") this.#seen(frame.seq);
  }

  /**
   * What we missed comes before what we resend: a message whose answer got lost is then already known as stored.
   * Marks are not in the log: after a break they are read anew.
   */
  #ready(frame) {
    this.#epoch = frame.epoch;
    if (this.#wasLive) this.refresh();
    this.#wasLive = true;
    if ((frame.heads?.[this.conversation.id] ?? 0) <= this.log.seq) this.outbox.flush();
    this.markRead();
  }

  #pinged({ epoch, heads = {} }) {
    const head = heads[this.conversation?.id];
    if (head === undefined) return;
    if (epoch === this.#epoch) this.log.noteHead(head);
    else (this.#epoch = epoch), this.log.reset(head);
  }

  #seen(seq) {
    this.theirReadSeq = Math.max(this.theirReadSeq, seq);
    this.onChange();
  }

  #applied(entries) {
    for (const { event } of entries) this.#effect(event);
    this.#save({ seq: this.log.seq });
    this.onChange();
    for (const { seq, event } of entries) if (seq > this.readSeq && isTheirs(event)) this.onArrived(event.payload.message);
  }

  #effect({ type, payload }) {
    if (type === "message" && payload.message.sender_type === "visitor") this.outbox.remove(payload.message.client_message_id);
    if (type === "status") this.conversation.status = payload.status;
    if (type === "assignment") this.conversation.agent = payload.agent;
    if (type === "rating") this.conversation.rating = payload.rating;
  }

  /** Take over a conversation row as the server tells it. */
  #learn(row) {
    if (!row || row.id !== this.conversation?.id) return;
    Object.assign(this.conversation, { status: row.status, agent: row.agent, rating: row.rating });
    this.readSeq = Math.max(this.readSeq, row.visitor_read_seq ?? 0);
    this.#readTold = Math.max(this.#readTold, row.visitor_read_seq ?? 0);
    this.#seen(row.agent_read_seq ?? 0);
  }

  async #deliver({ client_message_id, text }) {
    if (!this.isOpen) await this.#start();
    const fields = { conversation_id: this.conversation.id, client_message_id, text };
    if (this.line.name === "live") return this.#live.request("message.send", fields);
    const answer = await this.#post("message/send", fields);
    if (this.line.name === "waiting") this.#live.connect();
    return answer;
  }

  async #start(isSecondTry = false) {
    const { visitor_token, visitor_name, visitor_email } = this.saved;
    const embed_token = await this.bridge.embedToken(isSecondTry);
    const body = { widget_key: this.config.widget_key, embed_token, visitor_token, visitor_name, visitor_email, ...this.bridge.page };
    try {
      this.#started(await request("POST", "/v1/chat/conversation/start", body));
    } catch (error) {
      if (isSecondTry || !(error instanceof Problem) || ![401, 403].includes(error.status)) throw error;
      await this.#start(true);
    }
  }

  #started(answer) {
    this.#save({ visitor_token: answer.visitor_token, conversation_id: answer.conversation_id, seq: 0 });
    this.#join(answer.conversation_id, Math.max(0, answer.last_seq - KEPT_ENTRIES));
    this.#connect(answer.socket || this.config.socket);
    this.onChange();
  }

  #read(after) {
    if (this.line.name !== "live") return this.#get(after).then((answer) => ({ type: "events", ...answer }));
    return this.#live.request("events.get", { conversation_id: this.conversation.id, after_seq: after });
  }

  #get(after) {
    const path = `/v1/chat/conversation/${this.conversation.id}/events?after_seq=${after}&limit=200`;
    return request("GET", path, undefined, { token: this.saved.visitor_token });
  }

  #post(path, body) {
    return request("POST", `/v1/chat/${path}`, body, { token: this.saved.visitor_token });
  }

  #save(fields) {
    this.saved = { ...this.saved, ...fields };
    this.store.put(this.key, this.saved);
  }
}

function isTheirs(event) {
  return event.type === "message" && event.payload.message.sender_type !== "visitor";
}
