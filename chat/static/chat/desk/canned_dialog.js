/** Canned replies as they are kept: the list, and a form for one. */

import { h, icon } from "../../ui/dom.js";
import { VARIABLES } from "./canned.js";
import { ask, field, openDialog, openForm } from "./dialog.js";

/** `catalogue`: keeps them; `attempt(run)`: runs what may be refused, and says so. */
export function openCanned({ words, catalogue, attempt }) {
  const list = h("ul", { class: "kept" });
  const edit = (reply) => openReply({ words, catalogue, reply, done: draw });
  const drop = async (reply) => {
    const isSure = await ask({ title: words("canned.drop"), text: words("canned.dropText", { shortcut: reply.shortcut }), yes: words("discard"), words, isDangerous: true });
    if (isSure) await attempt(() => catalogue.dropReply(reply));
    draw();
  };
  function draw() {
    const rows = catalogue.replies.map((reply) => kept(reply, words, { edit, drop }));
    list.replaceChildren(...(rows.length ? rows : [h("li", { class: "muted kept__none" }, words("canned.empty"))]));
  }
  draw();
  const add = h("button", { class: "btn", type: "button", onclick: () => edit({ shortcut: "", text: "" }) }, icon("plus"), words("canned.add"));
  openDialog({ title: words("canned"), words }, list, h("div", { class: "dialog__acts" }, add));
}

function kept(reply, words, { edit, drop }) {
  return h(
    "li",
    { class: "kept__row" },
    h("div", { class: "kept__body" }, h("span", { class: "canned__key" }, `/${reply.shortcut}`), h("p", { class: "kept__text" }, reply.text)),
    h("button", { class: "btn btn--quiet btn--icon", type: "button", "aria-label": words("canned.edit", reply), onclick: () => edit(reply) }, icon("note")),
    h("button", { class: "btn btn--quiet btn--icon", type: "button", "aria-label": words("canned.delete", reply), onclick: () => drop(reply) }, icon("trash")),
  );
}

function openReply({ words, catalogue, reply, done }) {
  openForm({
    title: words(reply.id ? "canned.change" : "canned.add"),
    words,
    yes: words("save"),
    fields: [
      field(words("canned.shortcut"), h("input", { class: "input", name: "shortcut", value: reply.shortcut, maxlength: 40, autocomplete: "off", autofocus: true }), words("canned.shortcutHint")),
      field(words("canned.text"), h("textarea", { class: "input", name: "text", rows: 5, maxlength: 5000 }, reply.text), words("canned.variables", { variables: VARIABLES.map((name) => `{{${name}}}`).join(", ") })),
    ],
    save: async ({ shortcut, text }) => (await catalogue.keepReply({ id: reply.id, shortcut: shortcut.trim().replace(/^\//, ""), text: text.trim() }), done()),
  });
}
