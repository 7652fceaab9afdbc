"""The words of mail to visitors, in the languages the widget speaks."""

from collections.abc import Mapping

ENGLISH: Mapping[str, str] = {
    "language": "en",
    "direction": "ltr",
    "subject": "{company} has answered you",
    "intro": "You have an answer from {company}:",
    "more": "… and earlier messages.",
    "file": "sent you a file",
    "button": "Continue the conversation",
    "until": "The link works until {date}. Keep it to yourself: whoever has it can read the conversation.",
    "reason": "You receive this because you left this address in a chat with {company}.",
}
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": ENGLISH,
    "de": {
        "language": "de",
        "direction": "ltr",
        "subject": "{company} hat Ihnen geantwortet",
        "intro": "{company} hat Ihnen geantwortet:",
        "more": "… und frühere Nachrichten.",
        "file": "hat Ihnen eine Datei geschickt",
        "button": "Gespräch fortsetzen",
        "until": "Der Link gilt bis {date}. Behalten Sie ihn für sich: Wer ihn hat, kann das Gespräch lesen.",
        "reason": "Sie erhalten diese Nachricht, weil Sie diese Adresse in einem Chat mit {company} angegeben haben.",
    },
    "es": {
        "language": "es",
        "direction": "ltr",
        "subject": "{company} le ha respondido",
        "intro": "{company} le ha respondido:",
        "more": "… y mensajes anteriores.",
        "file": "le ha enviado un archivo",
        "button": "Continuar la conversación",
        "until": "El enlace funciona hasta el {date}. No lo comparta: quien lo tenga puede leer la conversación.",
        "reason": "Recibe este mensaje porque dejó esta dirección en un chat con {company}.",
    },
    "ar": {
        "language": "ar",
        "direction": "rtl",
        "subject": "ردّت عليك {company}",
        "intro": "لديك ردّ من {company}:",
        "more": "… ورسائل سابقة.",
        "file": "أرسل إليك ملفًا",
        "button": "متابعة المحادثة",
        "until": "يعمل الرابط حتى {date}. لا تشاركه مع أحد: من يملكه يستطيع قراءة المحادثة.",
        "reason": "تصلك هذه الرسالة لأنك تركت هذا العنوان في محادثة مع {company}.",
    },
}  # fmt: skip


def words_for(language: str, **values: str) -> dict[str, str]:
    """Return the words of a language tag (`de-AT`), English for one we do not speak, filled in."""
    words = WORDS.get(language[:2].lower(), ENGLISH)
    return {key: text.format(**values) for key, text in words.items()}
