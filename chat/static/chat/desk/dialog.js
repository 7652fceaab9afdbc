/** Dialogs: made when asked for, gone when closed; the browser keeps the focus inside and gives it back. */

import { h, icon } from "../../ui/dom.js";

let count = 0;

/** Open a dialog with a title; return it. `look` is one more class; `onClose()` runs when it has gone. */
export function openDialog({ title, words, look = "", onClose = () => {} }, ...content) {
  const id = `dialog-${(count += 1)}`;
  const close = h("button", { class: "btn btn--quiet btn--icon dialog__close", type: "button", "aria-label": words("dismiss"), onclick: () => dialog.close() }, icon("x"));
  const head = h("header", { class: "dialog__head" }, h("h2", { id }, title), close);
  const dialog = h("dialog", { class: `dialog ${look}`, "aria-labelledby": id }, head, content.filter(Boolean));
  const isOutside = (event) => event.target === dialog;
  let beganOutside = false;
  dialog.addEventListener("pointerdown", (event) => (beganOutside = isOutside(event)));
  dialog.addEventListener("click", (event) => beganOutside && isOutside(event) && dialog.close());
  dialog.addEventListener("close", () => (dialog.remove(), onClose()));
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Ask yes or no; a promise of the answer. */
export function ask({ title, text, yes, words, isDangerous = false }) {
  return new Promise((resolve) => {
    const answer = (value) => () => ((dialog.returnValue = value), dialog.close());
    const acts = h(
      "div",
      { class: "dialog__acts" },
      h("button", { class: "btn", type: "button", autofocus: true, onclick: answer("") }, words("cancel")),
      h("button", { class: isDangerous ? "btn btn--danger" : "btn btn--primary", type: "button", onclick: answer("yes") }, yes),
    );
    const dialog = openDialog({ title, words, look: "dialog--small", onClose: () => resolve(dialog.returnValue === "yes") }, h("p", { class: "muted" }, text), acts);
  });
}

/**
 * A form in a dialog: `save(values)` may refuse (its words appear at the field it points at, else below), or close it.
 * `fields`: nodes with names; `acts`: further buttons beside Save.
 */
export function openForm({ title, words, yes, save, fields, acts = [] }) {
  const error = h("p", { class: "field__error", role: "alert", hidden: true });
  const submit = h("button", { class: "btn btn--primary" }, yes);
  const form = h("form", { class: "dialog__form", novalidate: true }, fields, error, h("div", { class: "dialog__acts" }, acts, submit));
  const dialog = openDialog({ title, words }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      await save(Object.fromEntries(new FormData(form)));
      dialog.close();
    } catch (problem) {
      refuse(form, error, problem);
    }
    submit.disabled = false;
  });
  return dialog;
}

function refuse(form, error, problem) {
  const name = (problem.body?.errors?.[0]?.pointer || "").slice(1);
  for (const field of form.elements) field.removeAttribute("aria-invalid");
  const field = name && form.elements[name];
  field?.setAttribute?.("aria-invalid", "true");
  error.hidden = false;
  error.textContent = problem.message;
  field?.focus?.();
}

/** A labelled field, with a hint that is read after its name. */
export function field(label, input, hint = "") {
  input.id = `field-${(count += 1)}`;
  const about = hint && h("p", { class: "field__hint", id: `${input.id}-hint` }, hint);
  if (about) input.setAttribute("aria-describedby", about.id);
  return h("div", { class: "field" }, h("label", { class: "field__label", for: input.id }, label), input, about);
}
