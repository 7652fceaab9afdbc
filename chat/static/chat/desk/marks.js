/** What we told of ourselves: up to which event of each chat we have received or read. Each mark is told once and moves forward. No DOM. */

export class Marks {
  #told = new Map();

  /** `tell(fields)`: false when there is no connection, and the mark is told later. */
  constructor(tell) {
    this.tell = tell;
  }

  /** Take what the server already knows. */
  know(id, seq) {
    this.#told.set(id, Math.max(seq, this.#told.get(id) ?? 0));
  }

  /** Tell it unless it was told; true when it was news. */
  reach(id, seq) {
    if (seq <= (this.#told.get(id) ?? 0)) return false;
    if (this.tell({ conversation_id: id, seq })) this.know(id, seq);
    return true;
  }
}
