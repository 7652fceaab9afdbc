/* What the page may ask of us: window.IRISX. */

const listeners = {};
let look, said = {}, mustReset = false, run = 0;
let language = languageOf(script.getAttribute("data-language"));
let theme = script.getAttribute("data-theme") || "auto";

function load() {
  return fetch(`${BASE}/v1/chat/widget/${encodeURIComponent(key)}`, { credentials: "omit" }).then((answer) => {
    if (answer.ok) return answer.json();
    throw new Error(`IRISX: the chat widget ${key} is not available here (${answer.status}).`);
  });
}

function complain(error) {
  console.warn(error.message);
}

/* A page that asks for it by itself must not lose the focus it has; who presses gets it. */
function reveal(quiet) {
  if (isOpen || !look) return;
  prepare();
  dismiss();
  isOpen = true;
  opening = { quiet, before: document.activeElement };
  root.classList.add("o");
  seen();
  fit();
  turned("open");
}

function open() {
  reveal(false);
}

function close() {
  if (!isOpen) return;
  const hadFocus = document.activeElement === host;
  isOpen = false;
  fit();
  root.classList.remove("o");
  tell("closed");
  if (hadFocus) focusBack(opening.before);
  turned("close");
}

function focusBack(before) {
  const isThere = before && before !== host && before !== document.body && before.isConnected;
  (isThere ? before : button).focus({ preventScroll: true });
}

function turned(name) {
  label();
  tabMemory.put("", name);
  emit(name, {});
}

function toggle() {
  isOpen ? close() : open();
}

function hide() {
  close();
  host.hidden = true;
}

function show() {
  host.hidden = false;
}

function identify(identity) {
  said.identity = identity;
  tell("identify", { identity });
}

function setAttributes(attributes) {
  said.attributes = { ...said.attributes, ...attributes };
  tell("attributes", { attributes });
}

function setLanguage(code) {
  language = languageOf(code);
  label();
  tell("language", { language });
}

/* Somebody signs out of the page: this browser forgets who they were and what was said. */
function reset() {
  close();
  said = {};
  for (const what of ["", "talk"]) siteMemory.drop(what), tabMemory.drop(what);
  unread(0);
  mustReset = !isReady;
  tell("reset");
  prepare();
}

function on(name, act) {
  (listeners[name] = listeners[name] || []).push(act);
  if (name === "ready" && look) act({});
}

function off(name, act) {
  listeners[name] = (listeners[name] || []).filter((other) => act && other !== act);
}

function emit(name, detail) {
  for (const act of listeners[name] || []) {
    try {
      act(detail);
    } catch (error) {
      console.error(error);
    }
  }
}

function greet() {
  const before = tabMemory.get("");
  if (siteMemory.get("talk")) afterLoad(prepare);
  if (before === "open" && !narrow.matches) return reveal(true);
  if (before || tabMemory.get("greeted")) return;
  const mine = run;
  setTimeout(() => mine === run && !isOpen && !tabMemory.get("") && greetNow(), look.auto_open_delay * 1000);
}

function greetNow() {
  tabMemory.put("greeted", 1);
  if (look.auto_open && !narrow.matches) reveal(true);
  else if (look.greeting_message && !siteMemory.get("talk")) bubbleUp("", look.greeting_message);
}

function afterLoad(act) {
  if (document.readyState === "complete") act();
  else addEventListener("load", act, { once: true });
}

/* Begin with a widget; with another key than before, the former one goes first. */
function begin() {
  const mine = ++run;
  if (look) close(), host.remove();
  look = frame = tray = null;
  isReady = false;
  count = 0;
  load().then((found) => {
    if (mine !== run) return;
    look = found;
    build();
    emit("ready", {});
    for (const call of asked.splice(0)) push(call);
    greet();
  }).catch(complain);
}

/* The tag may come again in a single-page application: the same key changes nothing, another one changes the widget. */
function attach(tag) {
  script = tag;
  const found = tag.getAttribute("data-widget-key");
  if (!found || found === key) return;
  key = found;
  said = {};
  begin();
}

const NEEDS_LOOK = { open, close, toggle, hide, show, identify, setAttributes, setLanguage, reset };
const api = { version: 1, on, off, push, attach };
for (const name in NEEDS_LOOK) api[name] = (...all) => (look ? NEEDS_LOOK[name](...all) : void asked.push([name, ...all]));

function push(call) {
  const [name, ...all] = call;
  if (typeof api[name] === "function") api[name](...all);
  else console.warn(`IRISX: there is no ${name}.`);
}

const asked = [...(Array.isArray(window.IRISX) ? window.IRISX : []), ...((window.IRISX && window.IRISX.q) || [])].map((call) => [...call]);
window.IRISX = api;
for (const call of asked.filter(([name]) => name === "on")) push(call);
asked.splice(0, asked.length, ...asked.filter(([name]) => name !== "on"));
addEventListener("message", hear);
addEventListener("storage", (event) => event.key === "irisx." + key && tell("kept", { kept: siteMemory.get("") || {} }));
dimness.addEventListener("change", () => look && paint());
for (const target of [window.visualViewport, narrow].filter(Boolean)) for (const name of ["resize", "scroll", "change"]) target.addEventListener(name, fit);
new MutationObserver(([{ target }]) => attach(target)).observe(script, { attributes: true, attributeFilter: ["data-widget-key"] });
begin();
