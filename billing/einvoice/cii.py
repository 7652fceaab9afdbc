"""An invoice or credit note as Factur-X / ZUGFeRD XML, profile EN 16931: UN/CEFACT Cross Industry Invoice (CII D22B).

`BT-` and `BG-` name the terms of EN 16931-1, `BR-` its rules. Elements stand in the order the schema wants.
"""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree

from billing.documents.content import BankAccount, InvoiceContent, Kind, Line, Party, TaxGroup
from billing.documents.language import language_of
from billing.documents.printing import remarks
from billing.documents.wording import WORDS, in_language
from common.money import exponent, plain, round_money

Node = ElementTree.Element | None
PROFILE = "urn:cen.eu:en16931:2017"
NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
TYPE_CODES = {Kind.INVOICE: "380", Kind.CREDIT_NOTE: "381"}  # UNTDID 1001
UNITS = {
    "minute": "MIN",
    "minutes": "MIN",
    "month": "MON",
    "months": "MON",
    "day": "DAY",
    "days": "DAY",
}  # UN/ECE rec. 20
ONE = "C62"
EXEMPTION_CODES = {"AE": "VATEX-EU-AE", "O": "VATEX-EU-O"}
EXEMPT, OUTSIDE = "E", "O"
SEPA_TRANSFER, TRANSFER = "58", "30"  # UNTDID 4461
E_MAIL = "EM"  # Electronic Address Scheme
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


def cii_xml(content: InvoiceContent) -> bytes:
    """Return a document as XML, the same bytes for the same content; it has no obstacles (see checks.py)."""
    root = _node(
        "rsm:CrossIndustryInvoice",
        _node("rsm:ExchangedDocumentContext", _node("ram:GuidelineSpecifiedDocumentContextParameter", _text("ram:ID", PROFILE))),
        _header(content),
        _node(
            "rsm:SupplyChainTradeTransaction",
            *(_line(number, line, content) for number, line in enumerate(content.lines, start=1)),
            _agreement(content),
            _delivery(content),
            _settlement(content),
        ),
    )  # fmt: skip
    assert root is not None
    for prefix, name in NAMESPACES.items():
        root.set(f"xmlns:{prefix}", name)
    xml: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml


def _header(content: InvoiceContent) -> Node:
    assert content.issue_date is not None
    return _node(
        "rsm:ExchangedDocument",
        _text("ram:ID", content.number),
        _text("ram:TypeCode", TYPE_CODES[content.kind]),
        _date("ram:IssueDateTime", content.issue_date),
        *(_node("ram:IncludedNote", _text("ram:Content", remark)) for remark in remarks(content)),
    )


def _line(number: int, line: Line, content: InvoiceContent) -> Node:
    quantity, unit, price, detail = _priced(line, content)
    return _node(
        "ram:IncludedSupplyChainTradeLineItem",
        _node("ram:AssociatedDocumentLineDocument", _text("ram:LineID", str(number))),
        _node(
            "ram:SpecifiedTradeProduct",
            _text("ram:Name", in_language(line.description, content.language)),
            _text("ram:Description", detail),
        ),
        _node(
            "ram:SpecifiedLineTradeAgreement",
            _node("ram:NetPriceProductTradePrice", _text("ram:ChargeAmount", plain(price))),
        ),
        _node("ram:SpecifiedLineTradeDelivery", _text("ram:BilledQuantity", plain(quantity), unitCode=unit)),
        _node(
            "ram:SpecifiedLineTradeSettlement",
            _node("ram:ApplicableTradeTax", *_category(line.tax_category, line.tax_rate)),
            _period(line.service_start, line.service_end),
            _node(
                "ram:SpecifiedTradeSettlementLineMonetarySummation",
                _text("ram:LineTotalAmount", _amount(line.amount, content.currency)),
            ),
        ),
    )


def _priced(line: Line, content: InvoiceContent) -> tuple[Decimal, str, Decimal, str]:
    """Return quantity, unit, price and detail of a line, such that quantity times price is its amount.

    Where it is not (tiers, minimums), the line is one thing at its amount, and the detail says what was counted.
    """
    detail = in_language(line.detail, content.language)
    price = line.unit_price
    if price is not None and price >= 0 and round_money(line.quantity * price, content.currency) == line.amount:
        return line.quantity, UNITS.get(line.unit, ONE), price, detail
    counted = f"{language_of(content.language).quantity(line.quantity)} {in_language(line.unit, content.language)}"
    details = [counted if line.unit else "", detail]
    sign = Decimal(-1) if line.amount < 0 else Decimal(1)
    return sign, ONE, abs(line.amount), ", ".join(filter(None, details))


