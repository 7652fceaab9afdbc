/** How far each side has received and read. Marks only move forward; ours are told once each, and again after a break. */

export class Marks {
  #told = { read: 0, delivered: 0 };

  /** `tell(type, seq)`: whether it could be said. */
  constructor(tell) {
    this.tell = tell;
    this.read = this.delivered = this.theirRead = this.theirDelivered = 0;
  }

  /** Take a conversation's row as the server tells it. */
  learn(row) {
    this.#told.read = Math.max(this.#told.read, row.visitor_read_seq ?? 0);
    this.#told.delivered = Math.max(this.#told.delivered, row.visitor_delivered_seq ?? 0);
    this.read = Math.max(this.read, this.#told.read);
    this.hear("read", row.agent_read_seq ?? 0);
    this.hear("delivered", row.agent_delivered_seq ?? 0);
  }

  /** Take a mark of the other side. What was read was received. */
  hear(type, seq) {
    if (type === "read") this.theirRead = Math.max(this.theirRead, seq);
    this.theirDelivered = Math.max(this.theirDelivered, seq);
  }

  /** Note that we received, or read, up to `seq`. */
  reach(type, seq) {
    this[type] = Math.max(this[type], seq);
    this.sayAgain();
  }

  sayAgain() {
    for (const type of ["delivered", "read"]) if (this[type] > this.#told[type] && this.tell(type, this[type])) this.#told[type] = this[type];
  }
}
