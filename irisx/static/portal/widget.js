/** A widget's page: the preview follows the form, and the line for the page is copied by a button. */

import { css, ground, parse } from "../ui/color.js";

const form = document.querySelector("[data-widget-form]");
const preview = document.querySelector("[data-preview]");

const field = (name) => form.elements.namedItem(name);
const isOn = (name) => field(name).checked;
const shows = (name) => preview.querySelector(`[data-shows="${name}"]`);

function behaviour() {
  if (!isOn("is_active")) return "The widget is off: nothing is shown.";
  const words = [];
  if (isOn("auto_open")) words.push(`Opens by itself after ${field("auto_open_delay").value || 0} s.`);
  if (!isOn("show_launcher")) words.push("No button: your page opens the chat.");
  return words.join(" ");
}

function questions() {
  return [...form.querySelectorAll('[name$="-label"]')]
    .filter((input) => input.value.trim())
    .map((input) => {
      const item = document.createElement("li");
      const must = field(input.name.replace(/label$/, "is_required")).checked;
      item.textContent = input.value.trim() + (must ? " *" : "");
      return item;
    });
}

function draw() {
  const { fill, ink } = ground(parse(field("primary_color").value));
  preview.style.setProperty("--brand", css(fill));
  preview.style.setProperty("--ink", css(ink));
  preview.dataset.corner = field("widget_position").value;
  preview.toggleAttribute("data-off", !isOn("is_active"));
  for (const name of ["name", "greeting_message", "offline_message", "placeholder_text"]) shows(name).textContent = field(name).value;
  shows("behaviour").textContent = behaviour();
  shows("questions").replaceChildren(...questions());
  preview.querySelector(".preview__avatar").hidden = !isOn("show_agent_avatars");
  preview.querySelector(".preview__launcher").hidden = !isOn("show_launcher");
  preview.querySelector(".preview__clip").hidden = !isOn("allow_file_upload");
  preview.querySelector(".preview__email").hidden = !isOn("require_email");
}

form.addEventListener("input", draw);
form.addEventListener("change", draw);
draw();

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.querySelector("span").textContent = "Copied";
  });
}
