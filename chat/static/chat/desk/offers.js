/** Chats that routing gave to us and that wait to be taken up: a strip across the desk, with the time that is left. */

import { avatar, h, write } from "../../ui/dom.js";
import { serverNow } from "../clock.js";
import { nameOf } from "./names.js";

const TICK_MILLISECONDS = 1000;

/** Return the seconds an offer still stands, or null when it stands for ever. */
export function secondsLeft(row) {
  const most = row.answer_seconds;
  if (!most || !row.assigned_at) return null;
  return Math.max(0, Math.ceil((Date.parse(row.assigned_at) - serverNow()) / 1000) + most);
}

export class Offers {
  #timer = 0;
  #rows = [];
  #shown = "";

  /** `accept(row)`, `open(id)`: what its buttons do. */
  constructor({ element, words, accept, open }) {
    Object.assign(this, { element, words, accept, open });
    this.said = h("p", { class: "sr", role: "status" });
    document.body.append(this.said);
  }

  /** Show the offer that runs out first; the opened chat speaks for itself. */
  draw(offers, openId) {
    this.#rows = offers.filter(({ id }) => id !== openId).sort((one, other) => (one.assigned_at < other.assigned_at ? -1 : 1));
    clearInterval(this.#timer);
    if (this.#rows.length) this.#timer = setInterval(() => this.#tick(), TICK_MILLISECONDS);
    this.#draw();
  }

  #draw() {
    const [row] = this.#rows;
    const { words, element } = this;
    const shown = row ? [row.id, nameOf(row, words), row.last_message?.text, this.#rows.length].join() : "";
    element.hidden = !row;
    if (!row) return void (this.#shown = "");
    if (shown !== this.#shown) this.#fill(row);
    this.#shown = shown;
    this.#tick();
  }

  #fill(row) {
    const { words, element } = this;
    const name = nameOf(row, words);
    const more = this.#rows.length - 1;
    this.left = h("span", { class: "offer__left num" });
    this.bar = h("span", { class: "offer__bar" });
    write(this.said, words("offer.said", { name }));
    element.replaceChildren(
      avatar(name, row.visitor.id),
      h("button", { class: "offer__about", type: "button", onclick: () => this.open(row.id) }, h("strong", {}, words("offer", { name })), h("span", { class: "offer__text" }, row.last_message?.text || row.page_title || words("noPreview"))),
      ...(more > 0 ? [h("span", { class: "badge" }, words("offer.more", { count: more }))] : []),
      this.left,
      h("button", { class: "btn btn--primary", type: "button", onclick: () => this.accept(row) }, words("accept"), h("kbd", {}, "A")),
      this.bar,
    );
  }

  #tick() {
    const [row] = this.#rows;
    const seconds = secondsLeft(row);
    write(this.left, seconds === null ? "" : `${seconds} s`);
    this.bar.style.setProperty("--share", seconds === null ? 0 : seconds / row.answer_seconds);
  }
}
