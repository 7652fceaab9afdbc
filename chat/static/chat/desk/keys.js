/** Keyboard shortcuts: single letters, never while one writes, never with a modifier. */

import { h } from "../../ui/dom.js";

const HELP = [
  ["move", ["J", "K"]],
  ["open", ["Enter"]],
  ["accept", ["A"]],
  ["reply", ["R"]],
  ["note", ["N"]],
  ["close", ["E"]],
  ["tabs", ["1", "2", "3", "4"]],
  ["back", ["Esc"]],
  ["help", ["?"]],
];

/** `acts`: key → function. `escape(isWriting)`: true when it did something. */
export function bindKeys({ acts, escape }) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const isWriting = event.target.matches("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") return void (escape(isWriting) && event.preventDefault());
    const isControl = event.target.matches("button, a") && (event.key === "Enter" || event.key.startsWith("Arrow"));
    const act = !isWriting && !isControl && acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act) event.preventDefault(), act();
  });
}

export function helpDialog(dialog, words) {
  const keys = HELP.map(([name, letters]) => h("div", { class: "keys__row" }, h("dt", {}, words(`key.${name}`)), h("dd", {}, letters.map((letter) => h("kbd", {}, letter)))));
  dialog.append(
    h("h2", { id: "keys-title" }, words("keysTitle")),
    h("dl", {}, keys),
    h("form", { method: "dialog" }, h("button", { class: "btn" }, words("done"))),
  );
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return () => dialog.showModal();
}
