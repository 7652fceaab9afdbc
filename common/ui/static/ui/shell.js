/** The frame's own wishes: the theme switch. */

const ORDER = ["auto", "light", "dark"];
const FACES = { auto: ["monitor", "Theme: as the system"], light: ["sun", "Theme: light"], dark: ["moon", "Theme: dark"] };

const button = document.querySelector("[data-theme-switch]");

function show() {
  const [face, words] = FACES[document.documentElement.dataset.themeChoice];
  const use = button.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${face}`));
  button.setAttribute("aria-label", words);
  button.title = words;
}

if (button) {
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.themeChoice;
    window.irisxTheme(ORDER[(ORDER.indexOf(now) + 1) % ORDER.length]);
    show();
  });
  show();
}
