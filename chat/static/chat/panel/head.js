/** The panel's head: who is there, and when they are back. */

import { avatar, h, initials, write } from "../../ui/dom.js";
import { clock, sameDay } from "../../ui/i18n.js";
import { own, words } from "./words.js";

const DAY_MILLISECONDS = 86_400_000;

/** Draw it. `wasOffline`: what the visitor was greeted with, which does not change under their eyes. */
export function drawHead({ parts, config, session, wasOffline }) {
  const { talk, isOffline } = session;
  const agent = talk?.agent;
  const isOver = talk && !talk.isOpen;
  face(parts.face, config, agent);
  parts.panel.classList.toggle("panel--fresh", !talk && !session.pending.length);
  write(parts.intro, intro(config, wasOffline));
  write(parts.name, agent ? agent.name : config.name);
  parts.status.dataset.status = isOffline || isOver ? "off" : "online";
  write(parts.status, isOver ? words("ended") : isOffline ? away(config) : words("online"));
}

/** The team's first words, which live on this side only. */
export function greetingText(config, isOffline) {
  const greeting = own(config.greeting_message, "greeting");
  return isOffline ? own(config.offline_message, "offlineGreeting") || greeting : greeting;
}

function face(element, config, agent) {
  const seed = `${agent?.id ?? ""} ${agent?.name ?? config.name}`;
  if (element.dataset.seed === seed) return;
  element.dataset.seed = seed;
  const isShown = agent && config.show_agent_avatars;
  element.replaceChildren(isShown ? avatar(agent.name, agent.id) : h("span", { class: "avatar avatar--brand" }, initials(config.name)));
}

function intro(config, isOffline) {
  if (isOffline) return words("introAway");
  return config.reply_seconds ? `${words("intro")} ${replyTime(config.reply_seconds)}` : words("intro");
}

function away(config) {
  return config.opens_at ? words("backAt", { when: moment(config.opens_at) }) : words("away");
}

function replyTime(seconds) {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  return minutes < 60 ? words("replyMinutes", { count: minutes }) : words("replyHours", { count: Math.ceil(minutes / 60) });
}

/** "today at 9:00", "tomorrow at 9:00", "on Monday at 9:00": by the visitor's own clock. */
function moment(at) {
  const { language } = words;
  const time = clock(at, language);
  if (sameDay(at, Date.now())) return words("todayAt", { time });
  if (sameDay(at, Date.now() + DAY_MILLISECONDS)) return words("tomorrowAt", { time });
  return words("dayAt", { day: new Date(at).toLocaleDateString(language, { weekday: "long" }), time });
}
