/** The visitor's side of it all: who they are, the conversation they are in, what waits to be sent, their other tabs. No DOM. */

import { request } from "../../ui/http.js";
import { Outbox } from "../../ui/outbox.js";
import { upload } from "../../ui/upload.js";
import { Tabs } from "./tabs.js";
import { Talk } from "./talk.js";

const KEPT_ENTRIES = 100;
const OLDER = 1e9;

export class Session {
  #depth = 0;
  #starting = null;

  /**
   * `on`: `{change(), typing(frame), arrived(message, seq), paused(error, seconds), refused(errors)}`: anything to draw
   * changed; somebody types; somebody else said something new; the server asks us to wait; answers given before are wrong.
   */
  constructor({ config, person, bridge, words, explain, on }) {
    Object.assign(this, { config, person, bridge, words, on });
    this.key = person.key;
    this.talk = null;
    this.older = [];
    this.isOffline = config.is_offline ?? !config.agents_online;
    this.tabs = new Tabs(this.key, (message) => this.#heardFromTab(message));
    this.outbox = new Outbox({
      store: person.store,
      prefix: `${this.key}.outbox.`,
      send: (item) => this.#deliver(item),
      onSent: (item, answer) => this.talk?.log.receive(answer.seq, answer.event),
      onChange: on.change,
      onPause: on.paused,
      explain,
    });
  }

  get pending() {
    return this.outbox.items(this.key);
  }

  /** The log with what of earlier conversations was read; those are numbered below zero. */
  get entries() {
    return [...this.older, ...(this.talk?.log.entries ?? [])];
  }

  get hasEarlier() {
    return Boolean(this.talk && (this.talk.log.base || (this.talk.previous && !this.older.length)));
  }

  /** Take up the conversation this browser remembers, if there is one. */
  async resume() {
    const { visitor_token, conversation_id, seq = 0 } = this.person.saved;
    if (!visitor_token || !conversation_id) return this.outbox.flush();
    await this.#take({ id: conversation_id, base: Math.max(0, seq - KEPT_ENTRIES) });
  }

  /** Another tab has begun a conversation: it is ours too. */
  adopt() {
    const { conversation_id } = this.person.saved;
    if (conversation_id && conversation_id !== this.talk?.id) this.resume();
  }

  send(text, attachments = []) {
    const [first = {}, ...others] = attachments.map((attachment) => ({ attachment_id: attachment.id, attachment }));
    this.outbox.add(this.key, text, first);
    for (const file of others) this.outbox.add(this.key, "", file);
  }

  /** Store a file with the conversation; a message will carry it. */
  async upload(file, options) {
    if (!this.talk) await this.#start();
    const send = () => upload("/v1/chat/attachments", { conversation_id: this.talk.id, file }, { token: this.person.token, ...options });
    return send().catch(async (error) => {
      await this.#follow(error);
      return send();
    });
  }

  /** Say that everything shown was read; the visitor's other tabs hear it too. */
  markRead() {
    const { log, marks, id } = this.talk;
    const isNews = log.seq > marks.read;
    marks.reach("read", log.seq);
    if (isNews) this.tabs.tell("read", { id, seq: log.seq });
  }

  visit() {
    this.talk?.visit(this.bridge.page);
  }

  async loadEarlier() {
    if (this.talk.log.base) return this.talk.readEarlier(KEPT_ENTRIES);
    const { events } = await this.person.request("GET", `conversation/${this.talk.previous}/events?after_seq=0&limit=200`);
    this.older = this.#below(events);
    this.on.change();
  }

  /** The page says who they are. When it is somebody known, this conversation goes over to them, with another token. */
  async identify(jwt) {
    if (!(await this.person.identify(jwt)) || !this.talk) return;
    this.#quit();
    await this.resume();
  }

  async speak(language) {
    if (this.person.token) await this.person.change({ language });
  }

  /** Erase the visitor, here and on the server. */
  async forget() {
    if (this.person.token) await this.person.request("POST", "visitor/forget", {});
    this.reset();
  }

  /** Forget in this browser who it was and what was said. */
  reset() {
    this.#forget();
    this.tabs.tell("forgotten");
  }

  /** Leave the conversation behind; the next message begins another. */
  startAnew() {
    this.person.save({ conversation_id: null, seq: 0 });
    this.#leave();
    this.tabs.tell("left");
  }

  #forget() {
    this.outbox.clear(this.key);
    this.person.forget();
    this.#leave();
  }

