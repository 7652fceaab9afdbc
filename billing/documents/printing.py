"""A document's content as the text its template prints: everything ready, the template only lays it out."""

import re
from typing import Any

from billing.documents.content import InvoiceContent, Kind, Line, Party, UsageDay
from billing.documents.language import EN_DASH, Language, language_of
from billing.documents.wording import WORDS, in_language

# What has no business in print: control characters, and marks that turn the direction of what follows them.
UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]+")
HAN = {"JP": "JP", "KR": "KR", "TW": "TC", "HK": "HK", "MO": "HK"}  # where Chinese characters look another way


def printed(content: InvoiceContent) -> dict[str, Any]:
    """Return the content as text in its language, amounts with the currency's digits."""
    language, words = language_of(content.language), WORDS[language_of(content.language).code]
    texts: dict[str, Any] = {
        "language": language.code,
        "fonts": fonts(content.buyer.country or content.seller.country),
        "words": words,
        "name": words[_name(content)],
        "draft": content.is_draft,
        "number": content.number,
        "seller": printed_party(content.seller, language),
        "buyer": printed_party(content.buyer, language),
        "buyer_title": words["credited_to" if content.kind is Kind.CREDIT_NOTE else "billed_to"],
        "facts": _facts(content, language, words),
        "preview": _preview(content, language, words),
        "counted": content.kind is Kind.INVOICE,
        "lines": [_line(line, content.currency, content.kind, language, words) for line in content.lines],
        "totals": _totals(content, language, words),
        "total": _total(content, language, words),
        "due": _due(content, language, words),
        "remarks": remarks(content),
        "payment": _payment(content, language, words),
        "usage_text": words["usage_text"].format(zone=content.timezone),
        "usage": [_usage(row, language) for row in content.usage],
        "logo_name": words["logo"].format(name=content.seller.name),
        "logo_type": content.logo.kind if content.logo else "",
    }
    return cleaned(texts)


def fonts(country: str) -> list[str]:
    """Return the families to look a character up in, one after the other; Han characters as the country writes them."""
    han = f"Noto Sans CJK {HAN.get(country, 'SC')}"
    noto = ["Noto Sans Arabic", "Noto Sans Devanagari", "Noto Sans Thai"]
    return ["Inter", "Heebo", *noto, han, "Libertinus Serif"]


def _name(content: InvoiceContent) -> str:
    if content.kind is Kind.CREDIT_NOTE:
        return "credit_note"
    if content.kind is Kind.TOP_UP:
        return "top_up"
    return "draft_invoice" if content.is_draft else "invoice"


def printed_party(party: Party, language: Language) -> dict[str, Any]:
    """Return a seller or buyer as lines of text."""
    words = WORDS[language.code]
    label = words["vat_id" if party.has_vat_id else "tax_id"]
    return {
        "name": party.name,
        "lines": language.address(party),
        "tax_id": f"{label} {party.tax_id}" if party.tax_id else "",
        "email": party.email,
    }


def _facts(content: InvoiceContent, language: Language, words: dict[str, str]) -> list[list[str]]:
    labels = {Kind.CREDIT_NOTE: "credit_note_number", Kind.TOP_UP: "top_up_number"}
    facts = [(words[labels.get(content.kind, "invoice_number")], content.number or words["when_finalized"])]
    if content.issue_date:
        facts.append((words["issue_date"], language.day(content.issue_date)))
    if content.corrected:
        facts.append((words["corrects"], content.corrected.number))
        facts.append(("", language.day(content.corrected.issue_date)))
    elif content.due_date:
        facts.append((words["due_date"], language.day(content.due_date)))
    if content.kind is not Kind.TOP_UP:
        facts.append((words["service_period"], language.days(content.period_start, content.period_end)))
    facts += [
        (words["plan"], content.plan),
        (words["reference"], content.buyer_reference),
        (words["currency"], content.currency),
    ]
    return [list(fact) for fact in facts if fact[1]]


def _preview(content: InvoiceContent, language: Language, words: dict[str, str]) -> str:
    as_of = f"{language.day(content.as_of.date())}, {content.as_of:%H:%M}"
    return words["preview_text"].format(as_of=as_of, zone=content.timezone) if content.is_draft else ""


