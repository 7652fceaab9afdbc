"""What keeps a document from being an e-invoice: EN 16931 wants more than a piece of paper does."""

from billing.documents.content import InvoiceContent, Party
from common.money import exponent

DECIMALS = 2  # BR-DEC-01 to BR-DEC-28: no amount has more


def obstacles(content: InvoiceContent) -> tuple[str, ...]:
    """Return why the content cannot be written as an e-invoice, in words; nothing when it can."""
    if content.is_draft or content.issue_date is None or not content.number:
        return ("A draft is no invoice: it has no number and no date.",)
    found = [*_parties(content), *_amounts(content)]
    categories = {line.tax_category for line in content.lines} | {group.category for group in content.tax_groups}
    if not content.lines:
        found.append("It has no lines (BR-16).")
    if not content.tax_groups or "" in categories:
        found.append("How its lines are taxed is not stored (BR-CO-04, BR-CO-18).")
    if "AE" in categories and not (content.seller.tax_id and content.buyer.tax_id):
        found.append("Reverse charge needs the tax ids of both parties (BR-AE-02).")
    return tuple(found)


def _parties(content: InvoiceContent) -> list[str]:
    found = [*_party(content.seller, "seller"), *_party(content.buyer, "buyer")]
    return found if content.seller.tax_id else [*found, "The seller has no tax id (BR-CO-26)."]


def _party(party: Party, role: str) -> list[str]:
    wanted = {"name": party.name, "country": party.country}
    return [f"The {role} has no {what} (BR-06 to BR-11)." for what, given in wanted.items() if not given]


def _amounts(content: InvoiceContent) -> list[str]:
    currencies = [content.currency, *([content.stated_tax.currency] if content.stated_tax else [])]
    wide = [currency for currency in currencies if exponent(currency) > DECIMALS]
    return [f"Amounts in {currency} have three decimals, EN 16931 knows two (BR-DEC)." for currency in wide]
