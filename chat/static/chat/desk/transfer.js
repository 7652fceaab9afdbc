/** The dialog that hands a chat to a colleague or back to the queue. */

import { h, icon } from "../../ui/dom.js";
import { field, openForm } from "./dialog.js";

const ORDER = ["online", "away", "busy", "offline"];
const QUEUE = "queue";

/** `row`: the chat; `agents`: everybody who may answer; `hand(agentId or null, note)`: promise that it is done. */
export function openTransfer({ row, agents, me, words, hand }) {
  const others = agents.filter(({ id }) => id !== row.agent?.id).sort((one, other) => ORDER.indexOf(one.status) - ORDER.indexOf(other.status) || one.name.localeCompare(other.name));
  const people = others.map((agent) => person(agent, me, words));
  const queue = row.agent && choice(QUEUE, [h("span", { class: "choice__face" }, icon("inbox")), h("span", { class: "choice__name" }, words("transfer.queue"))]);
  const choices = [...people, queue].filter(Boolean);
  const ready = others.findIndex(({ status }) => status === "online");
  const first = choices.at(ready < 0 ? -1 : ready)?.querySelector("input");
  if (first) first.checked = first.autofocus = true;
  openForm({
    title: words("transfer.title"),
    words,
    yes: words("transfer.do"),
    fields: [
      h("fieldset", { class: "choices" }, h("legend", { class: "field__label" }, words("transfer.to")), choices),
      field(words("transfer.note"), h("textarea", { class: "input", name: "note", rows: 2, maxlength: 5000 }), words("transfer.noteHint")),
    ],
    save: ({ agent, note }) => hand(agent === QUEUE ? null : agent, note.trim()),
  });
}

function person({ id, name, status, active_chats, max_concurrent_chats }, me, words) {
  const load = words("load", { active: active_chats, most: max_concurrent_chats });
  return choice(id, [
    h("span", { class: "choice__face" }, h("span", { class: "dot", data: { status } })),
    h("span", { class: "choice__name" }, id === me.id ? words("transfer.me") : name),
    h("span", { class: "faint num" }, `${words(`presence.${status}`)} · ${load}`),
  ]);
}

function choice(value, content) {
  return h("label", { class: "choice" }, h("input", { type: "radio", name: "agent", value, required: true }), content);
}
