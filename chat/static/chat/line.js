/** The line's state in words: says nothing while a short break mends itself, and only what is true when it lasts. */

import { h } from "../ui/dom.js";

const PATIENCE_MILLISECONDS = 1500;

/** Return `draw(state)`; `retry` connects now. Shared by panel and desk. */
export function lineWatch({ element, words, retry }) {
  let timer = 0;
  let ticker = 0;
  let brokenAt = 0;
  let state = { name: "idle" };

  function draw(next) {
    state = next;
    const isFine = state.name === "live" || state.name === "idle";
    brokenAt = isFine ? 0 : brokenAt || Date.now();
    clearTimeout(timer);
    clearInterval(ticker);
    if (isFine) return (element.hidden = true);
    const patience = Math.max(0, brokenAt + PATIENCE_MILLISECONDS - Date.now());
    timer = setTimeout(tell, patience);
  }

  function tell() {
    write();
    ticker = setInterval(write, 1000);
  }

  function write() {
    const text = sentence(state, words);
    const shown = element.firstChild?.textContent;
    element.hidden = false;
    if (shown === text) return;
    const again = h("button", { type: "button", class: "line-state__act", onclick: retry }, words("retry"));
    element.replaceChildren(h("span", {}, text), ...(state.name === "waiting" ? [again] : []));
  }

  return draw;
}

function sentence(state, words) {
  if (state.name === "stopped") return words(state.reason === "signed-out" ? "signedOut" : "stopped");
  if (!navigator.onLine) return words("offline");
  const seconds = Math.ceil(((state.retryAt || 0) - Date.now()) / 1000);
  return state.name === "waiting" && seconds > 2 ? words("waiting", { seconds }) : words("reconnecting");
}
