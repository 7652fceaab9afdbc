/** The files about to be sent, kept for each chat on its own, so that looking into another one loses nothing. */

import { h } from "../../ui/dom.js";
import { Tray } from "../tray.js";

const DEFAULT_MEGABYTES = 10;

export class Trays {
  #byChat = new Map();

  /** `send(id, file, options)`: promise of the attachment; `megabytesOf(id)`: the most a file may have; `onChange()`: what can be sent changed. */
  constructor({ words, send, megabytesOf, onChange }) {
    Object.assign(this, { words, send, megabytesOf, onChange });
  }

  of(id) {
    if (!this.#byChat.has(id)) this.#byChat.set(id, this.#make(id));
    return this.#byChat.get(id);
  }

  #make(id) {
    return new Tray({
      element: h("ul", { class: "tray", hidden: true }),
      words: this.words,
      maxMegabytes: this.megabytesOf(id) ?? DEFAULT_MEGABYTES,
      send: (file, options) => this.send(id, file, options),
      isReady: () => true,
      explain: ({ message }) => message,
      onChange: this.onChange,
    });
  }
}
