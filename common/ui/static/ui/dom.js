/** The few DOM helpers every page shares. Text goes in as text: nothing here parses HTML. */

const SPRITE = new URL("./icons.svg", import.meta.url).href;
const SVG = "http://www.w3.org/2000/svg";

/** Build an element: `h("button", {class: "btn", onclick: save}, icon("check"), "Save")`. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "data") Object.assign(element.dataset, value);
  else element.setAttribute(name, value === true ? "" : value);
}

/** Return one icon of the sprite; decoration unless it is given a label. */
export function icon(name, label = "") {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  if (label) svg.setAttribute("role", "img");
  svg.setAttribute(label ? "aria-label" : "aria-hidden", label || "true");
  use.setAttribute("href", `${SPRITE}#${name}`);
  svg.append(use);
  return svg;
}

/** Write text only when it changed, so that a quiet page stays quiet for the renderer and the screen reader. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function initials(name) {
  const words = (name || "").trim().split(/\s+/).filter(Boolean);
  if (!words.length) return "?";
  const first = [...words[0]][0];
  const last = words.length > 1 ? [...words[words.length - 1]][0] : "";
  return (first + last).toUpperCase();
}

/** One of eight hues, always the same for the same person. */
export function hue(seed) {
  let sum = 0;
  for (const letter of seed || "") sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return sum % 8;
}

export function avatar(name, seed = name, size = "") {
  return h("span", { class: `avatar ${size}`, "aria-hidden": "true", data: { hue: hue(seed) } }, initials(name));
}

const LINK = /\b(?:https?:\/\/|mailto:)[^\s<>"']+/giu;
const TAIL = /[.,;:!?)\]}]+$/u;

/** Return the text as nodes, with http, https and mailto addresses as links and everything else as plain text. */
export function linked(text) {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    const address = trimmed(found[0]);
    nodes.push(text.slice(from, found.index), anchor(address));
    from = found.index + address.length;
  }
  return [...nodes, text.slice(from)].filter((node) => node !== "");
}

function trimmed(address) {
  const bare = address.replace(TAIL, "");
  return bare.includes("(") && address.startsWith(`${bare})`) ? `${bare})` : bare;
}

function anchor(address) {
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, address);
}

/**
 * Make the container's children equal to `keys`, reusing the node of each key: `make(key)` builds a new one,
 * `refresh(node, key)` brings a kept one up to date. Moves as few nodes as one pass can know.
 */
export function reconcile(container, nodes, keys, make, refresh) {
  const wanted = new Set(keys);
  for (const [key, node] of nodes) if (!wanted.has(key)) (node.remove(), nodes.delete(key));
  let cursor = container.firstElementChild;
  for (const key of keys) {
    const known = nodes.get(key);
    const node = known || make(key);
    if (known) refresh(known, key);
    else nodes.set(key, node);
    if (node === cursor) cursor = cursor.nextElementSibling;
    else if (cursor && cursor.nextElementSibling === node) cursor = node.nextElementSibling;
    else container.insertBefore(node, cursor);
  }
}
