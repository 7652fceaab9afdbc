/** What to call people, places and spans of time. */

/** A visitor's name, else the address, else "Visitor" with four letters that tell one from another. */
export function nameOf(row, words) {
  const { name, email, id } = row.visitor;
  return name || email || words("visitor", { code: id.slice(-4) });
}

export function placeOf(visitor) {
  const { city, country } = visitor?.location ?? {};
  return [city, country].filter(Boolean).join(", ");
}

/** The clock where the visitor is: "14:32 (Europe/Berlin)"; nothing for a zone this browser does not know. */
export function localTime(timeZone, now, words) {
  if (!timeZone) return "";
  try {
    const clock = new Intl.DateTimeFormat(words.language, { hour: "numeric", minute: "2-digit", timeZone }).format(now);
    return words("fact.localTime", { clock, zone: timeZone.replace(/_/g, " ") });
  } catch (unknownZone) {
    return "";
  }
}

export function span(from, to) {
  const seconds = Math.max(0, Math.round((new Date(to) - new Date(from)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
