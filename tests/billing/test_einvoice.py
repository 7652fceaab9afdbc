"""E-invoices hold to EN 16931: schema and schematron, offline, for every way we tax; whatever is wrong is found."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from lxml import etree

from billing.documents.content import InvoiceContent, Line, Party, StatedTax, TaxGroup
from billing.einvoice.checks import obstacles
from billing.einvoice.cii import NAMESPACES, cii_xml
from tests.billing import papers
from tests.billing.papers import CREDIT_NOTE, DOLLARS, DRAFT, NOVEMBER, OUTSIDE, REVERSE_CHARGE, STANDARD
from tests.billing.validator import failures

D = Decimal


def taxed_as(category: str, rate: str, tax: str, total: str, reason: str = "") -> InvoiceContent:
    """Return the standard invoice under another treatment."""
    return replace(
        STANDARD,
        lines=tuple(replace(line, tax_category=category, tax_rate=D(rate)) for line in STANDARD.lines),
        tax_groups=(TaxGroup(category, D(rate), D("1223.44"), D("50.00"), D("1173.44"), D(tax), reason),),
        tax=D(tax),
        total=D(total),
        prepaid=D(0),
    )


def two_rates() -> InvoiceContent:
    """Return an invoice over 100.00 at 23 % and 50.00 at 9 %, 15.00 of credit spread over both."""
    usual = Line("SMS", *NOVEMBER, D(100), "messages", D(1), D("100.00"), tax_category="S", tax_rate=D(23))
    lines = (usual, replace(usual, description="E-mail", quantity=D(50), amount=D("50.00"), tax_rate=D(9)))
    groups = (
        TaxGroup("S", D(23), D("100.00"), D("10.00"), D("90.00"), D("20.70")),
        TaxGroup("S", D(9), D("50.00"), D("5.00"), D("45.00"), D("4.05")),
    )
    return replace(
        STANDARD, lines=lines, tax_groups=groups, subtotal=D("150.00"), allowance=D("15.00"), tax=D("24.75"),
        total=D("159.75"), prepaid=D(0),
    )  # fmt: skip


def odd_lines() -> InvoiceContent:
    """Return one with a tiered price, a minimum, a line below zero and one for nothing."""
    line = Line("Voice", *NOVEMBER, D("86412.5"), "minutes", None, D("900.00"), tax_category="S", tax_rate=D(23))
    lines = (
        line,
        replace(line, description="SMS", quantity=D(3), unit="messages", unit_price=D("0.0075"), amount=D("5.00")),
        replace(line, description="MMS", quantity=D("-2"), unit="messages", unit_price=D("2.5"), amount=D("-5.00")),
        replace(line, description="Chat", quantity=D(7), unit="messages", unit_price=D(0), amount=D("0.00")),
    )
    group = TaxGroup("S", D(23), D("900.00"), D(0), D("900.00"), D("207.00"))
    return replace(
        STANDARD, lines=lines, tax_groups=(group,), subtotal=D("900.00"), allowance=D(0), tax=D("207.00"),
        total=D("1107.00"), prepaid=D(0),
    )  # fmt: skip


VALID = {
    "standard": STANDARD,
    "reverse-charge": REVERSE_CHARGE,
    "outside": OUTSIDE,
    "exempt": taxed_as("E", "0", "0.00", "1173.44", "Article 132 of Directive 2006/112/EC"),
    "exempt-without-words": taxed_as("E", "0", "0.00", "1173.44"),
    "zero": taxed_as("Z", "0", "0.00", "1173.44", "Zero-rated"),
    "half-percent": taxed_as("S", "5.5", "64.54", "1237.98"),
    "two-rates": two_rates(),
    "odd-lines": odd_lines(),
    "dollars-with-euro-tax": DOLLARS,
    "credit-note": CREDIT_NOTE,
    "credit-note-in-dollars": replace(CREDIT_NOTE, currency="USD", stated_tax=StatedTax("EUR", D("0.9215"), D("25.43"))),
    "german-credit-note": replace(CREDIT_NOTE, language="de"),
    "yen": replace(
        taxed_as("O", "0", "0", "1173", "Not subject to tax"), currency="JPY", subtotal=D(1223), allowance=D(50),
        lines=(replace(OUTSIDE.lines[0], amount=D(1223), quantity=D(1), unit_price=D(1223)),),
        tax_groups=(TaxGroup("O", D(0), D(1223), D(50), D(1173), D(0), "Not subject to tax"),),
    ),
    "all-covered": replace(taxed_as("S", "23", "269.89", "1443.33"), prepaid=D("1443.33")),
    "local-tax-id": replace(STANDARD, seller=replace(papers.SELLER, tax_id="6388047V")),
    "greek": replace(STANDARD, seller=replace(papers.SELLER, country="GR", tax_id="EL094259216")),
    "long-address": replace(STANDARD, buyer=replace(papers.IRISH, address=("a", "b", "c", "d", "e"))),
    "bare-buyer": replace(STANDARD, buyer=Party("Nobody", country="IE"), bank=None, buyer_reference=""),
    "other-alphabets": replace(STANDARD, buyer=replace(papers.IRISH, name="شركة المثال 株式会社 <&> \x07")),
}  # fmt: skip
TAMPERED = {
    "total": (STANDARD, b"<ram:GrandTotalAmount>1443.33", b"<ram:GrandTotalAmount>1443.34", "BR-CO-15"),
    "due": (STANDARD, b"<ram:DuePayableAmount>1343.33", b"<ram:DuePayableAmount>1343.32", "BR-CO-16"),
    "line": (STANDARD, b"<ram:LineTotalAmount>87.50", b"<ram:LineTotalAmount>87.51", "BR-CO-10"),
    "allowance": (STANDARD, b"<ram:ActualAmount>50.00", b"<ram:ActualAmount>50.01", "BR-CO-11"),
    "base": (STANDARD, b"<ram:BasisAmount>1173.44", b"<ram:BasisAmount>1173.45", "BR-S-08"),
    "tax": (STANDARD, b"<ram:CalculatedAmount>269.89", b"<ram:CalculatedAmount>279.89", "BR-CO-17"),
    "category": (REVERSE_CHARGE, b"<ram:CategoryCode>AE", b"<ram:CategoryCode>S", "BR-S-"),
    "country": (STANDARD, b"<ram:CountryID>IE", b"<ram:CountryID>XX", "FX-SCH-A-"),
    "note": (CREDIT_NOTE, b"<ram:GrandTotalAmount>147.60", b"<ram:GrandTotalAmount>147.61", "BR-CO-15"),
}


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    """Validate all documents of this module in one program: what each is refused for."""
    documents = {name: cii_xml(content) for name, content in VALID.items()}
    for name, (content, right, wrong, _) in TAMPERED.items():
        xml = cii_xml(content)
        assert right in xml
        documents[f"tampered-{name}"] = xml.replace(right, wrong)
    return failures(documents)


class TestSchematron:
    @pytest.mark.parametrize("name", VALID)
    def test_finds_nothing_wrong(self, found: dict[str, list[str]], name: str) -> None:
        assert obstacles(VALID[name]) == ()
        assert found[name] == []

    @pytest.mark.parametrize("name", TAMPERED)
    def test_finds_what_was_tampered_with(self, found: dict[str, list[str]], name: str) -> None:
        rules = [words.split()[0] for words in found[f"tampered-{name}"]]
        assert any(rule.startswith(TAMPERED[name][3]) for rule in rules), rules


def text_of(content: InvoiceContent, path: str) -> list[str | None]:
    return [one.text for one in etree.fromstring(cii_xml(content)).iterfind(path, NAMESPACES)]


class TestXml:
    def test_says_what_it_is(self) -> None:
        assert text_of(STANDARD, "rsm:ExchangedDocument/ram:TypeCode") == ["380"]
        assert text_of(CREDIT_NOTE, "rsm:ExchangedDocument/ram:TypeCode") == ["381"]
        assert text_of(CREDIT_NOTE, ".//ram:InvoiceReferencedDocument/ram:IssuerAssignedID") == ["INV-000042"]
        assert text_of(STANDARD, ".//ram:BuyerReference") == ["PO-2026-17"]

    def test_states_tax_in_both_currencies(self) -> None:
        totals = etree.fromstring(cii_xml(DOLLARS)).iterfind(".//ram:TaxTotalAmount", NAMESPACES)
        assert [(one.get("currencyID"), one.text) for one in totals] == [("USD", "269.89"), ("EUR", "248.70")]
        assert text_of(DOLLARS, ".//ram:TaxCurrencyCode") == ["EUR"]

    def test_pays_into_the_account(self) -> None:
        assert text_of(STANDARD, ".//ram:IBANID") == ["IE29AIBK93115212345678"]
        assert text_of(STANDARD, ".//ram:SpecifiedTradeSettlementPaymentMeans/ram:TypeCode") == ["58"]
        assert text_of(DOLLARS, ".//ram:SpecifiedTradeSettlementPaymentMeans/ram:TypeCode") == ["30"]
        assert text_of(STANDARD, ".//ram:PaymentReference") == ["INV-000042"]

    def test_gives_each_line_its_own_service_period(self) -> None:
        path = (
            "rsm:SupplyChainTradeTransaction/ram:IncludedSupplyChainTradeLineItem//ram:StartDateTime/udt:DateTimeString"
        )
        assert text_of(STANDARD, path) == ["20261201", "20261101", "20261101"]
        whole = ".//ram:ApplicableHeaderTradeSettlement/ram:BillingSpecifiedPeriod//udt:DateTimeString"
        assert text_of(STANDARD, whole) == ["20261101", "20261231"]

    def test_is_in_the_document_s_language(self) -> None:
        names = text_of(REVERSE_CHARGE, ".//ram:SpecifiedTradeProduct/ram:Name")
        assert names == ["Tarif Professional, monatliche Grundgebühr", "Telefonie, abgehend nach +1", "SMS"]
        assert text_of(REVERSE_CHARGE, ".//ram:ExemptionReason") == ["Steuerschuldnerschaft des Leistungsempfängers"]

    def test_a_line_is_quantity_times_price_or_one_thing(self) -> None:
        content = odd_lines()
        quantities = etree.fromstring(cii_xml(content)).iterfind(".//ram:BilledQuantity", NAMESPACES)
        counted = [(one.text, one.get("unitCode")) for one in quantities]
        assert counted == [("1", "C62"), ("1", "C62"), ("-2", "C62"), ("7", "C62")]
        assert text_of(content, ".//ram:ChargeAmount") == ["900", "5", "2.5", "0"]
        assert text_of(content, ".//ram:SpecifiedTradeProduct/ram:Description") == ["86,412.5 minutes", "3 messages"]

    def test_names_no_vat_id_where_nothing_is_subject_to_it(self) -> None:
        registrations = etree.fromstring(cii_xml(OUTSIDE)).iterfind(
            ".//ram:SpecifiedTaxRegistration/ram:ID", NAMESPACES
        )
        assert [one.get("schemeID") for one in registrations] == ["FC"]

    def test_gives_the_same_bytes_for_the_same_content(self) -> None:
        assert cii_xml(STANDARD) == cii_xml(replace(STANDARD))


class TestObstacles:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (DRAFT, "A draft is no invoice"),
            (replace(STANDARD, issue_date=None), "A draft is no invoice"),
            (replace(STANDARD, seller=replace(papers.SELLER, country="")), "The seller has no country"),
            (replace(STANDARD, buyer=Party("Acme")), "The buyer has no country"),
            (replace(STANDARD, seller=replace(papers.SELLER, tax_id="")), "The seller has no tax id"),
            (replace(STANDARD, lines=()), "It has no lines"),
            (replace(STANDARD, tax_groups=()), "How its lines are taxed is not stored"),
            (replace(STANDARD, lines=(replace(STANDARD.lines[0], tax_category=""),)), "How its lines are taxed"),
            (replace(REVERSE_CHARGE, buyer=replace(papers.GERMAN, tax_id="")), "Reverse charge needs the tax ids"),
            (replace(STANDARD, currency="KWD"), "Amounts in KWD have three decimals"),
            (replace(STANDARD, stated_tax=StatedTax("BHD", D(1), D(1))), "Amounts in BHD have three decimals"),
        ],
    )
    def test_says_why_there_can_be_no_e_invoice(self, content: InvoiceContent, words: str) -> None:
        assert any(reason.startswith(words) for reason in obstacles(content))

    def test_an_issued_invoice_has_none(self) -> None:
        assert obstacles(replace(STANDARD, issue_date=date(2026, 12, 2))) == ()
