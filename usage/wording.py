"""What the e-mails about thresholds say, in English and German."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

ENGLISH: Final = {
    "quota": "{name}: {percent} of the quota are used",
    "quota_full": "{name}: the quota is used up",
    "quota_amount": "{name}: {amount} {unit} are used",
    "credit": "{percent} of the credit are used",
    "credit_full": "The credit is used up",
    "credit_amount": "The credit has come down to {amount}",
    "cost_amount": "This period's usage has reached {amount}",
    "subject": "{headline} - {company}",
    "figures_quota": "{used} of {limit} {unit} are used, {remaining} are left.",
    "figures_credit": "Of {limit} of credit {remaining} are left.",
    "figures_cost": "Usage costs {used} so far, before credit, fees and tax.",
    "period": "Billing period: {start} to {end}.",
    "hint_block": "What is over the quota is refused until the period ends, or until the quota is raised.",
    "hint_alert": "Nothing is refused: what is over the quota is billed as usual.",
    "hint_credit": "What usage costs beyond the credit is billed with the next invoice.",
    "hint_cost": "Nothing is refused. You asked to be told.",
    "link": "See usage",
    "reason": "You receive this because this address receives {company}'s invoices.",
}
GERMAN: Final = {
    "quota": "{name}: {percent} des Kontingents sind verbraucht",
    "quota_full": "{name}: Das Kontingent ist aufgebraucht",
    "quota_amount": "{name}: {amount} {unit} sind verbraucht",
    "credit": "{percent} des Guthabens sind verbraucht",
    "credit_full": "Das Guthaben ist aufgebraucht",
    "credit_amount": "Das Guthaben ist auf {amount} gesunken",
    "cost_amount": "Der Verbrauch dieses Zeitraums hat {amount} erreicht",
    "subject": "{headline} - {company}",
    "figures_quota": "{used} von {limit} {unit} sind verbraucht, {remaining} bleiben.",
    "figures_credit": "Von {limit} Guthaben bleiben {remaining}.",
    "figures_cost": "Der Verbrauch kostet bisher {used}, vor Guthaben, Gebühren und Steuer.",
    "period": "Abrechnungszeitraum: {start} bis {end}.",
    "hint_block": "Was darüber hinausgeht, wird abgelehnt, bis der Zeitraum endet oder das Kontingent erhöht wird.",
    "hint_alert": "Nichts wird abgelehnt: Was darüber hinausgeht, wird wie üblich berechnet.",
    "hint_credit": "Was über das Guthaben hinausgeht, steht auf der nächsten Rechnung.",
    "hint_cost": "Nichts wird abgelehnt. Sie wollten davon erfahren.",
    "link": "Verbrauch ansehen",
    "reason": "Sie erhalten diese Nachricht, weil an diese Adresse die Rechnungen von {company} gehen.",
}
GERMAN_NAMES: Final = {
    "voice_minutes": ("Gesprächsminuten", "Minuten"),
    "recording_storage": ("Aufnahmespeicher", "GB-Monate"),
    "sms_messages": ("SMS", "Nachrichten"),
    "mms_messages": ("MMS", "Nachrichten"),
    "emails": ("E-Mails", "Empfänger"),
    "whatsapp_messages": ("WhatsApp-Nachrichten", "Nachrichten"),
    "social_messages": ("Social-Media-Nachrichten", "Nachrichten"),
    "chat_conversations": ("Chats", "Chats"),
    "chat_messages": ("Chat-Nachrichten", "Nachrichten"),
    "api_requests": ("API-Anfragen", "Anfragen"),
}


@dataclass(frozen=True)
class Told:
    """A mark that was reached; `percent` or `amount` is set. Money where `currency` is, units of a quota otherwise."""

    subject: str
    feature: str
    name: str
    unit: str
    currency: str
    percent: Decimal | None
    amount: Decimal | None
    used: Decimal
    limit: Decimal | None
    blocks: bool
    company: str
    period_start: date
    period_end: date


def words_for(told: Told, *, locale: str) -> dict[str, str]:
    """Return the e-mail's sentences in the language of the locale: German, or else English."""
    is_german = locale.lower().startswith("de")
    form, texts = ("de", GERMAN) if is_german else ("en", ENGLISH)
    name, unit = GERMAN_NAMES.get(told.feature, (told.name, told.unit)) if is_german else (told.name, told.unit)

    def number(value: Decimal) -> str:
        if told.currency:
            return format_currency(value, told.currency, locale=form)
        return format_decimal(value, locale=form, decimal_quantization=False)

    remaining = max((told.limit or Decimal(0)) - told.used, Decimal(0))
    values = {
        "name": name,
        "unit": unit,
        "company": told.company,
        "percent": f"{told.percent:f} %" if told.percent is not None else "",
        "amount": number(told.amount) if told.amount is not None else "",
        "used": number(told.used),
        "limit": number(told.limit) if told.limit is not None else "",
        "remaining": number(remaining),
        "start": format_date(told.period_start, format="long", locale=form),
        "end": format_date(told.period_end, format="long", locale=form),
    }
    headline = texts[_headline(told)].format(**values)
    hint = told.subject if told.subject != "quota" else "block" if told.blocks else "alert"
    return {
        "headline": headline,
        "subject": texts["subject"].format(headline=headline, **values),
        "figures": texts[f"figures_{told.subject}"].format(**values),
        "period": texts["period"].format(**values),
        "hint": texts[f"hint_{hint}"],
        "link": texts["link"],
        "reason": texts["reason"].format(**values),
    }


def _headline(told: Told) -> str:
    if told.percent is None:
        return f"{told.subject}_amount"
    return f"{told.subject}_full" if told.percent >= 100 else told.subject
