/* What stands on the page: a button with its badge, and beside it a bubble that greets or shows what was just said. */

const BUBBLE = "M12 4.2c4.9 0 8.8 3.2 8.8 7.3s-3.9 7.3-8.8 7.3c-.9 0-1.8-.1-2.7-.3L4.8 20l.8-3.7c-1.5-1.3-2.4-3-2.4-4.8 0-4.1 3.9-7.3 8.8-7.3z";
const dimness = matchMedia("(prefers-color-scheme:dark)");
const narrow = matchMedia("(max-width:480px)");

let host, root, button, badge, bubble;

function build() {
  host = document.createElement("irisx-chat");
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  shadow.adoptedStyleSheets = [sheet];
  badge = make("span", { class: "n", "aria-hidden": "true", hidden: "" });
  button = make("button", { class: "b", type: "button", "aria-haspopup": "dialog" }, drawing(BUBBLE), drawing("m6 9.5 6 6 6-6"), badge);
  for (const name of ["pointerenter", "focus", "touchstart"]) button.addEventListener(name, prepare, { passive: true });
  button.addEventListener("click", toggle);
  bubble = make("div", { class: "g", "aria-live": "polite" });
  root = make("div", { class: (script.getAttribute("data-position") || look.widget_position).replace("-", " ") }, button, bubble);
  root.addEventListener("keydown", (event) => event.key === "Escape" && (isOpen ? close() : dismiss()));
  shadow.append(root);
  document.documentElement.append(host);
  paint();
  label();
}

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  element.append(...children);
  return element;
}

function drawing(path) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

function paint() {
  const isDark = theme === "dark" || (theme === "auto" && dimness.matches);
  const [fill, ink] = ground(look.primary_color);
  const [paper, text] = PAPERS[isDark ? "dark" : "light"];
  const colors = { fill, ink, paper, text, ring: isDark ? "#fff" : "#14141e" };
  for (const name in colors) root.style.setProperty("--" + name, colors[name]);
}

function label() {
  const words = WORDS[language];
  root.dir = language === "ar" ? "rtl" : "ltr";
  root.lang = language;
  button.hidden = !look.show_launcher;
  button.setAttribute("aria-label", isOpen ? words.close : words.open + (count ? ` (${unreadWords(count)})` : ""));
  button.setAttribute("aria-expanded", isOpen);
  badge.hidden = !count || isOpen;
  badge.textContent = count > 9 ? "9+" : count;
  if (frame) frame.title = words.panel;
  if (tray) tray.setAttribute("aria-label", look.name || words.panel);
}

/* Text as text. A press opens the chat, the cross puts the bubble away. */
function bubbleUp(name, text) {
  if (isOpen || !look.show_launcher) return;
  const words = make("button", { class: "t", type: "button", dir: "auto" }, ...(name ? [make("b", {}, name)] : []), make("span", {}, text));
  const cross = make("button", { class: "x", type: "button", "aria-label": WORDS[language].dismiss }, drawing("M6.5 6.5l11 11M17.5 6.5l-11 11"));
  words.addEventListener("click", open);
  cross.addEventListener("click", () => (dismiss(), button.focus()));
  bubble.replaceChildren(words, cross);
}

function dismiss() {
  bubble.replaceChildren();
}
