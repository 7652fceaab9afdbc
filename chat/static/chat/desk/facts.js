/** The right pane: who the visitor is, where they come from, what was asked and answered before. */

import { avatar, h, icon } from "../../ui/dom.js";
import { fullTime } from "../../ui/i18n.js";
import { serverNow } from "../clock.js";
import { chip } from "./labels.js";
import { localTime, nameOf, placeOf, span } from "./names.js";

const PAGES_SHOWN = 5;
const SECTIONS = { head, acts, labels, contact, visit, chat, answers, attributes, earlier };

export class Facts {
  #details = null;
  #asked = "";
  #stamp = "";

  /** `act`: `{back, edit, block, exportData, erase, labels, open(id)}`, each knowing which chat is open; `may`: `{reply, manage}`. */
  constructor({ element, api, catalogue, words, act, may }) {
    Object.assign(this, { element, api, catalogue, words, act, may });
    this.parts = Object.fromEntries(Object.keys(SECTIONS).map((name) => [name, h("section", { class: `facts__${name}` })]));
    element.replaceChildren(...Object.values(this.parts));
  }

  get visitor() {
    return this.#details;
  }

  draw(row) {
    this.#read(row);
    const known = this.#details?.id === row.visitor.id ? this.#details : null;
    const stamp = JSON.stringify([row, known, this.catalogue.labels, Math.floor(serverNow() / 60_000)]);
    if (this.#stamp === stamp) return;
    this.#stamp = stamp;
    const { words, act, may, catalogue } = this;
    for (const [name, draw] of Object.entries(SECTIONS)) this.#put(name, draw({ row, known, words, act, may, catalogue }));
  }

  /** Take newer details, as an action answered them. */
  learn(details) {
    this.#details = details;
  }

  /** Forget what is known of the visitor, so that the next drawing reads it again. */
  expire() {
    this.#asked = "";
  }

  /** Read the details when another visitor comes, or when the row says that they changed. */
  async #read({ visitor, page_url, version, status }) {
    const asked = [visitor.id, visitor.name, visitor.email, visitor.is_blocked, page_url, status].join();
    if (this.#asked === asked) return;
    this.#asked = asked;
    const details = await this.api.get(`visitors/${visitor.id}`).catch(() => null);
    if (!details || this.#asked !== asked) return;
    this.#details = details;
    this.act.changed();
  }

  /** Put a section's content in only where it differs: a focus inside an unchanged one stays where it is. */
  #put(name, content) {
    const part = this.parts[name];
    const fresh = h("section", { class: part.className }, content);
    part.hidden = !fresh.childNodes.length;
    if (part.isEqualNode(fresh)) return;
    const focus = part.contains(document.activeElement) ? document.activeElement.dataset.key : "";
    part.replaceChildren(...fresh.childNodes);
    if (focus) part.querySelector(`[data-key="${focus}"]`)?.focus();
  }
}

function head({ row, known, words, act }) {
  const name = nameOf(row, words);
  const back = h("button", { class: "btn btn--quiet btn--icon talk__back", type: "button", "aria-label": words("key.back"), data: { key: "back" }, onclick: act.back }, icon("left"));
  const marks = [
    row.visitor.is_verified && h("span", { class: "badge badge--good" }, icon("done"), words("verified")),
    row.visitor.is_blocked && h("span", { class: "badge badge--bad" }, icon("ban"), words("blocked")),
    row.is_offline && h("span", { class: "badge badge--warn" }, icon("mail"), words("leftMessage")),
    known && h("span", { class: "badge" }, h("span", { class: "dot", data: { status: known.is_online ? "online" : "offline" } }), words(known.is_online ? "onSite" : "gone")),
  ];
  return [back, avatar(name, row.visitor.id), h("div", { class: "facts__name" }, h("h2", {}, name), h("p", { class: "facts__marks" }, marks))];
}

function acts({ row, words, act, may }) {
  const button = (name, face, run, text = name) => h("button", { class: "btn btn--quiet", type: "button", title: words(`${text}.long`), data: { key: name }, onclick: run }, icon(face), words(text));
  if (!may.reply) return [];
  return [
    button("edit", "note", act.edit),
    button("block", "ban", act.block, row.visitor.is_blocked ? "unblock" : "block"),
    may.manage && button("export", "download", act.exportData),
    may.manage && button("erase", "trash", act.erase),
  ];
}

function labels({ row, words, act, may, catalogue }) {
  const change = may.reply && h("button", { class: "btn btn--quiet facts__add", type: "button", data: { key: "labels" }, onclick: act.labels }, icon("plus"), words("label.change"));
  return [...row.labels.map((name) => chip(name, catalogue.colorOf(name))), change];
}

function contact({ row, known, words }) {
  const place = placeOf(known);
  return list(words, [
    ["email", row.visitor.email && link(`mailto:${row.visitor.email}`, row.visitor.email)],
    ["external", known?.external_id],
    ["place", place],
    ["time", known && localTime(known.location?.timezone, serverNow(), words)],
    ["language", languageName(known?.language, words)],
    ["device", known?.location?.user_agent],
    ["address", known?.location?.ip_address],
  ]);
}

function visit({ row, known, words }) {
  const pages = [...(known?.recent_pages ?? [])].reverse().filter(({ url }) => url !== row.page_url).slice(0, PAGES_SHOWN);
  return list(words, [
    ["page", row.page_url && link(row.page_url, row.page_title || bare(row.page_url))],
    ["referrer", row.referrer ? link(row.referrer, bare(row.referrer)) : faint(words("direct"))],
    ["pages", pages.length > 0 && h("ul", { class: "facts__pages" }, pages.map(({ url, title, at }) => h("li", {}, link(url, title || bare(url)), at && h("span", { class: "faint" }, ` ${fullTime(at, words.language)}`))))],
  ]);
}

function chat({ row, words }) {
  return list(words, [
    ["started", fullTime(row.created_at, words.language)],
    ["first", row.first_response_at ? words("fact.after", { time: span(row.created_at, row.first_response_at) }) : faint(words("none"))],
    ["agent", row.agent?.name ?? faint(words("none"))],
    ["widget", row.widget_name],
    ["messages", String(row.message_count)],
    ["rating", row.rating && stars(row)],
  ]);
}

function answers({ known, words }) {
  return pairs(words("answers"), known?.pre_chat);
}

function attributes({ known, words }) {
  return pairs(words("attributes"), known?.attributes);
}

function earlier({ row, known, words, act }) {
  const others = (known?.conversations ?? []).filter(({ id }) => id !== row.id);
  if (!others.length) return [];
  const item = (one) =>
    h(
      "li",
      {},
      h("button", { class: "past", type: "button", data: { key: one.id }, onclick: () => act.open(one.id) }, h("span", { class: "past__top" }, h("span", {}, fullTime(one.created_at, words.language)), h("span", { class: "faint" }, words(`found.${one.status}`))), h("span", { class: "past__text" }, one.last_message?.text || words("noPreview"))),
    );
  return [h("h3", {}, words("earlier")), h("ul", {}, others.map(item))];
}

function list(words, facts) {
  const shown = facts.filter(([, value]) => value);
  return shown.length ? [h("dl", {}, shown.map(([name, value]) => fact(words(`fact.${name}`), value)))] : [];
}

function pairs(title, values) {
  const known = Object.entries(values ?? {}).filter(([, value]) => value !== "" && value !== null);
  return known.length ? [h("h3", {}, title), h("dl", {}, known.map(([name, value]) => fact(name, [value].flat().join(", "))))] : [];
}

function fact(name, value) {
  return h("div", { class: "fact" }, h("dt", {}, name), h("dd", {}, value));
}

function link(address, text) {
  const isSafe = /^(https?|mailto):/i.test(address);
  return isSafe ? h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text) : text;
}

function bare(address) {
  return address.replace(/^https?:\/\/(www\.)?/i, "").replace(/\/$/, "");
}

function faint(text) {
  return h("span", { class: "faint" }, text);
}

function languageName(code, words) {
  if (!code) return "";
  try {
    return new Intl.DisplayNames([words.language], { type: "language" }).of(code);
  } catch (notACode) {
    return code;
  }
}

function stars({ rating, feedback }) {
  const row = h("span", { class: "stars", role: "img", "aria-label": `${rating} / 5` }, [1, 2, 3, 4, 5].map((value) => h("span", { data: { on: value <= rating } }, icon("star"))));
  return h("div", {}, row, feedback ? h("p", { class: "fact__quote" }, feedback) : null);
}
