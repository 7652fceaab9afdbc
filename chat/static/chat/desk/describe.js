/** The words of what happened in a chat besides what was said. */

const TELLERS = { assignment, rating, status, label };

/** Return the words of an event that is not a message, or "". `name`: the visitor's; `me`: the reader. */
export function describe({ type, payload }, { name, me, words }) {
  return TELLERS[type]?.(payload, { name, me, words }) ?? "";
}

/** Return the events that the next one made pointless to tell: an offer that went back and was made again. */
export function superseded(entries) {
  const isHand = (entry) => entry?.event.type === "assignment";
  return new Set(entries.filter((entry, at) => isHand(entry) && isHand(entries[at + 1])).map(({ event }) => event));
}

function assignment({ agent, reason }, { me, words }) {
  if (!agent) return words("unassigned");
  const how = { routed: "offered", transferred: "handed" }[reason] ?? "assigned";
  return agent.id === me.id ? words(`${how}ToYou`) : words(how, { agent: agent.name });
}

function rating(payload, { name, words }) {
  return words(payload.feedback ? "ratedWith" : "rated", { name, ...payload });
}

function status({ status: now, by }, { name, words }) {
  if (now === "active") return words("reopened");
  if (now === "abandoned") return words("abandoned", { name });
  return words({ visitor: "closedByVisitor", agent: "closedByAgent" }[by] || "closedBySystem", { name });
}

function label({ added, removed, by }, { words }) {
  const parts = [added.length && words("labelled", { names: added.join(", ") }), removed.length && words("unlabelled", { names: removed.join(", ") })];
  return words("labelledBy", { name: by?.name ?? "", what: parts.filter(Boolean).join(", ") });
}
