/** The search dialog: what was said and who said it, over every conversation. */

import { avatar, h } from "../../ui/dom.js";
import { fullTime } from "../../ui/i18n.js";
import { openDialog } from "./dialog.js";
import { nameOf } from "./names.js";
import { Picker } from "./picker.js";

const LEAST_LETTERS = 2;
const PAUSE_MILLISECONDS = 180;
const LIMIT = 30;
const BEFORE = 40;

/** `search(query)`: promise of the results; `open(result)`: one was chosen. */
export function openSearch({ words, search, open }) {
  const find = async (text) => {
    if (text.length < LEAST_LETTERS) return [];
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
    return picker.field.value.trim() === text ? (await search({ q: text, limit: LIMIT })) ?? [] : [];
  };
  const nothing = (text) => (text.length < LEAST_LETTERS ? words("search.hint") : words("search.none", { text }));
  const draw = (result) => shown(result, words);
  const pick = (result) => (dialog.close(), open(result));
  const picker = new Picker({ label: words("search"), placeholder: words("search.placeholder"), find, draw, pick, nothing });
  const dialog = openDialog({ title: words("search"), words, look: "dialog--search" }, picker.element);
}

function shown({ conversation, message }, words) {
  const name = nameOf(conversation, words);
  const { visitor } = conversation;
  const at = message?.created_at || conversation.last_message_at || conversation.created_at;
  const about = message ? [`${message.sender_type === "visitor" ? name : message.sender_name}: `, ...marked(message)] : [visitor.email || words(`found.${conversation.status}`)];
  return [
    avatar(name, visitor.id),
    h(
      "div",
      { class: "found" },
      h("div", { class: "found__top" }, h("span", { class: "found__name" }, name), h("time", { class: "faint", datetime: at }, fullTime(at, words.language))),
      h("p", { class: "found__text" }, about),
    ),
  ];
}

/** Return the text as nodes with what was found marked; a long way before the first find is left out. */
function marked({ text, highlight }) {
  const ranges = highlight ?? [];
  const nodes = [];
  const from = Math.max(0, (ranges[0]?.[0] ?? 0) - BEFORE);
  if (from) nodes.push("…");
  let at = from;
  for (const [start, end] of ranges) {
    nodes.push(text.slice(at, start), h("mark", {}, text.slice(start, end)));
    at = end;
  }
  return [...nodes, text.slice(at)];
}
