/** What is asked before the first message: the widget's own fields, and an e-mail address where one is needed. */

import { h } from "../../ui/dom.js";
import { explain, words } from "./words.js";

const LONGEST = { text: 200, email: 254, phone: 40, textarea: 2000 };
const KINDS = { text: ["text", "on"], email: ["email", "email"], phone: ["tel", "tel"] };
const LOOKS_RIGHT = { email: /^[^\s@]+@[^\s@]+\.[^\s@]+$/u, phone: /^\+?[\d\s()./-]{5,}$/u };
const EMAIL = "visitor_email";

/** Return what is still to be asked of this person. */
export function questionsFor({ config, person }) {
  if (person.saved.has_answered) return [];
  const fields = config.pre_chat_fields ?? [];
  const asksEmail = fields.some(({ type }) => type === "email");
  if (asksEmail || person.email || !config.require_email) return fields;
  return [emailField(), ...fields];
}

function emailField() {
  return { key: EMAIL, type: "email", label: words("email"), required: true };
}

/** Return the form that asks where an answer may go; `onGiven(email)`: a promise, whose refusal is shown. */
export function emailCard({ onGiven }) {
  const card = questionCard({ title: "offlineAsk", fields: [emailField()], onAnswered: ({ visitor_email }) => onGiven(visitor_email) });
  card.classList.add("before--slim");
  return card;
}

/** Return the form; `onAnswered({visitor_email, pre_chat})`. `mistakes` is what the server said: `[{pointer, detail}]`. */
export function questionCard({ title = "beforeAsk", fields, answers = {}, mistakes = [], onAnswered }) {
  const asked = fields.map((field) => new Question(field, answers));
  const card = h(
    "form",
    { class: "before", novalidate: true, "aria-labelledby": "before-title", onsubmit: (event) => (event.preventDefault(), submit()) },
    h("h2", { class: "before__title", id: "before-title" }, words(title)),
    asked.map(({ node }) => node),
    h("button", { class: "btn btn--primary btn--wide" }, words("continue")),
  );
  for (const question of asked) question.complain(mistakes.find(({ pointer }) => pointer?.endsWith(`/${question.field.key}`))?.detail ?? "");

  function submit() {
    for (const question of asked) question.complain(question.mistake());
    const wrong = asked.find(({ isWrong }) => isWrong);
    if (wrong) return wrong.input.focus();
    const given = asked.filter(({ value }) => value !== "");
    const email = given.find(({ field }) => field.type === "email")?.value;
    const answered = onAnswered({ visitor_email: email, pre_chat: Object.fromEntries(given.filter(({ field }) => field.key !== EMAIL).map(({ field, value }) => [field.key, value])) });
    answered?.catch((refusal) => asked[0].complain(explain(refusal)));
  }
  return card;
}

class Question {
  constructor(field, answers) {
    this.field = field;
    this.id = `before-${field.key}`;
    this.input = this.#input(answers[field.key] ?? "");
    this.error = h("p", { class: "field__error", id: `${this.id}-error`, hidden: true });
    this.node = field.type === "checkbox" ? this.#tick() : this.#field();
    this.input.addEventListener("input", () => this.isWrong && this.complain(this.mistake()));
  }

  get value() {
    return this.field.type === "checkbox" ? this.input.checked : this.input.value.trim();
  }

  mistake() {
    const { type, required } = this.field;
    const { value } = this;
    if (required && !value) return words(type === "checkbox" ? "wrong.checkbox" : "wrong.required");
    if (value && LOOKS_RIGHT[type] && !LOOKS_RIGHT[type].test(value)) return words(`wrong.${type}`);
    return value.length > LONGEST[type] ? words("wrong.long") : "";
  }

  complain(text) {
    this.isWrong = Boolean(text);
    this.error.hidden = !text;
    this.error.textContent = text;
    this.input.setAttribute("aria-invalid", String(this.isWrong));
    if (text) this.input.setAttribute("aria-describedby", this.error.id);
    else this.input.removeAttribute("aria-describedby");
  }

  #input(value) {
    const { type, key, required, options = [] } = this.field;
    const common = { class: "input", id: this.id, name: key, required };
    if (type === "textarea") return h("textarea", { ...common, rows: 3, dir: "auto" }, value);
    if (type === "checkbox") return h("input", { ...common, class: "before__box", type: "checkbox", checked: value === true });
    if (type === "select") return h("select", common, ["", ...options].map((option) => h("option", { value: option, selected: option === value }, option || words("choose"))));
    const [kind, autocomplete] = KINDS[type] ?? KINDS.text;
    return h("input", { ...common, type: kind, autocomplete, value, placeholder: type === "email" ? words("emailPlaceholder") : null, dir: type === "text" ? "auto" : "ltr" });
  }

  #field() {
    const { label, required } = this.field;
    const note = required ? null : h("span", { class: "field__hint" }, ` (${words("optional")})`);
    return h("div", { class: "field" }, h("label", { class: "field__label", for: this.id }, h("bdi", {}, label), note), this.input, this.error);
  }

  #tick() {
    return h("div", { class: "field" }, h("label", { class: "before__tick" }, this.input, h("span", { dir: "auto" }, this.field.label)), this.error);
  }
}
