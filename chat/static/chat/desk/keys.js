/** Keyboard shortcuts: single letters, never while one writes; with a modifier only Ctrl or ⌘ and K. */

import { h } from "../../ui/dom.js";
import { openDialog } from "./dialog.js";

const HELP = [
  ["move", ["J", "K"]],
  ["open", ["Enter"]],
  ["accept", ["A"]],
  ["reply", ["R"]],
  ["note", ["N"]],
  ["canned", ["/"]],
  ["label", ["L"]],
  ["transfer", ["T"]],
  ["close", ["E"]],
  ["reopen", ["O"]],
  ["search", ["S", "Ctrl K"]],
  ["tabs", ["1", "2", "3", "4"]],
  ["back", ["Esc"]],
  ["help", ["?"]],
];

/** `acts`: key → function. `search()`: for Ctrl K, which works while one writes too. `escape(isWriting)`: true when it did something. */
export function bindKeys({ acts, search, escape }) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") return void (event.preventDefault(), search());
    if (event.ctrlKey || event.metaKey) return;
    // A dialog that has just closed keeps the focus for a moment, when nothing had it before.
    const isWriting = event.target.matches("input, textarea, select, [contenteditable]") && !event.target.closest("dialog");
    if (event.key === "Escape") return void (escape(isWriting) && event.preventDefault());
    const isControl = event.target.matches("button, a") && (event.key === "Enter" || event.key.startsWith("Arrow"));
    const act = !isWriting && !isControl && acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act) event.preventDefault(), act();
  });
}

export function openHelp(words) {
  const row = ([name, letters]) => h("div", { class: "keys__row" }, h("dt", {}, words(`key.${name}`)), h("dd", {}, letters.map((letter) => h("kbd", {}, letter))));
  openDialog({ title: words("keysTitle"), words }, h("dl", { class: "keys" }, HELP.map(row)));
}
