/* The panel: an iframe of our origin, made on first intent, spoken to by postMessage with the origin checked both ways. */

let frame, tray, origin, lock, opening;
let isOpen = false, isReady = false, count = 0;

function prepare() {
  if (frame || !look) return;
  const wishes = new URLSearchParams({ language, theme });
  origin = new URL(look.panel_url, BASE).origin;
  frame = make("iframe", { allow: "autoplay; clipboard-write", src: `${look.panel_url}#${wishes}` });
  tray = make("div", { class: "p", role: "dialog" }, frame);
  root.append(tray);
  label();
  void tray.offsetWidth;
}

function tell(type, fields) {
  if (isReady) frame.contentWindow.postMessage({ irisx: 1, type, ...fields }, origin);
}

function introduce() {
  tell("init", { embed_token: look.embed_token, theme, language, kept: siteMemory.get("") || {}, ...said, ...pageNow() });
}

function hear(event) {
  const message = event.data;
  if (!frame || event.source !== frame.contentWindow || event.origin !== origin || !message || message.irisx !== 1) return;
  if (message.type === "panel.ready") settle();
  if (message.type === "close") close();
  if (message.type === "unread") unread(message.count);
  if (message.type === "message") preview(message);
  if (message.type === "keep") siteMemory.put("", message.values);
  if (message.type === "talk") siteMemory[message.isOn ? "put" : "drop"]("talk", 1);
  if (message.type === "embed_token.expired") load().then((found) => tell("token", { embed_token: found.embed_token }), complain);
}

function settle() {
  isReady = true;
  introduce();
  if (mustReset) tell("reset");
  mustReset = false;
  if (isOpen) seen();
}

/* Loading takes the focus out of a frame: it comes back unless the visitor has gone elsewhere meanwhile. */
function seen() {
  const isQuiet = opening.quiet || ![host, document.body, opening.before].includes(document.activeElement);
  if (!isQuiet) frame.focus();
  tell("opened", { quiet: isQuiet });
}

function preview({ name, text }) {
  bubbleUp(name, text);
  emit("message", { name, text });
}

function unread(number) {
  if (number === count) return;
  count = number;
  if (!count) dismiss();
  label();
  emit("unread", { count });
}

/* On a phone the panel is the whole page: what lies behind neither scrolls nor takes the focus. */
function cover(isCovering) {
  const { documentElement: page, body } = document;
  if (Boolean(lock) === isCovering) return;
  if (isCovering) {
    lock = [page.style.overflow, body.inert];
    page.style.overflow = "hidden";
    body.inert = true;
  } else {
    [page.style.overflow, body.inert] = lock;
    lock = null;
  }
  tray.setAttribute("aria-modal", isCovering);
}

/* iOS draws its keyboard over the page: the panel keeps to what is left of it. */
function fit() {
  if (!tray) return;
  const isCovering = isOpen && narrow.matches;
  const view = isCovering && window.visualViewport;
  cover(isCovering);
  const isWhole = !view || view.scale > 1.01;
  tray.style.top = isWhole ? "" : `${view.offsetTop}px`;
  tray.style.height = isWhole ? "" : `${view.height}px`;
}
