/** The visitor's panel: puts its parts together, and answers what the launcher and the visitor's other tabs say. */

import { Bridge } from "./bridge.js";
import { paint } from "./brand.js";
import { visitorStore } from "./keep.js";
import { Person } from "./person.js";
import { Session } from "./session.js";
import { Sound } from "./sound.js";
import { View } from "./view.js";
import { explain, label, speak, words } from "./words.js";

const config = JSON.parse(document.getElementById("irisx-panel").textContent);
const wishes = new URLSearchParams(location.hash.slice(1));
speak(wishes.get("language"));
dress(wishes.get("theme"));

const bridge = new Bridge(config.session && config.widget_key);
bridge.greet();
const key = `irisx.${config.widget_key}`;
const store = await visitorStore(bridge);
const person = new Person({ store, key, bridge });
if (config.session) person.takeUp(config.session);
const sound = new Sound({ store, key });
const session = new Session({
  config,
  person,
  bridge,
  words,
  explain,
  on: {
    change: () => view.soon(),
    typing: (frame) => view.showTyping(frame),
    arrived,
    paused: (_, seconds) => view.say(words("paused", { count: Math.ceil(seconds) }), seconds),
    refused: (mistakes) => view.askAgain(mistakes),
  },
});
const view = new View({ config, session, person, bridge, sound });

/** Something new: whoever looks at it sees it; else the launcher shows it, and it rings. */
function arrived(message, seq) {
  view.typing.hide();
  if (view.isSeen) return;
  if (!view.isShown) bridge.tell("message", { name: message.sender_name, text: message.text || message.attachment?.file_name || "" });
  sound.ring(message.id, () => seq <= (session.talk?.marks.read ?? seq));
}

function dress(theme) {
  window.irisxTheme(theme || "auto");
  paint(config.primary_color);
}

const HEARD = {
  init({ theme, language, identity, attributes }) {
    dress(theme);
    if (language !== words.code) translate(language);
    HEARD.identify({ identity });
    if (attributes) HEARD.attributes({ attributes });
    session.visit();
  },
  page: () => session.visit(),
  kept: () => session.adopt(),
  opened: ({ quiet }) => view.opened(quiet),
  closed: () => view.closed(),
  identify: ({ identity }) => identity && quietly(session.identify(identity)),
  attributes: ({ attributes }) => quietly(person.describe(attributes)),
  language({ language }) {
    translate(language);
    quietly(session.speak(language));
  },
  reset: () => session.reset(),
};

function translate(language) {
  speak(language);
  view.translate();
}

/** What the page asked may be refused; that is for its developers to read, not for the visitor. */
function quietly(promise) {
  promise.catch((error) => console.warn(`IRISX: ${error.message}`)).then(() => view.soon());
}

label();
view.draw();
bridge.listen((message) => HEARD[message.type]?.(message));
session.resume().finally(() => view.beginToSpeak());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint(config.primary_color));