def _line(line: Line, currency: str, kind: Kind, language: Language, words: dict[str, str]) -> dict[str, str]:
    detail = in_language(line.detail, language.code)
    period = language.days(line.service_start, line.service_end)
    price = words["tiered"] if line.unit_price is None else language.price(line.unit_price, currency)
    return {
        "description": in_language(line.description, language.code),
        "small": "  ·  ".join(filter(None, [period, detail])) if kind is not Kind.TOP_UP else detail,
        "quantity": language.quantity(line.quantity),
        "unit": in_language(line.unit, language.code),
        "price": price,
        "amount": language.money(line.amount, currency),
    }


def _totals(content: InvoiceContent, language: Language, words: dict[str, str]) -> list[list[str]]:
    currency = content.currency
    if content.kind is Kind.TOP_UP:
        return []
    rows = [[words["subtotal"], language.money(content.subtotal, currency)]]
    if content.allowance:
        rows.append([words["allowance"], language.money(-content.allowance, currency)])
    for group in content.tax_groups:
        if group.category:
            label = words["tax_on"].format(rate=language.percent(group.rate), base=language.money(group.base, currency))
            rows.append([label, language.money(group.tax, currency)])
    if not any(group.category for group in content.tax_groups):
        rows.append([words["tax"], language.money(content.tax, currency)])
    return rows


def _total(content: InvoiceContent, language: Language, words: dict[str, str]) -> list[str]:
    label = words["total_credited" if content.kind is Kind.CREDIT_NOTE else "total"]
    return [label, f"{content.currency} {language.money(content.total, content.currency)}"]


def _due(content: InvoiceContent, language: Language, words: dict[str, str]) -> list[list[str]]:
    """Return what was paid before and what is left, where anything was."""
    if not content.prepaid:
        return []
    return [
        [words["prepaid"], language.money(-content.prepaid, content.currency)],
        [words["due"], f"{content.currency} {language.money(content.due, content.currency)}"],
    ]


def remarks(content: InvoiceContent) -> list[str]:
    """Return what the law wants said: why no tax is charged, what tax is in another currency, what is corrected why."""
    language = language_of(content.language)
    words = WORDS[language.code]
    said = [in_language(group.reason, language.code) for group in content.tax_groups if group.reason]
    if content.kind is Kind.TOP_UP:
        said.append(words["top_up_text"])
    if content.stated_tax:
        tax = content.stated_tax
        stated = words["tax_stated"].format(currency=tax.currency)
        rate = language.quantity(tax.rate)
        exchange = words["exchange_rate"].format(one=content.currency, rate=rate, other=tax.currency)
        said.append(f"{stated}: {language.money(tax.tax, tax.currency)} ({exchange})")
    if content.corrected and content.corrected.reason:
        said.append(f"{words['reason']}: {content.corrected.reason}")
    return list(dict.fromkeys(said))


def _payment(content: InvoiceContent, language: Language, words: dict[str, str]) -> dict[str, Any]:
    """Return how to pay; empty for drafts and credit notes."""
    if content.is_draft or content.kind is Kind.CREDIT_NOTE:
        return {}
    if not content.due:
        return {"text": words["paid_text"], "facts": []}
    amount = f"{content.currency} {language.money(content.due, content.currency)}"
    day = language.day(content.due_date) if content.due_date else EN_DASH
    bank = content.bank
    facts = [["IBAN", _in_fours(bank.iban)], ["BIC", bank.bic], [words["bank"], bank.bank]] if bank else []
    pay = "pay_text" if content.due_date else "pay_soon"
    text = words[pay].format(amount=amount, day=day, number=content.payment_reference or content.number)
    return {"text": text, "facts": [fact for fact in facts if fact[1]]}


def _in_fours(iban: str) -> str:
    """Return an IBAN as people write it (ISO 13616): groups of four."""
    return " ".join(re.findall(".{1,4}", iban.replace(" ", "")))


def _usage(row: UsageDay, language: Language) -> list[str]:
    return [
        language.day(row.day),
        in_language(row.meter, language.code),
        language.quantity(row.quantity),
        in_language(row.unit, language.code),
        language.quantity(row.events),
    ]


def cleaned(texts: dict[str, Any]) -> dict[str, Any]:
    """Return texts without characters that do not belong in print."""
    return _clean(texts)  # type: ignore[no-any-return] # of the same shape


def _clean(value: Any) -> Any:
    """Return the same without characters that do not belong in print."""
    if isinstance(value, str):
        return UNWANTED.sub(" ", value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return value
