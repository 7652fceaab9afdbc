import { STRINGS, explain, own, speak, words } from "/static/chat/panel/words.js";
import { Disconnected, Problem } from "/static/ui/http.js";
import { equal } from "./assert.js";

const PLURAL = /\.(zero|one|two|few|many|other)$/;
const bases = (texts) => [...new Set(Object.keys(texts).map((key) => key.replace(PLURAL, "")))].sort();
const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([hole]) => hole).sort();
const launcherWords = async () => new Function(`${await (await fetch("/static/chat/launcher/words.js")).text()}; return WORDS;`)();

export function every_language_says_everything() {
  for (const [language, texts] of Object.entries(STRINGS)) equal(bases(texts), bases(STRINGS.en), language);
}

export function every_language_has_the_plurals_it_needs() {
  const counted = [...new Set(Object.keys(STRINGS.en).filter((key) => PLURAL.test(key)).map((key) => key.replace(PLURAL, "")))];
  for (const [language, texts] of Object.entries(STRINGS)) {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const base of counted) equal(Object.keys(texts).filter((key) => key.replace(PLURAL, "") === base).map((key) => key.split(".").pop()).sort(), [...forms].sort(), `${language} ${base}`);
  }
}

export function no_translation_loses_what_is_filled_in() {
  for (const [language, texts] of Object.entries(STRINGS))
    for (const [key, text] of Object.entries(texts)) if (key in STRINGS.en && !PLURAL.test(key)) equal(holes(text), holes(STRINGS.en[key]), `${language} ${key}`);
}

export async function the_launcher_speaks_the_same_languages() {
  const found = await launcherWords();
  equal(Object.keys(found).sort(), Object.keys(STRINGS).sort());
  for (const [language, texts] of Object.entries(found)) {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    equal(Object.keys(texts).sort(), ["close", "dismiss", "open", "panel", ...forms].sort(), language);
  }
}

export function a_companys_own_text_is_left_as_it_is() {
  speak("de");
  equal([own("Servus!", "greeting"), own(STRINGS.en.greeting, "greeting")], ["Servus!", STRINGS.de.greeting]);
  equal([words.code, words.direction], ["de", "ltr"]);
  speak("ar-EG");
  equal([words.code, words.language, words.direction], ["ar", "ar-EG", "rtl"]);
  speak("xx");
  equal(words.code, "en");
}

export function a_refusal_is_said_in_the_visitors_words() {
  speak("en");
  equal(explain(new Problem({ code: "blocked" }, 403)), STRINGS.en["error.blocked"]);
  equal(explain(new Problem({}, 429)), STRINGS.en["error.429"]);
  equal(explain(new Problem({ detail: "The colour is odd." }, 422)), "The colour is odd.");
  equal(explain(new Disconnected("x")), STRINGS.en["error.line"]);
}
