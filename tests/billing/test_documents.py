"""The PDF says what the invoice says, the same bytes every time."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from pypdf import PdfReader

from billing.documents.content import EN_DASH, InvoiceContent, Line, Party, UsageDay, days, money, price, quantity
from billing.documents.pdf import render

D = Decimal
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))
CONTENT = InvoiceContent(
    number="2026-000042",
    is_draft=False,
    currency="USD",
    seller=Party("Northwind Communications Ltd", ("12 Harbour Street", "Dublin", "Ireland"), "IE1234567FA"),
    buyer=Party("Acme GmbH", email="finance@acme.example"),
    plan="Professional",
    period_start=NOVEMBER[0],
    period_end=NOVEMBER[1],
    issue_date=date(2026, 12, 1),
    due_date=date(2026, 12, 15),
    lines=(
        Line("Voice, outbound to +1", *NOVEMBER, D("86412"), "minutes", D("0.0120"), D("1036.94"), "20,118 calls"),
        Line("SMS", *NOVEMBER, D("12500"), "messages", D("0.0070"), D("87.50")),
    ),
    subtotal=D("1124.44"),
    allowance=D("50.00"),
    tax=D("0.00"),
    total=D("1074.44"),
    timezone="Europe/Berlin",
    as_of=datetime(2026, 12, 1, 9, 30, tzinfo=UTC),
)
DRAFT = replace(CONTENT, is_draft=True, number="", issue_date=None, due_date=None)


def text_of(content: InvoiceContent) -> str:
    pages = PdfReader(BytesIO(render(content))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


class TestRender:
    def test_prints_parties_lines_and_totals(self) -> None:
        text = text_of(CONTENT)
        for part in (
            "Northwind Communications Ltd",
            "Tax ID IE1234567FA",
            "Acme GmbH",
            "2026-000042",
            "15 Dec 2026",
            "86,412 minutes 0.012 1,036.94",
            "Subtotal 1,124.44",
            "Included credit used \N{MINUS SIGN}50.00",
            "Total USD 1,074.44",
            "Page 1 of 1",
        ):
            assert part in text

    def test_marks_a_draft_as_no_invoice(self) -> None:
        text = text_of(DRAFT)
        assert "DRAFT" in text
        assert "Draft invoice" in text
        assert "It is not an invoice, has no number, and nothing is due." in text
        assert "Due date" not in text

    def test_a_finalized_one_says_nothing_of_drafts(self) -> None:
        assert "draft" not in text_of(CONTENT).lower()

    def test_appends_the_usage_by_day(self) -> None:
        day = UsageDay(date(2026, 11, 3), "SMS", D("1250"), "messages", 1250)
        text = text_of(replace(CONTENT, usage=(day,) * 100))
        assert "Usage by day" in text
        assert text.count("3 Nov 2026 SMS 1,250 messages 1,250") == 100
        assert text.count("Day Meter Quantity Unit Events") == 3  # the head is repeated on every page

    def test_says_so_when_nothing_was_used(self) -> None:
        assert "Nothing was used in this period." in text_of(replace(DRAFT, lines=()))

    def test_a_name_is_printed_not_run(self) -> None:
        name = '#panic("x") $1 * _a_ <b> \\ " @me'
        assert "panic" in text_of(replace(CONTENT, buyer=Party(name)))

    @pytest.mark.parametrize("name", ["Müller & Söhne", "Ελληνική Εταιρεία", "Общество Пример", "Công ty Việt"])
    def test_prints_names_of_other_alphabets(self, name: str) -> None:
        assert name in text_of(replace(CONTENT, buyer=Party(name)))

    def test_gives_the_same_bytes_for_the_same_content(self) -> None:
        assert render(DRAFT) == render(DRAFT)
        assert render(DRAFT) != render(replace(DRAFT, plan="Starter"))

    def test_declares_pdf_a_3b_and_embeds_its_fonts(self) -> None:
        reader = PdfReader(BytesIO(render(CONTENT)))
        metadata = reader.trailer["/Root"]["/Metadata"].get_data()
        assert b"<pdfaid:part>3</pdfaid:part>" in metadata
        assert b"<pdfaid:conformance>B</pdfaid:conformance>" in metadata
        assert all("Inter" in font["/BaseFont"] for font in reader.pages[0]["/Resources"]["/Font"].values())


class TestText:
    @pytest.mark.parametrize(
        ("amount", "currency", "text"),
        [("1234.50", "USD", "1,234.50"), ("-50.00", "USD", "\N{MINUS SIGN}50.00"), ("1500", "JPY", "1,500")],
    )
    def test_money_has_the_currency_s_digits(self, amount: str, currency: str, text: str) -> None:
        assert money(D(amount), currency) == text

    @pytest.mark.parametrize(("amount", "text"), [("0.0140", "0.014"), ("99", "99.00"), ("0.5", "0.50")])
    def test_a_price_keeps_all_its_digits(self, amount: str, text: str) -> None:
        assert price(D(amount), "USD") == text

    @pytest.mark.parametrize(("number", "text"), [("12500.000", "12,500"), ("0.250", "0.25"), ("1E+3", "1,000")])
    def test_a_quantity_has_no_needless_zeros(self, number: str, text: str) -> None:
        assert quantity(D(number)) == text

    @pytest.mark.parametrize(
        ("first", "last", "text"),
        [
            (date(2026, 11, 1), date(2026, 11, 30), f"1{EN_DASH}30 Nov 2026"),
            (date(2026, 11, 15), date(2026, 12, 14), f"15 Nov 2026 {EN_DASH} 14 Dec 2026"),
            (date(2026, 11, 1), date(2026, 11, 1), "1 Nov 2026"),
        ],
    )
    def test_a_range_names_the_month_once(self, first: date, last: date, text: str) -> None:
        assert days(first, last).replace("\N{NO-BREAK SPACE}", " ") == text
