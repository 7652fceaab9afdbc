/** What the desk knows, hears and does; how it looks is for others. No DOM. */

import { Disconnected } from "../../ui/http.js";
import { Live } from "../../ui/live.js";
import { Outbox } from "../../ui/outbox.js";
import { openStore } from "../../ui/store.js";
import { Api } from "./api.js";
import { Catalogue } from "./catalogue.js";
import { setClock } from "../clock.js";
import { Inbox } from "./inbox.js";
import { Room } from "./room.js";

export class Core {
  #epoch = "";

  /**
   * `on`: `{change(), line(state), presence(presence), typing(frame), said(), news(row, before), refused(error)}`.
   * `isWatched()`: somebody looks at the page now.
   */
  constructor({ me, csrf, socket, now, isWatched, on }) {
    setClock(now);
    Object.assign(this, { me, on });
    const api = (this.api = new Api(csrf));
    this.store = openStore();
    this.live = new Live({ url: socket, credentials: () => api.ticket(), cursors: () => this.room.cursors, onFrame: (frame) => this.#hear(frame), onState: on.line });
    this.inbox = new Inbox({ api, me, onChange: on.change, onNews: (row, before) => this.#news(row, before) });
    this.room = new Room({ api, live: () => this.live, onChange: on.change, isWatched });
    this.catalogue = new Catalogue({ api, onChange: on.change });
    this.outbox = new Outbox({ store: this.store, prefix: `irisx.desk.${me.id}.`, send: (item) => this.#deliver(item), onSent: ({ lane }, { seq, event }) => this.room.logOf(lane)?.receive(seq, event), onChange: on.change });
  }

  may(permission) {
    return this.me.permissions.includes(permission);
  }

  /** Begin; the promise ends when the list has been read. */
  start() {
    this.live.start();
    this.catalogue.load();
    return this.inbox.load();
  }

  /** Run something that may be refused; a refusal is said, not swallowed. */
  async attempt(run) {
    try {
      return await run();
    } catch (error) {
      this.on.refused(error);
      return null;
    }
  }

  /** Do something with a chat; its new row, or null when it was refused. */
  async act(id, verb, body) {
    const row = await this.attempt(() => this.api.act(id, verb, body));
    if (row) this.inbox.put(row);
    return row;
  }

  /** Put a message into the outbox: each file is one, and the text goes with the first. */
  send(lane, text, kind, attachments = []) {
    const files = attachments.length ? attachments : [null];
    files.forEach((attachment, at) => this.outbox.add(lane, at ? "" : text, { kind, attachment }));
  }

  /** Return a chat's row, read from the server when it is not in the list. */
  async rowOf(id) {
    const known = this.inbox.rows.get(id);
    if (known) return known;
    const answer = await this.attempt(() => this.api.events(id, 0, 1));
    if (answer) this.inbox.put(answer.conversation);
    return answer && answer.conversation;
  }

  setPresence(choice) {
    return this.attempt(() => this.api.post("agent/presence", choice));
  }

  #deliver({ lane, kind, client_message_id, text, attachment }) {
    if (kind === "note") return this.api.act(lane, "note", { client_message_id, text });
    const fields = { conversation_id: lane, client_message_id, text, ...(attachment && { attachment_id: attachment.id }) };
    return this.live.state.name === "live" ? this.live.request("message.send", fields) : this.api.post("message/send", fields);
  }

  #hear(frame) {
    const { room, inbox, on } = this;
    const isOpen = frame.conversation_id === room.id;
    if (frame.type === "ready") return this.#ready(frame);
    if (frame.type === "ping") return this.#pinged(frame);
    if (frame.type === "resync") return room.log?.catchUp(), inbox.load();
    if (frame.type === "inbox") return inbox.hear(frame);
    if (frame.type === "presence") return frame.agent.id === this.me.id && on.presence(frame.agent);
    if (frame.type === "typing") return isOpen && frame.participant.type === "visitor" && on.typing(frame);
    room.hear(frame);
    if (frame.type === "event" && isOpen && frame.event.type === "message") on.said();
    if (frame.type === "events") this.outbox.flush();
  }

  async #ready(frame) {
    setClock(frame.now);
    this.#epoch = frame.epoch;
    this.inbox.compare(frame.inbox, frame.now);
    if (!this.room.id) this.outbox.flush();
    this.on.change();
    if (!this.may("presence")) return;
    const stored = await this.api.get("agent/presence").catch((error) => (error instanceof Disconnected ? null : this.on.refused(error)));
    if (stored) this.on.presence(stored);
  }

  #pinged(frame) {
    setClock(frame.now);
    const isSame = frame.epoch === this.#epoch;
    this.#epoch = frame.epoch;
    if (!isSame) return this.room.forget(frame.heads), this.inbox.load();
    this.room.noteHeads(frame.heads);
    return this.inbox.compare(frame.inbox, frame.now);
  }

  /** A row of the list changed under our eyes: what came for us has arrived. */
  #news(row, before) {
    const { room, inbox, catalogue, on } = this;
    if (row.labels.some((name) => !catalogue.has(name))) this.attempt(() => catalogue.loadLabels());
    if (inbox.tabOf(row) === "mine" && row.last_seq > (row.agent_delivered_seq ?? 0)) room.delivered.reach(row.id, row.last_seq);
    on.news(row, before);
  }
}
