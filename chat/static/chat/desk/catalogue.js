/** What a company keeps for its desk: labels with their colours, canned replies. No DOM. */

export class Catalogue {
  #colors = new Map();

  /** `onChange()`: labels or replies were read again. */
  constructor({ api, onChange }) {
    Object.assign(this, { api, onChange });
    this.labels = [];
    this.replies = [];
  }

  /** Read both; a desk without them still works, so that a failure waits for the next time. */
  async load() {
    await Promise.allSettled([this.loadLabels(), this.loadReplies()]);
  }

  async loadLabels() {
    this.labels = (await this.api.get("labels")).results;
    this.#colors = new Map(this.labels.map(({ name, color }) => [name, color]));
    this.onChange();
  }

  async loadReplies() {
    this.replies = (await this.api.get("canned-replies")).results;
    this.onChange();
  }

  has(name) {
    return this.#colors.has(name);
  }

  colorOf(name) {
    return this.#colors.get(name) ?? "";
  }

  async paint({ id }, color) {
    await this.api.patch(`labels/${id}`, { color });
    await this.loadLabels();
  }

  async dropLabel({ id }) {
    await this.api.remove(`labels/${id}`);
    await this.loadLabels();
  }

  async keepReply({ id, shortcut, text }) {
    if (id) await this.api.patch(`canned-replies/${id}`, { shortcut, text });
    else await this.api.post("canned-replies", { shortcut, text });
    await this.loadReplies();
  }

  async dropReply({ id }) {
    await this.api.remove(`canned-replies/${id}`);
    await this.loadReplies();
  }
}
