/** What an agent does about a visitor: name them, block them, give out or erase what is kept of them. */

import { h } from "../../ui/dom.js";
import { ask, field, openForm } from "./dialog.js";
import { nameOf } from "./names.js";

export class VisitorActs {
  /** `row()`: the open chat; `learn(details)`: newer ones are known; `gone()`: the visitor was erased. */
  constructor({ core, words, row, learn, gone }) {
    Object.assign(this, { core, words, row, learn, gone });
  }

  edit() {
    const { words, core } = this;
    const { id, name, email } = this.row().visitor;
    openForm({
      title: words("edit.long"),
      words,
      yes: words("save"),
      fields: [
        field(words("visitor.name"), h("input", { class: "input", name: "name", value: name, maxlength: 120, autocomplete: "off", autofocus: true })),
        field(words("fact.email"), h("input", { class: "input", name: "email", type: "email", value: email, maxlength: 254, autocomplete: "off" })),
      ],
      save: async (values) => this.learn(await core.api.patch(`visitors/${id}`, { name: values.name.trim(), email: values.email.trim() })),
    });
  }

  async block() {
    const { words, core } = this;
    const row = this.row();
    const verb = row.visitor.is_blocked ? "unblock" : "block";
    const isSure = await ask({ title: words(`${verb}.title`, { name: nameOf(row, words) }), text: words(`${verb}.text`), yes: words(verb), words, isDangerous: verb === "block" });
    const details = isSure && (await core.attempt(() => core.api.post(`visitors/${row.visitor.id}/${verb}`)));
    if (details) this.learn(details);
  }

  async exportData() {
    const { id } = this.row().visitor;
    const data = await this.core.attempt(() => this.core.api.get(`visitors/${id}/export`));
    if (!data) return;
    const address = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }));
    h("a", { href: address, download: `${id}.json` }).click();
    URL.revokeObjectURL(address);
  }

  async erase() {
    const { words, core } = this;
    const row = this.row();
    const isSure = await ask({ title: words("erase.title", { name: nameOf(row, words) }), text: words("erase.text"), yes: words("erase"), words, isDangerous: true });
    const answer = isSure && (await core.attempt(() => core.api.remove(`visitors/${row.visitor.id}`)));
    if (answer) this.gone(row);
  }
}
