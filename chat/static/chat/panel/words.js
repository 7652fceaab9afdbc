/** The panel's words in the visitor's language, which may change while it stands. */

import { translator } from "../../ui/i18n.js";
import { ar } from "./strings/ar.js";
import { de } from "./strings/de.js";
import { en } from "./strings/en.js";
import { es } from "./strings/es.js";

export const STRINGS = { en, de, es, ar };

let current = translator(STRINGS);

/** Return the text of a key; `words.code` (`en`), `words.language` (`en-GB`) and `words.direction` belong to it. */
export function words(key, values) {
  return current(key, values);
}

Object.defineProperties(words, {
  code: { get: () => current.code },
  language: { get: () => current.language },
  direction: { get: () => current.direction },
});

export function speak(language) {
  current = translator(STRINGS, language || undefined);
}

/** A text of the company's own, or, where it is still the one we ship, its translation. */
export function own(text, key) {
  return text === en[key] ? words(key) : text;
}

/** What is said of a refusal: by its code, by its status, else in the server's own words. */
export function explain(error) {
  if (error.status === 404 && error.body.errors?.some(({ pointer }) => pointer === "/attachment_id")) return words("error.fileGone");
  const known = [error.code, error.status].map((name) => `error.${name}`).find((key) => key in en);
  if (known) return words(known);
  return error.status ? error.message : words("error.line");
}

/** Put the words into the page's standing elements: as their text, or as the name of those marked `data-name`. */
export function label(root = document) {
  document.documentElement.lang = words.language;
  document.documentElement.dir = words.direction;
  for (const element of root.querySelectorAll("[data-word]")) {
    const text = words(element.dataset.word);
    if (!("named" in element.dataset)) element.textContent = text;
    else element.setAttribute("aria-label", text);
    if (element.matches("button[data-named]")) element.title = text;
  }
}
