/** A chat's labels: the chips one sees, the dialog one changes them in. */

import { h, icon } from "../../ui/dom.js";
import { openDialog } from "./dialog.js";
import { Picker } from "./picker.js";

const MOST_LETTERS = 40;

/** Return a label as a chip with the dot of its colour. */
export function chip(name, color) {
  return h("span", { class: "badge label" }, dot(color), name);
}

export function dot(color) {
  const node = h("span", { class: "label__dot" });
  if (color) node.style.setProperty("--label", color);
  return node;
}

/** `labels()`: those the chat has now; `set(names)`: promise that they are stored; `manage`: opens their own dialog, or null for who may not. */
export function openLabels({ words, catalogue, labels, set, manage }) {
  const find = (text) => found(catalogue.labels, labels(), text);
  const pick = async ({ name }) => {
    const has = labels();
    await set(has.includes(name) ? has.filter((one) => one !== name) : [...has, name]);
    if (!catalogue.labels.some((one) => one.name === name)) await catalogue.loadLabels();
    picker.field.value = "";
    picker.refresh();
  };
  const draw = (item) => [
    h("span", { class: "picker__check" }, item.isOn && icon("check")),
    dot(item.color),
    h("span", { class: "picker__text" }, item.id ? item.name : words("label.new", { name: item.name })),
  ];
  const picker = new Picker({ label: words("label.find"), placeholder: words("label.find"), find, draw, pick, nothing: () => words("label.none"), isMultiple: true });
  const acts = manage && h("div", { class: "dialog__acts" }, h("button", { class: "btn btn--quiet", type: "button", onclick: () => (dialog.close(), manage()) }, words("label.manage")));
  const dialog = openDialog({ title: words("labels"), words }, picker.element, acts);
}

function found(all, has, text) {
  const wanted = text.toLowerCase();
  const known = all.filter(({ name }) => name.toLowerCase().includes(wanted)).map((label) => ({ ...label, isOn: has.includes(label.name) }));
  const isNew = wanted && text.length <= MOST_LETTERS && !all.some(({ name }) => name.toLowerCase() === wanted);
  return isNew ? [...known, { name: text, color: "", isOn: false }] : known;
}