def _agreement(content: InvoiceContent) -> Node:
    is_outside = any(group.category == OUTSIDE for group in content.tax_groups)
    return _node(
        "ram:ApplicableHeaderTradeAgreement",
        _text("ram:BuyerReference", content.buyer_reference),
        _seller(content.seller, is_outside),
        _buyer(content.buyer, is_outside),
    )


def _seller(party: Party, is_outside: bool) -> Node:
    """Return the seller: by its VAT id, which BR-O-02 forbids where nothing is subject to it, else by another of its own."""
    by_vat_id = party.has_vat_id and not is_outside
    scheme = "VA" if by_vat_id else "FC"
    return _node(
        "ram:SellerTradeParty",
        None if by_vat_id else _text("ram:ID", party.tax_id),
        *_named(party),
        _node("ram:SpecifiedTaxRegistration", _text("ram:ID", party.tax_id, schemeID=scheme)),
    )


def _buyer(party: Party, is_outside: bool) -> Node:
    by_vat_id = party.has_vat_id and not is_outside
    return _node(
        "ram:BuyerTradeParty",
        None if by_vat_id else _text("ram:ID", party.tax_id),
        *_named(party),
        _node("ram:SpecifiedTaxRegistration", _text("ram:ID", party.tax_id, schemeID="VA")) if by_vat_id else None,
    )


def _named(party: Party) -> tuple[Node, ...]:
    first, second, third = (*party.address[:2], ", ".join(party.address[2:]), "", "")[:3]
    return (
        _text("ram:Name", party.name),
        _node(
            "ram:PostalTradeAddress",
            _text("ram:PostcodeCode", party.postal_code),
            _text("ram:LineOne", first),
            _text("ram:LineTwo", second),
            _text("ram:LineThree", third),
            _text("ram:CityName", party.city),
            _text("ram:CountryID", party.country),
        ),
        _node("ram:URIUniversalCommunication", _text("ram:URIID", party.email, schemeID=E_MAIL)),
    )


def _delivery(content: InvoiceContent) -> Node:
    """Return when the service was delivered (BT-72): the last day of the period."""
    delivered = _date("ram:OccurrenceDateTime", content.period_end)
    return _node("ram:ApplicableHeaderTradeDelivery", _node("ram:ActualDeliverySupplyChainEvent", delivered))


def _settlement(content: InvoiceContent) -> Node:
    stated, corrected = content.stated_tax, content.corrected
    is_note = content.kind is Kind.CREDIT_NOTE
    return _node(
        "ram:ApplicableHeaderTradeSettlement",
        None if is_note else _text("ram:PaymentReference", content.number),
        _text("ram:TaxCurrencyCode", stated.currency if stated else ""),
        _text("ram:InvoiceCurrencyCode", content.currency),
        _payment(content.bank, content) if content.bank and not is_note else None,
        *(_breakdown(group, content) for group in content.tax_groups),
        _whole_period(content.lines),
        *(_allowance(group, content) for group in content.tax_groups if group.allowance),
        _terms(content),
        _totals(content),
        _node(
            "ram:InvoiceReferencedDocument",
            _text("ram:IssuerAssignedID", corrected.number),
            _date("ram:FormattedIssueDateTime", corrected.issue_date, "qdt:DateTimeString"),
        )
        if corrected
        else None,
    )


def _payment(bank: BankAccount, content: InvoiceContent) -> Node:
    return _node(
        "ram:SpecifiedTradeSettlementPaymentMeans",
        _text("ram:TypeCode", SEPA_TRANSFER if content.currency == "EUR" else TRANSFER),
        _node(
            "ram:PayeePartyCreditorFinancialAccount",
            _text("ram:IBANID", bank.iban.replace(" ", "")),
            _text("ram:AccountName", content.seller.name),
        ),
        _node("ram:PayeeSpecifiedCreditorFinancialInstitution", _text("ram:BICID", bank.bic)),
    )


