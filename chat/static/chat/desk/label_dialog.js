/** Labels as they are kept: each with its colour and a way to delete it. */

import { h, icon } from "../../ui/dom.js";
import { ask, openDialog } from "./dialog.js";

/** `catalogue`: keeps them; `attempt(run)`: runs what may be refused, and says so. */
export function openLabelList({ words, catalogue, attempt }) {
  const list = h("ul", { class: "kept" });
  const paint = (label, color) => attempt(() => catalogue.paint(label, color)).then(draw);
  const drop = async (label) => {
    const isSure = await ask({ title: words("label.drop", label), text: words("label.dropText"), yes: words("discard"), words, isDangerous: true });
    if (isSure) await attempt(() => catalogue.dropLabel(label));
    draw();
  };
  function draw() {
    const rows = catalogue.labels.map((label) => kept(label, words, { paint, drop }));
    list.replaceChildren(...(rows.length ? rows : [h("li", { class: "muted kept__none" }, words("label.none"))]));
  }
  draw();
  openDialog({ title: words("label.manage"), words }, list);
}

function kept(label, words, { paint, drop }) {
  return h(
    "li",
    { class: "kept__row" },
    h("input", { class: "label__paint", type: "color", value: label.color, "aria-label": words("label.color", label), onchange: (event) => paint(label, event.target.value) }),
    h("span", { class: "kept__body" }, label.name),
    h("button", { class: "btn btn--quiet btn--icon", type: "button", "aria-label": words("label.delete", label), onclick: () => drop(label) }, icon("trash")),
  );
}
