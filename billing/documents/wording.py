"""What a document says in its own words, and what the catalogue's words are called, in each language."""

import re
from typing import Final

WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "invoice": "Invoice",
        "draft_invoice": "Draft invoice",
        "credit_note": "Credit note",
        "top_up": "Payment request",
        "draft_mark": "DRAFT",
        "page": "Page",
        "from": "From",
        "billed_to": "Billed to",
        "credited_to": "Credited to",
        "vat_id": "VAT ID",
        "tax_id": "Tax ID",
        "reference": "Your reference",
        "invoice_number": "Invoice number",
        "credit_note_number": "Credit note number",
        "top_up_number": "Request number",
        "corrects": "Corrects invoice",
        "reason": "Reason",
        "when_finalized": "given when finalized",
        "issue_date": "Issue date",
        "due_date": "Due date",
        "service_period": "Service period",
        "plan": "Plan",
        "currency": "Currency",
        "preview": "Preview.",
        "preview_text": "This is what the period would be billed at as of {as_of} ({zone}). "
        "It is not an invoice, has no number, and nothing is due.",
        "description": "Description",
        "quantity": "Quantity",
        "unit": "Unit",
        "unit_price": "Unit price",
        "amount": "Amount",
        "tiered": "tiered",
        "nothing_used": "Nothing was used in this period.",
        "subtotal": "Subtotal",
        "allowance": "Included credit used",
        "tax": "Tax",
        "tax_on": "Tax {rate} on {base}",
        "total": "Total",
        "prepaid": "Paid from prepaid credit",
        "due": "Amount due",
        "total_credited": "Total credited",
        "tax_stated": "Tax in {currency}",
        "exchange_rate": "1 {one} = {rate} {other}",
        "pay": "Payment",
        "pay_text": "Please transfer {amount} by {day}, with {number} as reference.",
        "pay_soon": "Please transfer {amount} with {number} as reference.",
        "top_up_text": "This is no invoice: it asks for a payment in advance, which becomes prepaid credit once it has come. "
        "Tax is charged by the invoices that the credit pays.",
        "paid_text": "Nothing is left to pay.",
        "credit_terms": "Nothing is to be paid: the amount is credited.",
        "exempt": "Exempt from tax",
        "bank": "Bank",
        "usage_by_day": "Usage by day",
        "usage_text": "Days are those of {zone}. Calls are counted in the seconds billed, shown in minutes.",
        "day": "Day",
        "meter": "Meter",
        "events": "Events",
        "logo": "Logo of {name}",
    },
    "de": {
        "invoice": "Rechnung",
        "draft_invoice": "Rechnungsentwurf",
        "credit_note": "Rechnungskorrektur",
        "top_up": "Zahlungsaufforderung",
        "draft_mark": "ENTWURF",
        "page": "Seite",
        "from": "Von",
        "billed_to": "Rechnung an",
        "credited_to": "Korrektur an",
        "vat_id": "USt-IdNr.",
        "tax_id": "Steuernummer",
        "reference": "Ihr Zeichen",
        "invoice_number": "Rechnungsnummer",
        "credit_note_number": "Korrekturnummer",
        "top_up_number": "Nummer",
        "corrects": "Zu Rechnung",
        "reason": "Grund",
        "when_finalized": "wird mit Abschluss vergeben",
        "issue_date": "Rechnungsdatum",
        "due_date": "Fällig am",
        "service_period": "Leistungszeitraum",
        "plan": "Tarif",
        "currency": "Währung",
        "preview": "Vorschau.",
        "preview_text": "So würde der Zeitraum mit Stand {as_of} ({zone}) abgerechnet. "
        "Dies ist keine Rechnung, sie hat keine Nummer, und nichts ist fällig.",
        "description": "Bezeichnung",
        "quantity": "Menge",
        "unit": "Einheit",
        "unit_price": "Einzelpreis",
        "amount": "Betrag",
        "tiered": "gestaffelt",
        "nothing_used": "In diesem Zeitraum wurde nichts genutzt.",
        "subtotal": "Zwischensumme",
        "allowance": "Verbrauchtes Inklusivguthaben",
        "tax": "Steuer",
        "tax_on": "USt. {rate} auf {base}",
        "total": "Gesamtbetrag",
        "prepaid": "Aus Guthaben bezahlt",
        "due": "Zahlbetrag",
        "total_credited": "Korrigierter Betrag",
        "tax_stated": "USt. in {currency}",
        "exchange_rate": "1 {one} = {rate} {other}",
        "pay": "Zahlung",
        "pay_text": "Bitte überweisen Sie {amount} bis zum {day} mit dem Verwendungszweck {number}.",
        "pay_soon": "Bitte überweisen Sie {amount} mit dem Verwendungszweck {number}.",
        "top_up_text": "Dies ist keine Rechnung, sondern die Bitte um eine Vorauszahlung, die nach Eingang zu Guthaben wird. "
        "Die Umsatzsteuer weisen die Rechnungen aus, die das Guthaben bezahlt.",
        "paid_text": "Es ist nichts mehr zu zahlen.",
        "credit_terms": "Es ist nichts zu zahlen: Der Betrag wird gutgeschrieben.",
        "exempt": "Steuerfrei",
        "bank": "Bank",
        "usage_by_day": "Nutzung nach Tagen",
        "usage_text": "Tage gelten in der Zeitzone {zone}. Anrufe zählen mit den berechneten Sekunden, in Minuten gezeigt.",
        "day": "Tag",
        "meter": "Leistung",
        "events": "Vorgänge",
        "logo": "Logo von {name}",
    },
}

