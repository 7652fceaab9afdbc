/*
 * The IRISX chat widget: <script async src="https://…/widget.js" data-widget-key="cw_…"></script>
 * A button in a shadow root; the panel behind it is an iframe of our origin, made on first intent.
 * A page with a strict CSP needs script-src, connect-src and frame-src for our origin, nothing else.
 */
(function () {
  "use strict";
  var script = document.currentScript || document.querySelector("script[data-widget-key]");
  var asked = window.IRISX || [];
  if (!script || asked.version) return;
  asked = [].slice.call(asked);

  var KEY = script.getAttribute("data-widget-key");
  var THEME = script.getAttribute("data-theme") || "auto";
  var BASE = new URL(script.src, location.href).origin;
  var MEMORY = "irisx." + KEY;
  var LABELS = { open: "Open chat", close: "Close chat", unread: "unread", panel: "Chat" };
  var STYLE =
    ":host{all:initial;position:fixed;z-index:2147483000;inset:auto;display:block}" +
    "@media print{:host{display:none}}" +
    "*{box-sizing:border-box}[hidden]{display:none!important}" +
    ".b{position:fixed;display:grid;place-items:center;width:56px;height:56px;margin:0;padding:0;border:0;" +
    "border-radius:50%;background:var(--fill);color:var(--ink);cursor:pointer;-webkit-tap-highlight-color:transparent;" +
    "box-shadow:0 1px 3px rgb(20 20 40/18%),0 8px 24px rgb(20 20 40/22%);animation:i .28s cubic-bezier(.2,.9,.3,1.2);" +
    "transition:transform .16s ease,box-shadow .16s ease}" +
    ".b:hover{transform:scale(1.05)}.b:active{transform:scale(.96)}" +
    ".b:focus-visible{outline:3px solid var(--fill);outline-offset:3px}" +
    ".b svg{grid-area:1/1;width:28px;height:28px;fill:none;stroke:currentColor;stroke-width:1.7;stroke-linecap:round;" +
    "stroke-linejoin:round;transition:transform .2s ease,opacity .16s ease}" +
    ".b svg+svg{opacity:0;transform:rotate(-60deg) scale(.6)}" +
    ".o .b svg{opacity:0;transform:rotate(60deg) scale(.6)}.o .b svg+svg{opacity:1;transform:none}" +
    ".n{position:absolute;top:-3px;inset-inline-end:-3px;min-width:21px;height:21px;padding:0 6px;border-radius:11px;" +
    "border:2px solid #fff;background:#d92d33;color:#fff;font:600 11px/17px system-ui,sans-serif;text-align:center}" +
    ".p{position:fixed;width:392px;height:min(664px,calc(100dvh - 112px));border-radius:18px;overflow:hidden;" +
    "background:#fff;box-shadow:0 2px 8px rgb(20 20 40/10%),0 20px 60px rgb(20 20 40/24%);visibility:hidden;opacity:0;" +
    "transform:translateY(var(--lift)) scale(.98);transition:opacity .16s ease,transform .2s cubic-bezier(.2,.8,.2,1),visibility 0s .2s}" +
    ".d .p{background:#16161b}" +
    ".o .p{visibility:visible;opacity:1;transform:none;transition-delay:0s}" +
    ".p iframe{display:block;width:100%;height:100%;border:0;color-scheme:normal}" +
    ".bottom .b{bottom:max(20px,env(safe-area-inset-bottom))}.bottom .p{bottom:92px;--lift:14px}" +
    ".top .b{top:max(20px,env(safe-area-inset-top))}.top .p{top:92px;--lift:-14px}" +
    ".right .b,.right .p{right:20px}.left .b,.left .p{left:20px}" +
    "@media(max-width:480px){.p{inset:0!important;width:100%;height:100dvh;border-radius:0}.o .b{visibility:hidden}}" +
    "@media(prefers-reduced-motion:reduce){.b,.b svg,.p{animation:none;transition:none}}" +
    "@keyframes i{from{opacity:0;transform:scale(.6)}}";

  var look, origin, root, button, badge, frame, tray, host;
  var isOpen = false, isReady = false, count = 0, listeners = {};

  function load() {
    return fetch(BASE + "/v1/chat/widget/" + encodeURIComponent(KEY), { credentials: "omit" }).then(function (answer) {
      if (answer.ok) return answer.json();
      throw new Error("IRISX: the chat widget " + KEY + " is not available here (" + answer.status + ").");
    });
  }

  /* --- what stands on the page --- */

  function build(found) {
    look = found;
    origin = new URL(look.panel_url, BASE).origin;
    host = document.createElement("irisx-chat");
    var shadow = host.attachShadow({ mode: "open" });
    var sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];
    root = make("div", { class: look.widget_position.replace("-", " ") });
    var dark = THEME === "dark" || (THEME === "auto" && matchMedia("(prefers-color-scheme:dark)").matches);
    root.classList.toggle("d", dark);
    var colors = ground(look.primary_color);
    root.style.setProperty("--fill", colors[0]);
    root.style.setProperty("--ink", colors[1]);
    button = make("button", { class: "b", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false" });
    button.append(
      drawing("M12 4.2c4.9 0 8.8 3.2 8.8 7.300s-3.9 7.3-8.8 7.300c-.9 0-1.8-.1-2.7-.3L4.8 20l.8-3.700c-1.5-1.3-2.4-3-2.4-4.8 0-4.1 3.9-7.3 8.8-7.300z"),
      drawing("m6 9.5 6 6 6-6")
    );
    badge = make("span", { class: "n", "aria-hidden": "true", hidden: "" });
    button.append(badge);
    button.hidden = !look.show_launcher;
    ["pointerenter", "focus", "touchstart"].forEach(function (name) {
      button.addEventListener(name, prepare, { passive: true });
    });
    button.addEventListener("click", toggle);
    root.append(button);
    shadow.append(root);
    document.documentElement.append(host);
    label();
  }

  function make(tag, attributes) {
    var element = document.createElement(tag);
    for (var name in attributes) element.setAttribute(name, attributes[name]);
    return element;
  }

  function drawing(path) {
    var space = "http://www.w3.org/2000/svg";
    var svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    var line = document.createElementNS(space, "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  }

  /* The same rule as the panel's color.js: deepen the colour until white reads on it, or write dark on a light one. */
  function ground(hex) {
    var rgb = [1, 3, 5].map(function (at) { return parseInt(hex.slice(at, at + 2), 16); });
    if (whiteContrast(rgb) < 2.5) return [hex, "#14141e"];
    while (whiteContrast(rgb) < 4.5) rgb = rgb.map(function (value) { return Math.floor(value * 0.97); });
    return ["rgb(" + rgb + ")", "#fff"];
  }

  function whiteContrast(rgb) {
    var parts = rgb.map(function (value) {
      var part = value / 255;
      return part <= 0.04045 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
    });
    return 1.05 / (0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2] + 0.05);
  }

  function label() {
    var words = isOpen ? LABELS.close : LABELS.open + (count ? " (" + count + " " + LABELS.unread + ")" : "");
    button.setAttribute("aria-label", words);
    button.setAttribute("aria-expanded", String(isOpen));
    badge.hidden = !count || isOpen;
    badge.textContent = count > 9 ? "9+" : String(count);
  }

  /* --- the panel: an iframe of our origin, spoken to by postMessage with the origin checked both ways --- */

  function prepare() {
    if (frame || !look) return;
    tray = make("div", { class: "p", role: "dialog", "aria-label": look.name || LABELS.panel });
    frame = make("iframe", { title: LABELS.panel, allow: "clipboard-write", src: look.panel_url });
    tray.append(frame);
    root.append(tray);
    void tray.offsetWidth;
  }

  function tell(message) {
    if (isReady) frame.contentWindow.postMessage(Object.assign({ irisx: 1 }, message), origin);
  }

  function page() {
    return { page_url: location.href, page_title: document.title, referrer: document.referrer };
  }

  function introduce() {
    tell(Object.assign({ type: "init", embed_token: look.embed_token, theme: THEME, kept: kept() }, page()));
  }

  function hear(event) {
    if (!frame || event.source !== frame.contentWindow || event.origin !== origin) return;
    var message = event.data;
    if (!message || message.irisx !== 1) return;
    if (message.type === "panel.ready") settle();
    if (message.type === "close") close();
    if (message.type === "unread") unread(message.count);
    if (message.type === "message") emit("message", { text: message.text });
    if (message.type === "keep") keep(message.values);
    if (message.type === "conversation") remember(isOpen ? "open" : "kept");
    if (message.type === "embed_token.expired") load().then(function (found) { look = found; introduce(); }, console.warn);
  }

  function settle() {
    isReady = true;
    introduce();
    if (isOpen) tell({ type: "opened", quiet: document.activeElement !== host });
  }

  function unread(number) {
    if (number === count) return;
    count = number;
    label();
    emit("unread", { count: count });
  }

  /* --- what the page may ask --- */

  /* What opens by itself must not take the focus from what the visitor is doing. */
  function show(quiet) {
    if (isOpen) return;
    prepare();
    isOpen = true;
    root.classList.add("o");
    if (!quiet) frame.focus();
    tell(Object.assign({ type: "page" }, page()));
    tell({ type: "opened", quiet: quiet });
    settled("open");
  }

  function open() {
    if (look) show(false);
    else asked.push(["open"]);
  }

  function close() {
    if (!isOpen) return;
    isOpen = false;
    root.classList.remove("o");
    tell({ type: "closed" });
    if (document.activeElement === host) button.focus({ preventScroll: true });
    settled("close");
  }

  function settled(name) {
    label();
    if (recall()) remember(isOpen ? "open" : "kept");
    emit(name, {});
  }

  function toggle() {
    if (isOpen) close();
    else open();
  }

  function on(name, act) {
    (listeners[name] = listeners[name] || []).push(act);
    if (name === "ready" && look) act({});
  }

  function emit(name, detail) {
    (listeners[name] || []).forEach(function (act) {
      try { act(detail); } catch (error) { console.error(error); }
    });
  }

  /* For this tab only: whether a conversation was under way, so that the next page of the site shows it again. */
  function recall() {
    try { return sessionStorage.getItem(MEMORY); } catch (refused) { return null; }
  }

  function remember(value) {
    try { sessionStorage.setItem(MEMORY, value); } catch (refused) { /* the visitor refuses storage: nothing to keep */ }
  }

  /* For a panel whose browser refuses it storage of its own: its session, on this site's origin. */
  function keep(values) {
    try { localStorage.setItem(MEMORY, JSON.stringify(values)); } catch (refused) { /* as above */ }
  }

  function kept() {
    try { return JSON.parse(localStorage.getItem(MEMORY)) || {}; } catch (refused) { return {}; }
  }

  var api = { version: 1, open: open, close: close, toggle: toggle, on: on, push: push };

  function push(call) {
    var act = api[call[0]];
    if (!act) return console.warn("IRISX: there is no " + call[0] + ".");
    act.apply(null, [].slice.call(call, 1));
  }

  window.IRISX = api;
  asked.filter(function (call) { return call[0] === "on"; }).forEach(push);
  window.addEventListener("message", hear);
  load().then(function (found) {
    build(found);
    emit("ready", {});
    asked.filter(function (call) { return call[0] !== "on"; }).forEach(push);
    var before = recall();
    if (before) prepare();
    if (before === "open" && innerWidth > 480) show(true);
    else if (look.auto_open && !before) setTimeout(show, look.auto_open_delay * 1000, true);
  }).catch(function (error) { console.warn(error.message); });
})();
