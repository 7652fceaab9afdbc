/** What follows a closed conversation: five stars, a comment, thanks. Radio buttons underneath, so every key works. */

import { h, icon } from "../../ui/dom.js";

/** Return the card; `onRate(rating, feedback)` is a promise, whose refusal is shown and may be tried again; `onGrow()`. */
export function ratingCard({ words, explain, onRate, onGrow }) {
  const label = h("p", { class: "rate__word", "aria-live": "polite" });
  const comment = h("textarea", { class: "input rate__comment", rows: 2, maxlength: 2000, "aria-label": words("rateComment"), placeholder: words("rateComment") });
  const error = h("p", { class: "field__error", role: "alert" });
  const button = h("button", { class: "btn btn--primary" }, words("rateSend"));
  const more = h("div", { class: "rate__more", hidden: true }, comment, error, button);
  const chosen = () => Number(card.elements.rating.value);
  const card = h(
    "form",
    {
      class: "rate",
      onchange: () => (more.hidden = !chosen(), label.textContent = words(`rate.${chosen()}`), onGrow()),
      onsubmit: (event) => (event.preventDefault(), submit()),
    },
    h("fieldset", { class: "rate__stars" }, h("legend", {}, words("rateAsk")), [1, 2, 3, 4, 5].map((value) => star(value, words))),
    label,
    more,
  );

  async function submit() {
    button.disabled = true;
    error.textContent = "";
    await onRate(chosen(), comment.value.trim()).catch((refusal) => (error.textContent = explain(refusal)));
    button.disabled = false;
  }
  return card;
}

function star(value, words) {
  return h(
    "label",
    { class: "rate__star" },
    h("input", { class: "rate__input", type: "radio", name: "rating", value, "aria-label": words(`rate.${value}`) }),
    icon("star"),
  );
}

export function ratedCard({ words, rating }) {
  const stars = [1, 2, 3, 4, 5].map((value) => h("span", { class: "rate__star", data: { on: value <= rating } }, icon("star")));
  return h(
    "div",
    { class: "rate rate--done", role: "status" },
    h("div", { class: "rate__row", "aria-hidden": "true" }, stars),
    h("p", { class: "sr" }, words("rateGiven", { rating })),
    h("p", {}, words("rateThanks")),
  );
}
