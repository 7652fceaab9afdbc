/** The tenant's chats as rows, kept level with the server by versions. No DOM. */

const PAGE = 200;
const CLOSED_PAGE = 50;
const TABS = ["waiting", "mine", "team", "closed"];
const RELOAD_AT_MOST_EVERY = 2000;

export class Inbox {
  #loading = null;
  #early = [];
  #reloadTimer = 0;
  #views = null;

  constructor({ api, me, onChange }) {
    Object.assign(this, { api, me, onChange });
    this.rows = new Map();
    this.version = -1;
    this.state = "loading";
    this.nextClosed = null;
  }

  /** Read every active chat and the newest closed ones. What the socket says meanwhile is applied on top. */
  load() {
    this.#loading ??= this.#read().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async loadMoreClosed() {
    const address = this.nextClosed;
    this.nextClosed = null;
    const answer = await this.api.page(address);
    for (const row of answer.results) if (!this.rows.has(row.id)) this.rows.set(row.id, row);
    this.nextClosed = answer.next;
    this.#changed();
  }

  /** Take an `inbox` frame: an old version is ignored, a jump means something was missed and all is read again. */
  hear({ version, conversation }) {
    if (this.#loading) return void this.#early.push({ version, conversation });
    if (version <= this.version) return;
    const isJump = version > this.version + 1;
    this.version = version;
    this.put(conversation);
    if (isJump) this.reloadSoon();
  }

  /** Hear the server's version in a ping. */
  noteVersion(version) {
    if (!this.#loading && version > this.version) this.reloadSoon();
  }

  reloadSoon() {
    clearTimeout(this.#reloadTimer);
    this.#reloadTimer = setTimeout(() => this.load(), Math.random() * RELOAD_AT_MOST_EVERY);
  }

  /** Put one row in, as the server tells it; a row never goes back behind what was already known of it. */
  put(row) {
    const known = this.rows.get(row.id);
    if (known && known.last_seq > row.last_seq) return;
    this.rows.set(row.id, row);
    this.#changed();
  }

  /** Change what we know before the server says so. */
  amend(id, fields) {
    const row = this.rows.get(id);
    if (row) this.put({ ...row, ...fields });
  }

  /** Return the rows of a tab in their order: the longest waiting first, else the latest word first. */
  view(tab) {
    this.#views ??= this.#sort();
    return this.#views[tab];
  }

  tabOf(row) {
    if (row.status !== "active") return "closed";
    if (!row.agent) return "waiting";
    return row.agent.id === this.me.id ? "mine" : "team";
  }

  async #read() {
    try {
      const { api } = this;
      const [first, closed] = await Promise.all([api.conversations("active", PAGE), api.conversations("closed", CLOSED_PAGE)]);
      const rows = [...first.results, ...(await this.#rest(first.next)), ...closed.results];
      this.nextClosed = closed.next;
      this.#replace(rows, first.inbox);
    } catch (error) {
      this.state = this.rows.size ? "ready" : "failed";
      this.reason = error.message;
      this.#changed();
    }
  }

  async #rest(next) {
    const rows = [];
    while (next) {
      const page = await this.api.page(next);
      rows.push(...page.results);
      next = page.next;
    }
    return rows;
  }

  #replace(rows, version) {
    this.rows = new Map(rows.map((row) => [row.id, row]));
    this.version = version;
    this.state = "ready";
    const early = this.#early.splice(0);
    for (const frame of early.filter((one) => one.version > version)) this.#takeEarly(frame);
    this.#changed();
  }

  #takeEarly({ version, conversation }) {
    this.version = Math.max(this.version, version);
    this.put(conversation);
  }

  #sort() {
    const views = Object.fromEntries(TABS.map((tab) => [tab, []]));
    for (const row of this.rows.values()) views[this.tabOf(row)].push(row);
    const latest = (row) => row.last_message_at || row.created_at;
    const newestFirst = (key) => (one, other) => (key(one) < key(other) ? 1 : -1);
    views.waiting.sort((one, other) => (one.created_at < other.created_at ? -1 : 1));
    views.mine.sort(newestFirst(latest));
    views.team.sort(newestFirst(latest));
    views.closed.sort(newestFirst((row) => row.closed_at || latest(row)));
    return views;
  }

  #changed() {
    this.#views = null;
    this.onChange();
  }
}
