/* The few words on the customer's page. */

const WORDS = {
  en: { open: "Open chat", close: "Close chat", panel: "Chat", dismiss: "Close message", one: "{n} unread message", other: "{n} unread messages" },
  de: { open: "Chat öffnen", close: "Chat schließen", panel: "Chat", dismiss: "Nachricht schließen", one: "{n} ungelesene Nachricht", other: "{n} ungelesene Nachrichten" },
  es: { open: "Abrir el chat", close: "Cerrar el chat", panel: "Chat", dismiss: "Cerrar el mensaje", one: "{n} mensaje sin leer", many: "{n} mensajes sin leer", other: "{n} mensajes sin leer" },
  ar: {
    open: "افتح المحادثة", close: "أغلق المحادثة", panel: "المحادثة", dismiss: "أغلق الرسالة", zero: "لا رسائل غير مقروءة",
    one: "رسالة واحدة غير مقروءة", two: "رسالتان غير مقروءتين", few: "{n} رسائل غير مقروءة", many: "{n} رسالة غير مقروءة", other: "{n} رسالة غير مقروءة",
  },
};

function languageOf(wanted) {
  const base = String(wanted || navigator.language).toLowerCase().split("-")[0];
  return WORDS[base] ? base : "en";
}

function unreadWords(number) {
  const words = WORDS[language];
  return (words[new Intl.PluralRules(language).select(number)] || words.other).replace("{n}", number);
}
