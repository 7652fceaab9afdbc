/** Tells an agent who looks elsewhere that somebody needs them: by a notification, by a sound, each as they chose. */

import { h, icon } from "../../ui/dom.js";
import { nameOf } from "./names.js";

const PAUSE_MILLISECONDS = 1500;
const WAIT_MILLISECONDS = 250;
const JITTER_MILLISECONDS = 250;
const NOTES = [
  [0, 660],
  [0.14, 880],
];

export class Alerts {
  #audio = null;

  /** `isWatched()`: somebody looks at this page; `open(id)`: a notification was clicked. */
  constructor({ element, words, store, inbox, me, isWatched, open }) {
    Object.assign(this, { words, store, inbox, me, isWatched, open });
    this.choice = { notify: false, sound: true, ...store.get(this.#key("alerts")) };
    this.items = Object.fromEntries(["notify", "sound"].map((name) => [name, this.#item(name)]));
    this.menu = h("div", { class: "menu", role: "menu", "aria-label": words("alerts"), hidden: true, onkeydown: (event) => this.#pressed(event) }, Object.values(this.items));
    this.button = h("button", { class: "btn btn--quiet btn--icon", type: "button", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": words("alerts"), title: words("alerts"), onclick: () => this.#show(this.menu.hidden) }, icon("bell"));
    element.append(this.button, this.menu);
    document.addEventListener("click", (event) => element.contains(event.target) || this.#show(false, false));
    this.#draw();
  }

  /** A row changed; tell it if it is ours to answer and nobody looks at a desk of ours. */
  news(row, before) {
    const text = this.inbox.state === "ready" && this.#occasion(row, before);
    if (!text) return;
    if (this.isWatched()) return this.#noteSeen();
    setTimeout(() => this.#tell(row, text), WAIT_MILLISECONDS + Math.random() * JITTER_MILLISECONDS);
  }

  #occasion(row, before) {
    const { words, inbox } = this;
    const name = nameOf(row, words);
    const isNewHere = !before || inbox.tabOf(before) !== inbox.tabOf(row) || before.assigned_at !== row.assigned_at;
    const last = row.last_message?.sender_type === "visitor" ? row.last_message.text || row.last_message.file_name : "";
    if (inbox.isOffer(row) && isNewHere) return { title: words("alert.offer", { name }), body: last };
    if (inbox.tabOf(row) === "waiting" && isNewHere) return { title: words("alert.waiting", { name }), body: last };
    const hasNewWord = row.unread_count > (before?.unread_count ?? 0) && last;
    return inbox.tabOf(row) === "mine" && hasNewWord ? { title: name, body: last } : null;
  }

  /** Another tab may have been looking, or was first to tell: then once is enough. */
  #tell(row, { title, body }) {
    const told = this.store.get(this.#key("told")) ?? 0;
    if (Math.abs(Date.now() - told) < PAUSE_MILLISECONDS) return;
    this.#noteSeen();
    if (this.choice.sound) this.#ring();
    if (this.choice.notify && globalThis.Notification?.permission === "granted") this.#notify(row, title, body);
  }

  #noteSeen() {
    this.store.put(this.#key("told"), Date.now());
  }

  #notify(row, title, body) {
    const shown = new Notification(title, { body, tag: row.id });
    shown.onclick = () => (window.focus(), this.open(row.id), shown.close());
  }

  #ring() {
    this.#audio ??= new AudioContext();
    const { currentTime } = this.#audio;
    for (const [after, frequency] of NOTES) {
      const tone = new OscillatorNode(this.#audio, { frequency });
      const loudness = new GainNode(this.#audio, { gain: 0 });
      loudness.gain.setValueAtTime(0.12, currentTime + after);
      loudness.gain.exponentialRampToValueAtTime(0.001, currentTime + after + 0.25);
      tone.connect(loudness).connect(this.#audio.destination);
      tone.start(currentTime + after);
      tone.stop(currentTime + after + 0.3);
    }
  }

  #item(name) {
    return h("button", { class: "menu__item", type: "button", role: "menuitemcheckbox", tabindex: -1, onclick: () => this.#toggle(name) }, h("span", { class: "menu__check" }, icon("check")), this.words(`alerts.${name}`));
  }

  /** Permission is asked for here, on a click, and nowhere else. */
  async #toggle(name) {
    this.choice[name] = !this.choice[name];
    if (name === "notify" && this.choice.notify) this.choice.notify = (await globalThis.Notification?.requestPermission()) === "granted";
    if (name === "sound" && this.choice.sound) this.#ring();
    this.store.put(this.#key("alerts"), this.choice);
    this.#draw();
  }

  #draw() {
    for (const [name, item] of Object.entries(this.items)) item.setAttribute("aria-checked", String(this.choice[name]));
    this.items.notify.title = globalThis.Notification?.permission === "denied" ? this.words("alerts.denied") : "";
  }

  #show(isShown, andFocus = true) {
    if (this.menu.hidden !== isShown) return;
    this.menu.hidden = !isShown;
    this.button.setAttribute("aria-expanded", String(isShown));
    if (andFocus) (isShown ? this.items.notify : this.button).focus();
  }

  #pressed(event) {
    if (event.key === "Tab") return this.#show(false, false);
    const isStep = event.key === "ArrowDown" || event.key === "ArrowUp";
    if (!isStep && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return this.#show(false);
    (document.activeElement === this.items.notify ? this.items.sound : this.items.notify).focus();
  }

  #key(name) {
    return `irisx.desk.${name}.${this.me.id}`;
  }
}
