/** The strip above the field: whose chat this is, and what to do about it. */

import { h, icon, write } from "../../ui/dom.js";
import { shortAge } from "../../ui/i18n.js";
import { serverNow } from "../clock.js";
import { nameOf } from "./names.js";
import { secondsLeft } from "./offers.js";

const TICK_MILLISECONDS = 1000;

export class Bar {
  #timer = 0;
  #kind = "";

  /** `act`: `{accept, takeOver, reopen, note}`. */
  constructor({ element, words, inbox, act, mayReply }) {
    Object.assign(this, { element, words, inbox, act, mayReply });
    this.text = h("p", {});
    this.acts = h("div", { class: "bar__acts" });
    element.append(this.text, this.acts);
  }

  draw(row) {
    const kind = this.#kindOf(row);
    this.element.hidden = !kind;
    this.element.dataset.kind = kind;
    if (this.#kind !== kind) this.acts.replaceChildren(...(this.mayReply ? this.#buttons(kind) : []));
    this.#kind = kind;
    clearInterval(this.#timer);
    if (!kind) return;
    this.#say(row);
    if (kind === "offer" || kind === "waiting") this.#timer = setInterval(() => this.#say(row), TICK_MILLISECONDS);
  }

  #kindOf(row) {
    if (row.status !== "active") return "closed";
    if (this.inbox.isOffer(row)) return "offer";
    return { waiting: "waiting", team: "team" }[this.inbox.tabOf(row)] ?? "";
  }

  #buttons(kind) {
    const { words, act } = this;
    const note = h("button", { class: "btn btn--quiet", type: "button", onclick: act.note }, icon("note"), words("writeNote"));
    const accept = h("button", { class: "btn btn--primary", type: "button", onclick: act.accept }, words("accept"), h("kbd", {}, "A"));
    const takeOver = h("button", { class: "btn", type: "button", onclick: act.takeOver }, words("takeOver"));
    const reopen = h("button", { class: "btn", type: "button", onclick: act.reopen }, icon("refresh"), words("reopen"), h("kbd", {}, "O"));
    return { closed: [reopen], offer: [accept], waiting: [note, accept], team: [note, takeOver] }[kind] ?? [];
  }

  #say(row) {
    const { words } = this;
    const name = nameOf(row, words);
    const seconds = this.#kind === "offer" ? secondsLeft(row) : null;
    const texts = {
      offer: () => (seconds === null ? words("offerBar", { name }) : words("offerBarLeft", { name, seconds })),
      waiting: () => words("waitingBar", { name, time: shortAge(row.queued_at || row.created_at, serverNow()) }),
      team: () => words("otherBar", { agent: row.agent?.name }),
      closed: () => [words(row.status === "abandoned" ? "abandonedBar" : "closedBar"), row.rating && words("ratedBar", { rating: row.rating })].filter(Boolean).join(" · "),
    };
    write(this.text, texts[this.#kind]());
  }
}