def _breakdown(group: TaxGroup, content: InvoiceContent) -> Node:
    """Return one VAT breakdown (BG-23); a reason only where nothing is charged for one (BR-S-10, BR-Z-10, BR-E-10)."""
    has_reason = group.category in (EXEMPT, *EXEMPTION_CODES)
    reason = in_language(group.reason, content.language) or WORDS[language_of(content.language).code]["exempt"]
    kind, category, *rate = _category(group.category, group.rate)
    return _node(
        "ram:ApplicableTradeTax",
        _text("ram:CalculatedAmount", _amount(group.tax, content.currency)),
        kind,
        _text("ram:ExemptionReason", reason) if has_reason else None,
        _text("ram:BasisAmount", _amount(group.base, content.currency)),
        category,
        _text("ram:ExemptionReasonCode", EXEMPTION_CODES.get(group.category, "")),
        *rate,
    )


def _category(category: str, rate: Decimal) -> tuple[Node, ...]:
    """Return how something is taxed; what is not subject to tax has no rate (BR-O-05)."""
    percent = None if category == OUTSIDE else _text("ram:RateApplicablePercent", plain(rate))
    return _text("ram:TypeCode", "VAT"), _text("ram:CategoryCode", category), percent


def _allowance(group: TaxGroup, content: InvoiceContent) -> Node:
    """Return the credit that lowers a group's base (BG-20)."""
    return _node(
        "ram:SpecifiedTradeAllowanceCharge",
        _node("ram:ChargeIndicator", _text("udt:Indicator", "false")),
        _text("ram:ActualAmount", _amount(group.allowance, content.currency)),
        _text("ram:Reason", WORDS[language_of(content.language).code]["allowance"]),
        _node("ram:CategoryTradeTax", *_category(group.category, group.rate)),
    )


def _terms(content: InvoiceContent) -> Node:
    """Return when to pay (BR-CO-25)."""
    if content.kind is Kind.CREDIT_NOTE:
        words = WORDS[language_of(content.language).code]
        return _node("ram:SpecifiedTradePaymentTerms", _text("ram:Description", words["credit_terms"]))
    due = _date("ram:DueDateDateTime", content.due_date) if content.due_date else None
    return _node("ram:SpecifiedTradePaymentTerms", due)


def _totals(content: InvoiceContent) -> Node:
    def amount(name: str, value: Decimal) -> Node:
        return _text(name, _amount(value, content.currency))

    stated = content.stated_tax
    return _node(
        "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
        amount("ram:LineTotalAmount", content.subtotal),
        amount("ram:AllowanceTotalAmount", content.allowance) if content.allowance else None,
        amount("ram:TaxBasisTotalAmount", content.subtotal - content.allowance),
        _text("ram:TaxTotalAmount", _amount(content.tax, content.currency), currencyID=content.currency),
        _text("ram:TaxTotalAmount", _amount(stated.tax, stated.currency), currencyID=stated.currency)
        if stated
        else None,
        amount("ram:GrandTotalAmount", content.total),
        amount("ram:TotalPrepaidAmount", content.prepaid) if content.prepaid else None,
        amount("ram:DuePayableAmount", content.due),
    )


def _whole_period(lines: Iterable[Line]) -> Node:
    """Return the invoicing period (BG-14): from the first day any line is for to the last."""
    lines = tuple(lines)
    return _period(min(line.service_start for line in lines), max(line.service_end for line in lines))


def _period(first: date, last: date) -> Node:
    return _node("ram:BillingSpecifiedPeriod", _date("ram:StartDateTime", first), _date("ram:EndDateTime", last))


def _date(name: str, day: date, kind: str = "udt:DateTimeString") -> Node:
    return _node(name, _text(kind, f"{day:%Y%m%d}", format="102"))


def _amount(amount: Decimal, currency: str) -> str:
    return f"{amount:.{exponent(currency)}f}"


def _text(name: str, text: str, **attributes: str) -> Node:
    """Return an element with text, or nothing for none: EN 16931 has no empty elements (BR-CL, PEPPOL-EN16931-R008)."""
    text = NOT_XML.sub("", text).strip()
    if not text:
        return None
    element = ElementTree.Element(name, attributes)
    element.text = text
    return element


def _node(name: str, *children: Node) -> Node:
    """Return an element with those children that there are, or nothing for none."""
    present = [child for child in children if child is not None]
    if not present:
        return None
    element = ElementTree.Element(name)
    element.extend(present)
    return element
