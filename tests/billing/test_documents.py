"""A document says what the invoice says, in its language, whatever alphabet its parties are named in."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
import typst
from pypdf import PdfReader

from billing.documents import pdf
from billing.documents.content import InvoiceContent, Logo, Party, UsageDay
from billing.documents.language import EN_DASH, MINUS, NO_BREAK_SPACE, language_of
from billing.documents.pdf import UNDRAWN, render
from billing.documents.printing import fonts, printed
from billing.documents.wording import WORDS, in_language
from tests.billing import papers
from tests.billing.papers import CREDIT_NOTE, DOLLARS, DRAFT, OUTSIDE, REVERSE_CHARGE, STANDARD

D = Decimal
ENGLISH, GERMAN = language_of("en"), language_of("de")


def text_of(content: InvoiceContent) -> str:
    pages = PdfReader(BytesIO(render(content))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


class TestInvoice:
    def test_prints_parties_lines_and_totals(self) -> None:
        text = text_of(STANDARD)
        for part in (
            "Northwind Communications Ltd 12 Harbour Street Dublin D02 X285 Ireland VAT ID IE6388047V",
            "Liffey Foods Ltd 3 Quay Lane Unit 4 Dublin D01 F5P2 Ireland VAT ID IE8256796U",
            "Invoice number INV-000042",
            "Due date 15 Dec 2026",
            "Your reference PO-2026-17",
            "Professional plan, monthly fee 1–31 Dec 2026 1 month 99.00 99.00",
            "86,412 minutes 0.012 1,036.94",
            "Subtotal 1,223.44",
            f"Included credit used {MINUS}50.00",
            "Tax 23% on 1,173.44 269.89",
            "Total EUR 1,443.33",
            f"Paid from prepaid credit {MINUS}100.00",
            "Amount due EUR 1,343.33",
            "Please transfer EUR 1,343.33 by 15 Dec 2026, with INV-000042 as reference.",
            "IBAN IE29 AIBK 9311 5212 3456 78 BIC AIBKIE2D Bank Harbour Bank",
            "Page 1 / 1",
        ):
            assert part in text

    def test_says_when_nothing_is_left_to_pay(self) -> None:
        text = text_of(replace(STANDARD, prepaid=STANDARD.total))
        assert "Nothing is left to pay." in text
        assert "IBAN" not in text

    def test_states_tax_in_the_seller_s_currency(self) -> None:
        assert "Tax in EUR: 248.70 (1 USD = 0.9215 EUR)" in text_of(DOLLARS)

    def test_says_why_no_tax_is_charged(self) -> None:
        text = text_of(replace(REVERSE_CHARGE, language="en"))
        assert "Tax 0% on 1,173.44 0.00" in text
        assert "Reverse charge: the recipient is liable for the tax" in text

    def test_appends_the_usage_by_day(self) -> None:
        day = UsageDay(date(2026, 11, 3), "SMS", D("1250"), "messages", 1250)
        text = text_of(replace(STANDARD, usage=(day,) * 100))
        assert "Usage by day" in text
        assert text.count("3 Nov 2026 SMS 1,250 messages 1,250") == 100
        assert text.count("Day Meter Quantity Unit Events") == 3  # the head is repeated on every page

    def test_repeats_the_head_of_many_lines(self) -> None:
        text = text_of(replace(STANDARD, lines=STANDARD.lines * 20))
        assert text.count("Description Quantity Unit Unit price Amount") == 3

    def test_a_finalized_one_says_nothing_of_drafts(self) -> None:
        assert "draft" not in text_of(STANDARD).lower()


class TestDraft:
    def test_is_marked_as_no_invoice(self) -> None:
        text = text_of(DRAFT)
        assert "DRAFT" in text
        assert "Draft invoice" in text
        assert "It is not an invoice, has no number, and nothing is due." in text
        assert "Due date" not in text
        assert "IBAN" not in text

    def test_has_tax_0_while_nothing_is_known_of_it(self) -> None:
        assert "Subtotal 1,223.44 Included credit used −50.00 Tax 0.00 Total EUR 1,173.44" in text_of(DRAFT)

    def test_says_so_when_nothing_was_used(self) -> None:
        assert "Nothing was used in this period." in text_of(replace(DRAFT, lines=()))


class TestCreditNote:
    def test_names_the_invoice_and_what_is_credited(self) -> None:
        text = text_of(CREDIT_NOTE)
        for part in (
            "Credit note number CN-000007",
            "Corrects invoice INV-000042 1 Dec 2026",
            "Description Amount Voice, outbound to +1 1–30 Nov 2026 120.00",
            "Tax 23% on 120.00 27.60",
            "Total credited EUR 147.60",
            "Reason: Calls of 3 November counted twice",
        ):
            assert part in text
        assert "Please transfer" not in text

    def test_is_a_correction_in_german(self) -> None:
        text = text_of(replace(CREDIT_NOTE, language="de"))
        assert "Rechnungskorrektur" in text
        assert "Gutschrift" not in text  # which in tax law is an invoice the buyer writes


class TestGerman:
    def test_says_everything_in_german(self) -> None:
        text = text_of(replace(REVERSE_CHARGE, usage=papers.long_appendix(1)))
        for part in (
            "Rechnung",
            "Acme GmbH Lindenstraße 5 10969 Berlin Deutschland USt-IdNr. DE136695976",
            "Rechnungsdatum 01.12.2026",
            "Leistungszeitraum 01.–30.11.2026",
            "Tarif Professional, monatliche Grundgebühr 01.–31.12.2026 1 Monat 99,00 99,00",
            "Telefonie, abgehend nach +1 01.–30.11.2026 · 20.118 Anrufe, Takt 60/60 s 86.412 Minuten 0,012 1.036,94",
            "12.500 Nachrichten",
            "USt. 0 % auf 1.173,44 0,00",
            "Gesamtbetrag EUR 1.173,44",
            "Steuerschuldnerschaft des Leistungsempfängers",
            "Bitte überweisen Sie EUR 1.173,44 bis zum 15.12.2026 mit dem Verwendungszweck INV-000043.",
            "01.11.2026 Telefonie 37 Minuten 3",
            "Seite 1 / 2",
        ):
            assert part in text

    def test_knows_every_word_that_english_has(self) -> None:
        assert WORDS["de"].keys() == WORDS["en"].keys()
        blanks = {name: text for name, text in WORDS["de"].items() if text.count("{") != WORDS["en"][name].count("{")}
        assert blanks == {}

    @pytest.mark.parametrize(
        ("english", "german"),
        [
            ("SMS, late usage of 2026-03-09", "SMS, nachträgliche Nutzung vom 09.03.2026"),
            ("1 call, billed 60/60 s", "1 Anruf, Takt 60/60 s"),
            ("Voice, inbound", "Telefonie, eingehend"),
            ("A meter of their own", "A meter of their own"),
            ("", ""),
        ],
    )
    def test_translates_the_catalogue_s_words_alone(self, english: str, german: str) -> None:
        assert in_language(english, "de") == german
        assert in_language(english, "en") == english


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "Müller & Söhne",
            "Ελληνική Εταιρεία",
            "Общество Пример",
            "Công ty Việt",
            "株式会社サンプル",
            "北京示例有限公司",
        ],
    )
    def test_prints_names_of_other_alphabets(self, name: str) -> None:
        assert name in text_of(replace(STANDARD, buyer=Party(name)))

    @pytest.mark.parametrize(
        ("name", "font"),
        [
            ("شركة المثال للتجارة", "NotoSansArabic"),
            ("חברת דוגמה בע״מ", "Heebo"),
            ("हिन्दी कंपनी", "NotoSansDevanagari"),
            ("บริษัท ตัวอย่าง", "NotoSansThai"),
            ("株式会社サンプル", "NotoSansCJKsc"),
        ],
    )
    def test_draws_them_with_a_font_that_is_embedded(self, name: str, font: str) -> None:
        page = PdfReader(BytesIO(render(replace(STANDARD, buyer=Party(name))))).pages[0]
        assert any(font in one["/BaseFont"] for one in page["/Resources"]["/Font"].values())
        assert UNDRAWN not in page.extract_text()

    @pytest.mark.parametrize(("country", "han"), [("JP", "JP"), ("TW", "TC"), ("HK", "HK"), ("KR", "KR"), ("DE", "SC")])
    def test_writes_han_characters_as_the_country_does(self, country: str, han: str) -> None:
        assert f"Noto Sans CJK {han}" in fonts(country)

    def test_a_name_is_printed_not_run(self) -> None:
        name = '#panic("x") $1 * _a_ <b> \\ " @me'
        assert "panic" in text_of(replace(STANDARD, buyer=Party(name)))

    @pytest.mark.parametrize("name", ["Rocket 🚀🚀 Inc", "A \U0001f469\u200d\U0001f680 B", "ᚠᚢ 🚀 𒀀"])
    def test_what_no_font_draws_is_a_square(self, name: str) -> None:
        assert UNDRAWN in text_of(replace(STANDARD, buyer=Party(name)))

    def test_gives_up_on_all_but_latin_in_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pdf, "ATTEMPTS", 0)
        assert f"Müller {UNDRAWN}" in text_of(replace(STANDARD, buyer=Party("Müller 🚀")))

    def test_another_failure_is_no_matter_of_fonts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        broken = replace(STANDARD, logo=Logo(b"no picture", "image/png"))
        with pytest.raises(typst.TypstError, match="PNG"):
            render(broken)

    def test_control_characters_and_turned_text_are_left_out(self) -> None:
        texts = printed(replace(STANDARD, buyer=Party("Acme\x00\x07 \u202eXYZ")))
        assert texts["buyer"]["name"] == "Acme   XYZ"

    def test_an_address_is_written_as_its_country_does(self) -> None:
        assert GERMAN.address(papers.GERMAN) == ["Lindenstraße 5", "10969 Berlin", "Deutschland"]
        assert ENGLISH.address(papers.AMERICAN)[-2:] == ["San Francisco 94105", "United States"]
        assert ENGLISH.address(Party("Nobody")) == []

    def test_a_tax_id_without_its_country_is_no_vat_id(self) -> None:
        assert "Tax ID 12-3456789" in text_of(replace(OUTSIDE, seller=replace(papers.AMERICAN, tax_id="12-3456789")))


class TestText:
    @pytest.mark.parametrize(
        ("amount", "currency", "english", "german"),
        [
            ("1234.50", "USD", "1,234.50", "1.234,50"),
            ("-50.00", "USD", f"{MINUS}50.00", f"{MINUS}50,00"),
            ("1500", "JPY", "1,500", "1.500"),
            ("1.5", "KWD", "1.500", "1,500"),
        ],
    )
    def test_money_has_the_currency_s_digits(self, amount: str, currency: str, english: str, german: str) -> None:
        assert (ENGLISH.money(D(amount), currency), GERMAN.money(D(amount), currency)) == (english, german)

    @pytest.mark.parametrize(("amount", "text"), [("0.0140", "0.014"), ("99", "99.00"), ("0.5", "0.50")])
    def test_a_price_keeps_all_its_digits(self, amount: str, text: str) -> None:
        assert ENGLISH.price(D(amount), "USD") == text
        assert GERMAN.price(D(amount), "USD") == text.replace(".", ",")

    @pytest.mark.parametrize(("number", "text"), [("12500.000", "12,500"), ("0.250", "0.25"), ("1E+3", "1,000")])
    def test_a_quantity_has_no_needless_zeros(self, number: str, text: str) -> None:
        assert ENGLISH.quantity(D(number)) == text

    @pytest.mark.parametrize(
        ("first", "last", "english", "german"),
        [
            (date(2026, 11, 1), date(2026, 11, 30), f"1{EN_DASH}30 Nov 2026", f"01.{EN_DASH}30.11.2026"),
            (
                date(2026, 11, 15),
                date(2026, 12, 14),
                f"15 Nov 2026 {EN_DASH} 14 Dec 2026",
                f"15.11. {EN_DASH} 14.12.2026",
            ),
            (
                date(2026, 12, 15),
                date(2027, 1, 14),
                f"15 Dec 2026 {EN_DASH} 14 Jan 2027",
                f"15.12.2026 {EN_DASH} 14.01.2027",
            ),
            (date(2026, 11, 1), date(2026, 11, 1), "1 Nov 2026", "01.11.2026"),
        ],
    )
    def test_a_range_names_month_and_year_once(self, first: date, last: date, english: str, german: str) -> None:
        assert ENGLISH.days(first, last).replace(NO_BREAK_SPACE, " ") == english
        assert GERMAN.days(first, last) == german

    def test_a_percentage_is_written_as_the_language_does(self) -> None:
        assert (ENGLISH.percent(D("5.500")), GERMAN.percent(D("5.500"))) == ("5.5%", f"5,5{NO_BREAK_SPACE}%")

    def test_an_unknown_language_is_english(self) -> None:
        assert language_of("fr") == ENGLISH
