/** Words and formats. A catalogue is `{en: {key: "Hello {name}"}, de: {…}}`; plurals are `key.one`, `key.other`. */

export function translator(catalogue, wanted = navigator.language) {
  const language = pick(catalogue, wanted);
  const words = { ...catalogue.en, ...catalogue[language] };
  const plural = new Intl.PluralRules(language);
  const t = (key, values = {}) => {
    const form = "count" in values ? `${key}.${plural.select(values.count)}` : key;
    const text = words[form] ?? words[`${key}.other`] ?? words[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  };
  t.code = language;
  t.language = regional(language, wanted);
  t.direction = ["ar", "he", "fa", "ur"].includes(language) ? "rtl" : "ltr";
  return t;
}

/** The language with the person's region, where it is known: "en-GB" writes times and dates otherwise than "en". */
function regional(language, wanted) {
  return [wanted, navigator.language].find((tag) => tag?.toLowerCase().startsWith(`${language}-`)) ?? language;
}

function pick(catalogue, wanted) {
  const base = (wanted || "en").toLowerCase().split("-")[0];
  return base in catalogue ? base : "en";
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "now", "4m", "2h", "3d": for lists, where a column is narrow and a glance must do. */
export function shortAge(from, now = Date.now()) {
  const age = Math.max(0, now - new Date(from).getTime());
  if (age < MINUTE) return "now";
  if (age < HOUR) return `${Math.floor(age / MINUTE)}m`;
  if (age < DAY) return `${Math.floor(age / HOUR)}h`;
  return `${Math.floor(age / DAY)}d`;
}

export function clock(moment, language) {
  return new Date(moment).toLocaleTimeString(language, { hour: "numeric", minute: "2-digit" });
}

export function fullTime(moment, language) {
  return new Date(moment).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
}

/** "820 kB", "2.4 MB": as people say it. */
export function fileSize(bytes, language) {
  const [unit, value] = bytes < 1_000_000 ? ["kilobyte", Math.max(1, Math.round(bytes / 1000))] : ["megabyte", bytes / 1_000_000];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 }).format(value);
}

export function sameDay(one, other) {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

/** "Today", "Yesterday", else the date: the line between two days of a conversation. */
export function dayName(moment, language, now = Date.now()) {
  const date = new Date(moment);
  const days = Math.round((midnight(now) - midnight(moment)) / DAY);
  if (days === 0 || days === 1) {
    const name = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-days, "day");
    return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
  }
  const year = date.getFullYear() === new Date(now).getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString(language, { weekday: "long", day: "numeric", month: "long", year });
}

function midnight(moment) {
  return new Date(moment).setHours(0, 0, 0, 0);
}
