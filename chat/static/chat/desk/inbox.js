/** The tenant's chats as rows, kept level with the server by each row's version. No DOM. */

const PAGE = 200;
const PAST_PAGE = 50;
const TABS = ["waiting", "mine", "team", "closed"];
const QUIET_MILLISECONDS = 2000;
const MARGIN_MILLISECONDS = 60_000;
const LONG_MILLISECONDS = 3_600_000;

export class Inbox {
  #loading = null;
  #heard = null;
  #heardAt = -Infinity;
  #levelAt = null;
  #isDoubtful = false;
  #told = null;
  #nextPast = [];
  #views = null;

  /** `onChange()`: any row changed. `onNews(row, before)`: a frame brought a newer row; `before` is what we held, if anything. */
  constructor({ api, me, onChange, onNews = () => {} }) {
    Object.assign(this, { api, me, onChange, onNews });
    this.rows = new Map();
    this.state = "loading";
  }

  /** Read every active chat and the newest past ones. What is heard meanwhile stays, unless the answer is newer. */
  load() {
    this.#loading ??= this.#readAll().finally(() => this.#loaded());
    return this.#loading;
  }

  get hasMorePast() {
    return this.#nextPast.length > 0;
  }

  async loadMorePast() {
    const addresses = this.#nextPast.splice(0);
    const pages = await Promise.all(addresses.map((address) => this.api.page(address)));
    this.#nextPast = pages.map(({ next }) => next).filter(Boolean);
    for (const page of pages) for (const row of page.results) this.#keep(row);
    this.#changed();
  }

  /** Take an `inbox` frame. They may be lost, come twice or in any order. */
  hear({ conversation }) {
    this.#heardAt = Date.now();
    const before = this.rows.get(conversation.id);
    this.put(conversation);
    if (!before || before.version < conversation.version) this.onNews(conversation, before);
  }

  /** Put one row in, as the server tells it; a row never goes back behind what was already known of it. */
  put(row) {
    this.#keep(row);
    this.#changed();
  }

  /** Change what we know before the server says so. */
  amend(id, fields) {
    const row = this.rows.get(id);
    if (row) this.put({ ...row, ...fields });
  }

  /**
   * Hold our open rows against the server's own sum (of `ready` and `ping`), told at `now` of its clock.
   * A difference is mended by reading what changed since they last agreed; one that stays, by reading all.
   */
  async compare(told, now) {
    if (this.#loading) return void (this.#told = { told, now });
    if (this.state === "failed") return this.load();
    if (this.#agrees(told)) return this.#settle(now);
    if (Date.now() - this.#heardAt < QUIET_MILLISECONDS) return;
    const isLongAgo = !this.#levelAt || Date.parse(now) - Date.parse(this.#levelAt) > LONG_MILLISECONDS;
    if (this.#isDoubtful || isLongAgo) return this.load();
    this.#isDoubtful = true;
    await this.#readChanges();
  }

  /** Return the rows of a tab in their order. */
  view(tab) {
    this.#views ??= this.#sort();
    return this.#views[tab];
  }

  tabOf(row) {
    if (row.status !== "active") return "closed";
    if (!row.agent) return "waiting";
    return row.agent.id === this.me.id ? "mine" : "team";
  }

  /** Whether routing gave us this chat and we have not taken it up yet. */
  isOffer(row) {
    return this.tabOf(row) === "mine" && !row.accepted_at;
  }

  #agrees({ open, versions }) {
    const mine = [...this.rows.values()].filter((row) => row.status === "active");
    return mine.length === open && mine.reduce((sum, row) => sum + row.version, 0) === versions;
  }

  #settle(now) {
    this.#levelAt = now;
    this.#isDoubtful = false;
  }

  /** What the server told while we read it all is held against the rows now: what was lost before we could hear shows here. */
  #loaded() {
    this.#loading = null;
    const held = this.#told;
    this.#told = null;
    if (held && this.state === "ready") return this.compare(held.told, held.now);
  }

  async #readAll() {
    this.#heard = new Set();
    try {
      const lists = await Promise.all([
        this.#pages(this.api.conversations({ status: "active", limit: PAGE })),
        this.api.conversations({ status: "closed", limit: PAST_PAGE }),
        this.api.conversations({ status: "abandoned", limit: PAST_PAGE }),
      ]);
      this.#nextPast = lists.slice(1).map(({ next }) => next).filter(Boolean);
      this.#replace(lists.flatMap(({ results }) => results));
    } catch (error) {
      this.state = this.rows.size ? "ready" : "failed";
      this.reason = error.message;
    } finally {
      this.#heard = null;
    }
    this.#changed();
  }

  async #readChanges() {
    const since = new Date(Date.parse(this.#levelAt) - MARGIN_MILLISECONDS).toISOString();
    const asked = this.api.conversations({ updated_after: since, limit: PAGE });
    const { results } = await this.#pages(asked).catch(() => ({ results: [] })); // the next ping asks again
    for (const row of results) this.#keep(row);
    this.#changed();
  }

  async #pages(first) {
    const results = [];
    let page = await first;
    results.push(...page.results);
    while (page.next) results.push(...(page = await this.api.page(page.next)).results);
    return { results };
  }

  /** What the list no longer has is gone, but for what was heard while it was read. */
  #replace(rows) {
    const found = new Set(rows.map(({ id }) => id));
    for (const id of this.rows.keys()) if (!found.has(id) && !this.#heard.has(id)) this.rows.delete(id);
    for (const row of rows) this.#keep(row);
    this.state = "ready";
    this.#settle(null);
  }

  #keep(row) {
    const known = this.rows.get(row.id);
    if (known && known.version > row.version) return;
    this.#heard?.add(row.id);
    this.rows.set(row.id, row);
  }

  #sort() {
    const views = Object.fromEntries(TABS.map((tab) => [tab, []]));
    for (const row of this.rows.values()) views[this.tabOf(row)].push(row);
    const latest = (row) => row.last_message_at || row.created_at;
    views.waiting.sort(by((row) => row.queued_at || row.created_at));
    views.mine.sort((one, other) => this.isOffer(other) - this.isOffer(one) || by(latest)(other, one));
    views.team.sort((one, other) => by(latest)(other, one));
    views.closed.sort((one, other) => by((row) => row.closed_at || latest(row))(other, one));
    return views;
  }

  #changed() {
    this.#views = null;
    this.onChange();
  }
}

function by(key) {
  return (one, other) => (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0);
}
