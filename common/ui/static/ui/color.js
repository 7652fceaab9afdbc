/** Colour arithmetic for a customer's own colour (WCAG 2.2 relative luminance and contrast). */

const WHITE = [255, 255, 255];
const BLACK = [0, 0, 0];
const INK = [20, 20, 30];
const LIGHT = 2.5;

export function parse(hex) {
  const digits = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec((hex || "").trim())?.[1] || "667eea";
  const full = digits.length === 3 ? [...digits].map((digit) => digit + digit).join("") : digits;
  return [0, 2, 4].map((at) => parseInt(full.slice(at, at + 2), 16));
}

export function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** A ground to write on: a light colour keeps its tone and takes dark ink, any other is deepened until white reads on it. */
export function ground(rgb) {
  if (contrast(rgb, WHITE) < LIGHT) return { fill: rgb, ink: INK };
  return { fill: readable(rgb, WHITE, BLACK), ink: WHITE };
}

/** The colour itself, moved toward `goal` just far enough to read beside `other`. */
export function readable(rgb, other, goal, least = 4.5) {
  for (let share = 0; share <= 1; share += 0.04) {
    const candidate = mix(rgb, goal, share);
    if (contrast(candidate, other) >= least) return candidate;
  }
  return goal;
}

export function mix(one, other, share) {
  return one.map((value, at) => Math.round(value + (other[at] - value) * share));
}

export function css(rgb) {
  return `rgb(${rgb.join(" ")})`;
}

function luminance(rgb) {
  const [red, green, blue] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
