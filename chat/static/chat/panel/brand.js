/** The customer's colour on the panel, whatever it is: grounds, inks and tints that stay readable, light and dark. */

import { css, ground, mix, parse, readable } from "../../ui/color.js";

const WHITE = [255, 255, 255];
const DARK_PAPER = [22, 22, 27];

export function paint(color) {
  const { style, dataset } = document.documentElement;
  const brand = parse(color);
  const isDark = dataset.theme === "dark";
  const paper = isDark ? DARK_PAPER : WHITE;
  const { fill, ink } = ground(brand);
  style.setProperty("--brand", css(fill));
  style.setProperty("--on-brand", css(ink));
  style.setProperty("--brand-soft", css(mix(paper, brand, isDark ? 0.24 : 0.1)));
  style.setProperty("--brand-text", css(readable(brand, paper, isDark ? WHITE : [0, 0, 0])));
}
