/** The right pane: what is known of the visitor and of this chat. */

import { avatar, h, icon } from "../../ui/dom.js";
import { fullTime } from "../../ui/i18n.js";
import { nameOf } from "./names.js";

export function drawFacts(element, row, words, onBack) {
  const stamp = JSON.stringify([row, Math.floor(Date.now() / 60_000)]);
  if (element.dataset.stamp === stamp) return;
  element.dataset.stamp = stamp;
  const name = nameOf(row, words);
  const back = h("button", { class: "btn btn--quiet btn--icon talk__back", type: "button", "aria-label": words("key.back"), onclick: onBack }, icon("left"));
  element.replaceChildren(
    h("header", { class: "facts__head" }, back, avatar(name, row.visitor.id), h("h2", {}, name)),
    h("dl", { class: "facts" }, facts(row, words).map(([label, value]) => h("div", { class: "fact" }, h("dt", {}, words(`fact.${label}`)), h("dd", {}, value)))),
  );
}

function facts(row, words) {
  const at = (moment) => fullTime(moment, words.language);
  return [
    ["email", row.visitor.email ? link(`mailto:${row.visitor.email}`, row.visitor.email) : faint(words("unknown"))],
    ["page", row.page_url ? link(row.page_url, row.page_title || shown(row.page_url)) : faint(words("unknown"))],
    ["referrer", row.referrer ? link(row.referrer, shown(row.referrer)) : faint(words("direct"))],
    ["started", at(row.created_at)],
    ["first", row.first_response_at ? words("fact.after", { time: span(row.created_at, row.first_response_at) }) : faint(words("none"))],
    ["agent", row.agent ? row.agent.name : faint(words("none"))],
    ["widget", row.widget_name],
    ["messages", String(row.message_count)],
    ["rating", row.rating ? stars(row) : faint(words("none"))],
  ].filter(([, value]) => value);
}

function link(address, text) {
  const isSafe = /^(https?|mailto):/i.test(address);
  return isSafe ? h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text) : text;
}

function shown(address) {
  return address.replace(/^https?:\/\/(www\.)?/i, "").replace(/\/$/, "");
}

function faint(text) {
  return h("span", { class: "faint" }, text);
}

function stars({ rating, feedback }) {
  const row = h("span", { class: "stars", role: "img", "aria-label": `${rating} / 5` }, [1, 2, 3, 4, 5].map((value) => h("span", { data: { on: value <= rating } }, icon("star"))));
  return h("div", {}, row, feedback ? h("p", { class: "fact__quote" }, feedback) : null);
}

function span(from, to) {
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