  #quit() {
    this.talk?.stop();
    this.talk = null;
    this.older = [];
  }

  #leave() {
    this.#quit();
    this.bridge.tell("talk", { isOn: false });
    this.on.change();
  }

  #heardFromTab({ type, id, seq }) {
    if (type === "read" && id === this.talk?.id) this.talk.marks.reach("read", Math.min(seq, this.talk.log.seq));
    if (type === "began") this.adopt();
    if (type === "left") this.#leave();
    if (type === "forgotten") this.#forget();
    this.on.change();
  }

  async #deliver(item) {
    if (!this.talk) await this.#start();
    try {
      return await this.talk.send(item);
    } catch (error) {
      await this.#follow(error);
      return this.talk.send(item);
    }
  }

  /** Closed for good: go on in the visitor's newer conversation, or begin the next. Any other error is thrown on. */
  async #follow(error) {
    if (error.code !== "conversation-closed") throw error;
    const { next_conversation: next } = error.body;
    if (!next) return this.#start();
    this.person.save({ conversation_id: next, seq: 0 });
    await this.#take({ id: next, base: 0 });
  }

  /** Begin a conversation; a message and its files that ask at the same time begin one. */
  #start() {
    this.#starting ??= this.#begin().finally(() => (this.#starting = null));
    return this.#starting;
  }

  async #begin(isSecondTry = false) {
    const embed_token = await this.bridge.embedToken(isSecondTry);
    const body = { widget_key: this.config.widget_key, embed_token, ...this.person.introduction(this.words.language) };
    try {
      this.#started(await request("POST", "/v1/chat/conversation/start", body));
    } catch (error) {
      const mistakes = (error.status === 422 && error.body.errors) || [];
      const isStale = [401, 403].includes(error.status) && error.code !== "blocked";
      const isDoubted = mistakes.some(({ pointer }) => pointer === "/identity_jwt") && this.person.doubt(error.message);
      if (!isSecondTry && (isStale || isDoubted)) return this.#begin(true);
      if (mistakes.length) this.on.refused(mistakes);
      throw error;
    }
  }

  #started({ visitor_token, conversation_id: id, status, last_seq, socket, previous_conversation: previous }) {
    this.person.save({ visitor_token, conversation_id: id, seq: 0 });
    this.#enter({ id, status, previous, socket, base: Math.max(0, last_seq - KEPT_ENTRIES) });
    this.talk.connect();
    this.tabs.tell("began");
  }

  async #take(what) {
    const talk = this.#enter(what);
    talk.connect();
    await talk.refresh();
  }

  #enter({ socket = this.config.socket, ...what }) {
    if (this.talk) this.older = [...this.older, ...this.#below(this.talk.log.entries)];
    this.talk?.stop();
    const { person, on } = this;
    this.talk = new Talk({
      ...what,
      socket,
      person,
      on: {
        change: () => (this.#note(), on.change()),
        typing: on.typing,
        arrived: on.arrived,
        event: (event) => this.#stored(event),
        level: () => this.outbox.flush(),
        presence: (frame) => this.#stands(frame),
        gone: (isSignedOut) => (isSignedOut && person.save({ visitor_token: undefined }), this.startAnew()),
      },
    });
    this.bridge.tell("talk", { isOn: true });
    on.change();
    return this.talk;
  }

  /** Whether somebody will answer at once; a company's other widgets may keep other hours. */
  #stands({ widgets, is_offline, agents_online }) {
    if (widgets && !widgets.includes(this.config.widget_key)) return;
    this.isOffline = is_offline ?? !agents_online;
    this.on.change();
  }

  #stored({ type, payload }) {
    if (type === "message" && payload.message.sender_type === "visitor") this.outbox.remove(payload.message.client_message_id);
  }

  /** Keep how far we have read, to take up the thread there after a reload. */
  #note() {
    const { talk, person } = this;
    if (talk && person.saved.conversation_id === talk.id && talk.log.seq > (person.saved.seq ?? 0)) person.save({ seq: talk.log.seq });
  }

  /** Events of an earlier conversation, numbered apart from any other's. Its birth is no news. */
  #below(entries) {
    this.#depth += OLDER;
    return entries.filter(({ seq, event }) => seq !== 1 || event.type !== "status").map(({ seq, event }) => ({ seq: seq - this.#depth, event }));
  }
}
