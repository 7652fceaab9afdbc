/** A question that is asked once, in place: it stands before the composer, takes the focus, and gives it back. */

import { h } from "../../ui/dom.js";

/** `act()`: promise of what was agreed to; its refusal is shown. `done()`: the question has gone. */
export function ask({ place, words, question, yes, no, explain, act, done }) {
  place.querySelector(".ask")?.remove();
  const leave = () => (card.remove(), done());
  const text = h("p", { class: "ask__text", id: "ask-text" }, words(question));
  const agree = h("button", { class: "btn btn--primary", type: "button", onclick: agreed }, words(yes));
  const card = h(
    "div",
    { class: "ask", role: "alertdialog", "aria-labelledby": "ask-text", onkeydown: (event) => event.key === "Escape" && (event.preventDefault(), leave()) },
    text,
    h("button", { class: "btn", type: "button", onclick: leave }, words(no)),
    agree,
  );

  async function agreed() {
    agree.disabled = true;
    await act().then(leave, (refusal) => (text.textContent = explain(refusal)));
    agree.disabled = false;
  }

  place.prepend(card);
  agree.focus();
}