# Words of the catalogue, of lines and of tax as they are stored, in English; a name somebody chose stays as it is.
_GERMAN: Final = {
    "Voice": "Telefonie",
    "Recording storage": "Aufnahmespeicher",
    "E-mail": "E-Mail",
    "Social media": "Soziale Medien",
    "Chat conversations": "Chat-Unterhaltungen",
    "Chat messages": "Chat-Nachrichten",
    "API requests": "API-Anfragen",
    "inbound": "eingehend",
    "outbound": "abgehend",
    "internal": "intern",
    "minute": "Minute",
    "minutes": "Minuten",
    "GB-month": "GB-Monat",
    "GB-months": "GB-Monate",
    "message": "Nachricht",
    "messages": "Nachrichten",
    "recipient": "Empfänger",
    "recipients": "Empfänger",
    "conversation": "Unterhaltung",
    "conversations": "Unterhaltungen",
    "request": "Anfrage",
    "requests": "Anfragen",
    "month": "Monat",
    "months": "Monate",
    "monthly fee": "monatliche Grundgebühr",
    "Prepaid credit": "Guthaben",
    "Reverse charge: the recipient is liable for the tax": "Steuerschuldnerschaft des Leistungsempfängers",
    "Not subject to tax here: the service is supplied where the recipient is": (
        "Nicht steuerbar: Leistungsort ist beim Leistungsempfänger"
    ),
}
_GERMAN_PATTERNS: Final = (
    (re.compile(r"^(?P<name>.+) plan$"), r"Tarif \g<name>"),
    (re.compile(r"^(?P<direction>inbound|outbound) to (?P<prefix>\+\d+)$"), r"\g<direction> nach \g<prefix>"),
    (re.compile(r"^1 call$"), "1 Anruf"),
    (re.compile(r"^(?P<number>[\d,]+) calls$"), r"\g<number> Anrufe"),
    (re.compile(r"^billed (?P<increments>\d+/\d+) s$"), r"Takt \g<increments> s"),
    (
        re.compile(r"^late usage of (?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)$"),
        r"nachträgliche Nutzung vom \g<d>.\g<m>.\g<y>",
    ),
)


def in_language(text: str, code: str) -> str:
    """Return a stored description, unit or reason in a language; what it does not know stays as it is."""
    if code != "de" or not text:
        return text
    if text in _GERMAN:
        return _GERMAN[text]
    return ", ".join(_german(part) for part in text.split(", "))


def _german(part: str) -> str:
    for pattern, replacement in _GERMAN_PATTERNS:
        if pattern.match(part):
            part = pattern.sub(replacement, part).replace(",", ".")
            first, space, rest = part.partition(" ")
            return _GERMAN.get(first, first) + space + rest
    return _GERMAN.get(part, part)
