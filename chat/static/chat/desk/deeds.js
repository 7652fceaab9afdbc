/** What an agent does with a chat from the desk: by button, by key or by menu. */

import { openCanned } from "./canned_dialog.js";
import { openLabelList } from "./label_dialog.js";
import { openLabels } from "./labels.js";
import { openSearch } from "./search.js";
import { openTransfer } from "./transfer.js";

export class Deeds {
  /** `core`: the desk's state; `go(target)`: opens a chat; `onTaken(row)`: a chat has become ours. */
  constructor({ core, words, go, onTaken }) {
    Object.assign(this, { core, words, go, onTaken });
  }

  /** The opened chat as it is known now. */
  get row() {
    const { room, inbox } = this.core;
    return inbox.rows.get(room.id) ?? room.row;
  }

  get mayReply() {
    return this.core.may("chat.reply");
  }

  async accept(row = this.row) {
    const { inbox } = this.core;
    const isFree = row?.status === "active" && (!row.agent || inbox.isOffer(row));
    if (!isFree || !this.mayReply) return;
    const taken = await this.core.act(row.id, "accept");
    if (taken) this.onTaken(taken);
  }

  async takeOver() {
    const taken = await this.core.act(this.row.id, "transfer", { agent: this.core.me.id });
    if (taken) this.onTaken(taken);
  }

  close() {
    const { row } = this;
    if (row?.status === "active" && row.agent && this.mayReply) this.core.act(row.id, "close");
  }

  async reopen() {
    const { row } = this;
    if (!row || row.status === "active" || !this.mayReply) return;
    const opened = await this.core.act(row.id, "reopen");
    if (opened && this.core.inbox.tabOf(opened) === "mine") this.onTaken(opened);
  }

  labels() {
    if (!this.row || !this.mayReply) return;
    const { core, words } = this;
    const { id } = this.row;
    const { catalogue } = core;
    const attempt = (run) => core.attempt(run);
    openLabels({
      words,
      catalogue,
      labels: () => core.inbox.rows.get(id)?.labels ?? [],
      set: (labels) => core.act(id, "labels", { labels }),
      manage: core.may("chat.manage") ? () => openLabelList({ words, catalogue, attempt }) : null,
    });
  }

  async transfer() {
    const { row, core, words } = this;
    if (row?.status !== "active" || !this.mayReply) return;
    const agents = await core.attempt(() => core.api.get("agents"));
    if (!agents) return;
    const hand = async (agent, note) => core.inbox.put(await core.api.act(row.id, "transfer", note ? { agent, note } : { agent }));
    openTransfer({ row, agents: agents.results, me: core.me, words, hand });
  }

  search() {
    const { core, words } = this;
    openSearch({
      words,
      search: async (query) => (await core.attempt(() => core.api.get("search", query)))?.results,
      open: ({ conversation, message }) => {
        core.inbox.put(conversation);
        this.go(message ? `${conversation.id}/${message.seq}` : conversation.id);
      },
    });
  }

  canned() {
    const { core, words } = this;
    openCanned({ words, catalogue: core.catalogue, attempt: (run) => core.attempt(run) });
  }
}
