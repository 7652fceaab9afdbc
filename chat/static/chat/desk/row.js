/** One chat in the list: made once, then touched only where something changed. */

import { avatar, h, icon, write } from "../../ui/dom.js";
import { fullTime, shortAge } from "../../ui/i18n.js";
import { serverNow } from "../clock.js";
import { dot } from "./labels.js";
import { nameOf } from "./names.js";

const SLOW_MINUTES = 2;
const LATE_MINUTES = 5;
const MOST_DOTS = 4;

export function makeRow(row, words) {
  return h(
    "div",
    { class: "row", role: "option", id: `row-${row.id}`, data: { id: row.id } },
    avatar(nameOf(row, words), row.visitor.id),
    h(
      "div",
      { class: "row__body" },
      h("div", { class: "row__top" }, h("span", { class: "row__name" }), h("span", { class: "row__labels" }), h("time", { class: "row__age num" })),
      h("div", { class: "row__low" }, h("span", { class: "row__text" }), h("span", { class: "row__offer" }, words("row.offer")), h("span", { class: "row__unread num" })),
    ),
  );
}

/** Write a row's state into its node; `me` reads it, `colorOf(label)` knows the colours. */
export function fillRow(node, row, { words, me, isOffer, colorOf }) {
  write(node.querySelector(".row__name"), nameOf(row, words));
  write(node.querySelector(".row__text"), preview(row, words, me));
  node.classList.toggle("row--unread", row.unread_count > 0);
  node.classList.toggle("row--offer", isOffer);
  const unread = node.querySelector(".row__unread");
  unread.hidden = !row.unread_count || isOffer;
  write(unread, String(row.unread_count || ""));
  unread.setAttribute("aria-label", words("unread", { count: row.unread_count }));
  node.querySelector(".row__offer").hidden = !isOffer;
  fillLabels(node.querySelector(".row__labels"), row, colorOf);
  fillAge(node, row, words);
}

/** Write how long ago, or for how long somebody waits, by the server's clock. */
export function fillAge(node, row, words) {
  const waits = waitingSince(row);
  const since = waits || row.last_message_at || row.created_at;
  const age = node.querySelector(".row__age");
  write(age, shortAge(since, serverNow()));
  age.title = words(waits ? "row.waits" : "row.last", { time: fullTime(since, words.language) });
  const minutes = waits ? (serverNow() - Date.parse(since)) / 60_000 : 0;
  age.dataset.wait = minutes >= LATE_MINUTES ? "late" : minutes >= SLOW_MINUTES ? "slow" : "";
}

/** Since when somebody waits for us: for an agent at all, or for an answer. */
function waitingSince(row) {
  return row.status === "active" ? row.queued_at || row.waiting_since : null;
}

function fillLabels(element, { labels }, colorOf) {
  const stamp = JSON.stringify(labels.map((name) => [name, colorOf(name)]));
  if (element.dataset.stamp === stamp) return;
  element.dataset.stamp = stamp;
  element.title = labels.join(", ");
  element.replaceChildren(...labels.slice(0, MOST_DOTS).map((name) => dot(colorOf(name))), h("span", { class: "sr" }, labels.join(", ")));
}

function preview(row, words, me) {
  const last = row.last_message;
  if (!last) return words("noPreview");
  const text = last.text || words("sentFile", { name: last.file_name });
  // Whoever took the chat up wrote what agents have written since.
  const isOwn = last.sender_type === "agent" && row.agent?.id === me.id && row.accepted_at && last.created_at >= row.accepted_at;
  return isOwn ? words("youSaid", { text }) : text;
}

export function empty(art, title, text, ...rest) {
  return h("div", { class: "empty" }, h("span", { class: "empty__art" }, icon(art)), h("p", { class: "empty__title" }, title), h("p", { class: "empty__text" }, text), rest);
}

export function skeletons(count) {
  const line = () => h("div", { class: "row row--ghost" }, h("span", { class: "skeleton ghost__face" }), h("div", { class: "row__body" }, h("span", { class: "skeleton ghost__name" }), h("span", { class: "skeleton ghost__text" })));
  return Array.from({ length: count }, line);
}
