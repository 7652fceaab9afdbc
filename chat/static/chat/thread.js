/** The conversation as it is drawn: days, groups of bubbles, quiet lines. One for panel and desk; each passes its side. */

import { avatar, h, icon, linked, reconcile } from "../ui/dom.js";
import { clock, dayName, fullTime } from "../ui/i18n.js";
import { openEditor } from "./editor.js";

export { EDITABLE_MILLISECONDS, rowsOf } from "./rows.js";
export { TypingLine, TypingSignal } from "./typing.js";

const NEAR_PIXELS = 90;
const FOUND_MILLISECONDS = 2400;
const NAMED_CHARACTERS = 40;

/** Draws rows into a list, keeps its place: at the bottom it stays there, above it the reader is left alone. */
export class Thread {
  #nodes = new Map();
  #rows = new Map();

  /** `words`: translator; `actions`: `{retry(id), discard(id), edit(messageId, text)}`; `scroller`: the element that scrolls; `files`: draws attachments; `explain(error)`: its words. */
  constructor({ list, scroller, words, actions, files, explain = ({ message }) => message }) {
    Object.assign(this, { list, scroller, words, actions, files, explain });
    scroller.addEventListener("scroll", () => (this.isAtEnd = this.#nearEnd()), { passive: true });
    new ResizeObserver(() => this.isAtEnd && this.toEnd()).observe(scroller);
    this.isAtEnd = true;
  }

  clear() {
    this.#nodes.clear();
    this.#rows.clear();
    this.list.replaceChildren();
    this.isAtEnd = true;
  }

  show(rows) {
    const follow = this.isAtEnd;
    const before = this.scroller.scrollHeight - this.scroller.scrollTop;
    const headKept = this.#rows.has(rows[1]?.key) || !this.#rows.size;
    this.#rows = new Map(rows.map((row) => [row.key, row]));
    reconcile(this.list, this.#nodes, [...this.#rows.keys()], (key) => this.#make(key), (node, key) => this.#refresh(node, key));
    if (follow) this.toEnd();
    else if (!headKept) this.scroller.scrollTop = this.scroller.scrollHeight - before;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.isAtEnd = true;
  }

  /** Bring the row of an event into sight, and let it stand out for a moment. */
  reveal(seq) {
    const row = [...this.#rows.values()].find((one) => one.seq === seq);
    const node = row && this.#nodes.get(row.key);
    if (!node) return;
    node.scrollIntoView({ block: "center" });
    node.classList.add("msg--found");
    setTimeout(() => node.classList.remove("msg--found"), FOUND_MILLISECONDS);
  }

  /** Mend the last message that can be; false when there is none. */
  editLast() {
    const row = [...this.#rows.values()].findLast(({ canEdit }) => canEdit);
    if (row) this.#edit(row.key);
    return Boolean(row);
  }

  #nearEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < NEAR_PIXELS;
  }

  #make(key) {
    const row = this.#rows.get(key);
    const node = row.kind === "message" ? this.#message(row) : this.#line(row);
    this.#refresh(node, key);
    return node;
  }

  #line(row) {
    if (row.kind === "day") return h("li", { class: "day" }, dayName(row.at, this.words.language));
    const text = h("span", { title: fullTime(row.at, this.words.language) }, row.text);
    return h("li", { class: "line" }, text);
  }

  #message(row) {
    const words = this.words;
    const who = row.isMine && !row.isColleague ? words("you") : row.name;
    return h(
      "li",
      { class: "msg" },
      h("span", { class: "msg__who" }, row.isMine ? null : avatar(row.name, row.author, row.isHouse ? "avatar--s avatar--brand" : "avatar--s")),
      h(
        "div",
        { class: "msg__body" },
        h("span", { class: "msg__name", "aria-hidden": "true" }, row.isNote ? words("noteBy", { name: who }) : who),
        h("span", { class: "sr" }, `${who}: `),
        row.attachment ? this.files?.node(row.attachment) : null,
        h("div", { class: "msg__meta" }),
      ),
    );
  }

  #refresh(node, key) {
    const row = this.#rows.get(key);
    if (row.kind !== "message") return;
    const flags = { mine: row.isMine, note: row.isNote, named: row.isNote || row.isColleague, first: row.isFirst, last: row.isLast, failed: row.state === "failed" };
    for (const [flag, isOn] of Object.entries(flags)) node.classList.toggle(`msg--${flag}`, isOn);
    this.#say(node, row);
    this.#offerEdit(node, row);
    const stamp = [row.state, row.mark, row.isLast, row.error, row.editedAt].join();
    if (node.dataset.stamp === stamp) return;
    node.dataset.stamp = stamp;
    this.#mark(node.querySelector(".msg__meta"), row);
  }

  #say(node, row) {
    const bubble = node.querySelector(".msg__bubble");
    if ((bubble?.textContent ?? "") === row.text) return;
    bubble?.remove();
    if (row.text) node.querySelector(".msg__name + .sr").after(h("div", { class: "msg__bubble", dir: "auto", title: fullTime(row.at, this.words.language) }, linked(row.text)));
  }

  #offerEdit(node, row) {
    const known = node.querySelector(".msg__edit");
    if (!row.canEdit) return known?.remove();
    const button = known ?? h("button", { class: "msg__edit", type: "button", onclick: () => this.#edit(row.key) }, icon("note"));
    button.title = this.words("edit.message");
    button.setAttribute("aria-label", this.words("edit.named", { text: short(row.text || row.attachment?.file_name) }));
    if (!known) node.append(button);
  }

  #edit(key) {
    const { messageId, text, attachment } = this.#rows.get(key);
    const save = (wanted) => this.actions.edit(messageId, wanted);
    openEditor({ node: this.#nodes.get(key), text, mayBeBlank: Boolean(attachment), words: this.words, save, explain: this.explain });
  }

  #mark(meta, row) {
    if (row.state === "failed") return meta.replaceChildren(...this.#failure(row));
    const shown = row.isLast || row.mark || row.editedAt;
    meta.hidden = !shown;
    const parts = [h("time", { datetime: row.at }, clock(row.at, this.words.language))];
    if (row.editedAt) parts.push(h("span", { class: "msg__edited", title: fullTime(row.editedAt, this.words.language) }, this.words("edit.done")));
    if (row.mark) parts.push(h("span", { class: "msg__state", data: { state: row.mark } }, STATE_ICON[row.mark]?.() ?? "", this.words(`state.${row.mark}`)));
    meta.replaceChildren(...(shown ? parts : []));
  }

  #failure(row) {
    const { words, actions } = this;
    const button = (key, act) => h("button", { type: "button", class: "msg__act", onclick: () => act(row.id) }, words(key));
    return [
      h("span", { class: "msg__error", role: "alert" }, icon("alert"), row.error || words("state.failed")),
      button("retry", actions.retry),
      button("discard", actions.discard),
    ];
  }
}

function short(text = "") {
  return text.length > NAMED_CHARACTERS ? `${text.slice(0, NAMED_CHARACTERS)}…` : text;
}

const STATE_ICON = {
  queued: () => icon("clock"),
  sending: () => icon("clock"),
  sent: () => icon("check"),
  delivered: () => icon("checks"),
  read: () => icon("checks"),
};
