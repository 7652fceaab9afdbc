/** Mending a message where it stands: its bubble gives way to a field. Enter saves, Escape leaves everything as it was. */

import { h } from "../ui/dom.js";

/** `node`: the message's row; `save(text)`: promise of the new text shown; its refusal is said by `explain(error)`. */
export function openEditor({ node, text, mayBeBlank, words, save, explain }) {
  if (node.querySelector(".edit")) return;
  const opener = document.activeElement;
  const field = h("textarea", { class: "edit__field", rows: 1, maxlength: 5000, dir: "auto", "aria-label": words("edit.field") });
  const error = h("p", { class: "edit__error", role: "alert", hidden: true });
  const submit = h("button", { class: "btn btn--primary" }, words("edit.save"));
  const cancel = h("button", { class: "btn", type: "button", onclick: leave }, words("edit.cancel"));
  const form = h("form", { class: "edit", onsubmit: keep, onkeydown: press }, field, error, h("div", { class: "edit__acts" }, cancel, submit));

  function fit() {
    field.style.blockSize = "auto";
    field.style.blockSize = `${field.scrollHeight + 2}px`;
    submit.disabled = !field.value.trim() && !mayBeBlank;
  }

  function press(event) {
    if (event.key === "Escape") return void (event.preventDefault(), leave());
    if (event.key !== "Enter" || event.target !== field || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (!submit.disabled) form.requestSubmit();
  }

  async function keep(event) {
    event.preventDefault();
    const wanted = field.value.trim();
    if (wanted === text) return leave();
    submit.disabled = true;
    error.hidden = true;
    try {
      await save(wanted);
      leave();
    } catch (refusal) {
      error.textContent = explain(refusal);
      error.hidden = false;
      submit.disabled = false;
    }
  }

  function leave() {
    form.remove();
    node.classList.remove("msg--editing");
    if (opener?.isConnected) opener.focus();
  }

  field.value = text;
  field.addEventListener("input", fit);
  node.classList.add("msg--editing");
  node.querySelector(".msg__body").append(form);
  fit();
  field.focus();
  field.setSelectionRange(text.length, text.length);
  form.scrollIntoView({ block: "nearest" });
}
