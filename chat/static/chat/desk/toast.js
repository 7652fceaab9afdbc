/** A short word at the bottom of the page that goes by itself and is read out; inside an open dialog, beside which the page is mute. */

import { h } from "../../ui/dom.js";

const SHOWN_MILLISECONDS = 6000;
const place = h("div", { class: "toasts", role: "status", "aria-live": "polite" });

export function notify(text) {
  (document.querySelector("dialog[open]") ?? document.body).append(place);
  const toast = h("p", { class: "toast" }, text);
  place.append(toast);
  setTimeout(() => toast.remove(), SHOWN_MILLISECONDS);
}
