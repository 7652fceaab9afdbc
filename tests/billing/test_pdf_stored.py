"""Documents are made once, kept with their hashes, never changed, and shown to whom they belong."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, connections, transaction
from pypdf import PdfReader

from accounts.models import User
from accounts.tenancy import system_access, tenant_scope
from billing.documents.pdf import FOLDER, render
from billing.einvoice.cii import cii_xml
from billing.models import CreditNote, ExchangeRate, Invoice, InvoiceDocument, LegalEntity, SellerLogo
from billing.selectors import invoice_of
from billing.services.contents import content_of_invoice
from billing.services.documents import credit_note_pdf, credit_note_xml, invoice_pdf, invoice_xml
from billing.services.logos import set_logo
from common.errors import Invalid, NotFound
from tests.billing.helpers import APRIL, buy_from, drafted, finalize, finalized, sell_from
from tests.billing.test_credit_notes import credit
from tests.billing.test_payments import pay
from tests.billing.validator import failures
from tests.chat.files import picture
from tests.factories import NOW, PASSWORD, Company
from tests.usage.helpers import at
from usage.services import grant

Api = Callable[[str | None], Any]
SVG = (FOLDER / "mark.svg").read_bytes()
TEXT = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text y="9">\N{ROCKET}</text></svg>'.encode()


@pytest.fixture
def parties(acme: Company) -> None:
    seller = {"city": "Dublin", "postal_code": "D02 X285", "iban": "IE29AIBK93115212345678"}
    sell_from("IE", tax_id="IE6388047V", tax_currency="EUR", **seller)
    buy_from(acme, "IE", legal_name="Acme Ltd", city="Cork", reference="PO-17")
    ExchangeRate.objects.create(currency="USD", into_currency="EUR", rate_date=at(2026, 3, 31).date(), rate="0.8765")


@pytest.fixture
def invoice(parties: None, acme: Company) -> Invoice:
    return finalized(acme)


def printed(invoice: Invoice) -> bytes:
    with tenant_scope(invoice.tenant_id):
        return invoice_pdf(tenant_id=invoice.tenant_id, invoice_id=invoice.pk).content


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


class TestInvoice:
    def test_says_what_was_stored_when_it_was_finalized(self, invoice: Invoice) -> None:
        text = text_of(printed(invoice))
        for part in (
            "Northwind Ltd 12 Harbour Street Dublin D02 X285 Ireland VAT ID IE6388047V",
            "Acme Ltd Cork Ireland",
            "Invoice number INV-000001",
            "Your reference PO-17",
            "Subtotal 75.00 Included credit used −50.00 Tax 23% on 25.00 5.75 Total USD 30.75",
            "Tax in EUR: 5.04 (1 USD = 0.8765 EUR)",
            "IBAN IE29 AIBK 9311 5212 3456 78",
        ):
            assert part in text

    def test_stays_what_it_is_whatever_happens_after(self, invoice: Invoice, acme: Company) -> None:
        before = printed(invoice)
        sell_from("DE", tax_id="DE136695976")
        buy_from(acme, "FR", legal_name="Another")
        pay(invoice, "10")
        credit(invoice, [(1, "10")])
        assert printed(invoice) == before
        with tenant_scope(acme.tenant.pk):
            content = content_of_invoice(invoice_of(tenant_id=acme.tenant.pk, invoice_id=invoice.pk))
        assert render(content, xml=cii_xml(content)) == before  # made again, of what was stored with the invoice

    def test_is_kept_with_its_hashes(self, invoice: Invoice) -> None:
        pdf = printed(invoice)
        with system_access("test"):
            kept = InvoiceDocument.unscoped.get()
        assert (bytes(kept.content), kept.sha256, kept.number) == (pdf, sha256(pdf).hexdigest(), "INV-000001")
        assert sha256(bytes(kept.xml)).hexdigest() == kept.xml_sha256
        assert PdfReader(BytesIO(pdf)).attachments["factur-x.xml"] == [bytes(kept.xml)]

    def test_takes_the_place_of_the_draft_s(self, parties: None, acme: Company) -> None:
        draft = drafted(acme)
        assert "DRAFT" in text_of(printed(draft))
        final = text_of(printed(finalize(draft)))
        assert "INV-000001" in final
        assert "DRAFT" not in final
        with system_access("test"):
            assert InvoiceDocument.unscoped.count() == 1

    @pytest.mark.parametrize(
        "statement", ["UPDATE invoice_documents SET content = ''", "DELETE FROM invoice_documents"]
    )
    def test_is_never_changed_by_any_path(self, invoice: Invoice, statement: str) -> None:
        printed(invoice)
        with system_access("test"), connection.cursor() as cursor:
            with pytest.raises(DatabaseError, match="The document of INV-000001 is final"), transaction.atomic():
                cursor.execute(statement)
            assert InvoiceDocument.unscoped.get().content

    def test_shows_what_prepaid_credit_paid_at_once(self, parties: None, acme: Company) -> None:
        with tenant_scope(acme.tenant.pk):
            top_up = {"source": "prepaid", "key": "topup", "amount": Decimal(20), "currency": "USD", "starts_at": NOW}
            grant(tenant_id=acme.tenant.pk, **top_up)
        assert "Paid from prepaid credit −20.00 Amount due USD 10.75" in text_of(printed(finalized(acme)))

    def test_a_foreign_one_is_not_found(self, invoice: Invoice, globex: Company) -> None:
        with tenant_scope(globex.tenant.pk), pytest.raises(NotFound):
            invoice_xml(tenant_id=globex.tenant.pk, invoice_id=invoice.pk)


class TestEInvoices:
    def test_of_every_treatment_hold_to_the_schematron(self, acme: Company, globex: Company, parties: None) -> None:
        first = finalized(acme)
        note = credit(first, None)
        buy_from(globex, "DE", tax_id="DE136695976", language="de")
        documents = {}
        for name, one in {"standard": first, "reverse-charge": finalized(globex)}.items():
            with tenant_scope(one.tenant_id):
                documents[name] = invoice_xml(tenant_id=one.tenant_id, invoice_id=one.pk).content
        with tenant_scope(note.tenant_id):
            documents["credit-note"] = credit_note_xml(tenant_id=note.tenant_id, credit_note_id=note.pk).content
        assert failures(documents) == {name: [] for name in documents}
        assert b"<ram:CategoryCode>AE" in documents["reverse-charge"]

    def test_is_answered_over_http(self, api: Api, acme: Company, invoice: Invoice) -> None:
        path = f"/v1/billing/invoices/inv_{invoice.pk.hex}"
        answer = api(acme.api_key).get(path + "/xml", headers={"Accept": "application/xml"})
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/xml")
        assert answer["Content-Disposition"] == 'inline; filename="invoice-INV-000001.xml"'
        assert answer["ETag"] == f'"{sha256(answer.content).hexdigest()}"'
        pdf = api(acme.api_key).get(path + "/pdf")
        assert pdf["Content-Disposition"] == 'inline; filename="invoice-INV-000001.pdf"'
        assert PdfReader(BytesIO(pdf.content)).attachments["factur-x.xml"] == [answer.content]

    def test_a_draft_has_none(self, api: Api, acme: Company) -> None:
        draft = drafted(acme)
        answer = api(acme.api_key).get(
            f"/v1/billing/invoices/inv_{draft.pk.hex}/xml", headers={"Accept": "application/xml"}
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "no-e-invoice")
        assert answer.json()["detail"] == "A draft is no invoice: it has no number and no date."

    def test_mallory_and_agents_get_none(
        self, api: Api, signed_in: Callable[[Any], Any], acme: Company, globex: Company, invoice: Invoice
    ) -> None:
        path = f"/v1/billing/invoices/inv_{invoice.pk.hex}/xml"
        assert api(globex.api_key).get(path).status_code == 404
        assert signed_in(acme.agent).get(path).status_code == 403
        with system_access("test"):
            assert not InvoiceDocument.unscoped.exists()


class TestCreditNote:
    @pytest.fixture
    def note(self, invoice: Invoice) -> CreditNote:
        return credit(invoice, [(1, "10")])

    def test_is_a_document_of_its_own(self, note: CreditNote) -> None:
        with tenant_scope(note.tenant_id):
            made = credit_note_pdf(tenant_id=note.tenant_id, credit_note_id=note.pk)
            again = credit_note_pdf(tenant_id=note.tenant_id, credit_note_id=note.pk)
        assert (made.filename, made.content) == ("credit-note-CN-000001.pdf", again.content)
        text = text_of(made.content)
        assert "Corrects invoice INV-000001 1 Apr 2026" in text
        assert "Tax 23% on 10.00 2.30 Total credited USD 12.30" in text

    def test_is_answered_over_http(self, api: Api, acme: Company, globex: Company, note: CreditNote) -> None:
        path = f"/v1/billing/credit-notes/cn_{note.pk.hex}"
        pdf, xml = (api(acme.api_key).get(f"{path}/{kind}") for kind in ("pdf", "xml"))
        assert (pdf.status_code, pdf["Content-Type"]) == (200, "application/pdf")
        assert (xml.status_code, xml["Content-Type"]) == (200, "application/xml")
        assert b"<ram:TypeCode>381<" in xml.content
        assert [api(globex.api_key).get(f"{path}/{kind}").status_code for kind in ("pdf", "xml")] == [404, 404]


class TestTogether:
    def test_whoever_asks_first_all_get_the_same(self, committed_db: None, acme: Company) -> None:
        sell_from("IE")
        buy_from(acme, "IE")
        invoice = finalized(acme)

        def ask(_: int) -> bytes:
            try:
                with tenant_scope(invoice.tenant_id):
                    return invoice_pdf(tenant_id=invoice.tenant_id, invoice_id=invoice.pk).content
            finally:
                connections.close_all()

        with ThreadPoolExecutor(6) as pool:
            assert len(set(pool.map(ask, range(12)))) == 1
        with system_access("test"):
            assert InvoiceDocument.unscoped.count() == 1


class TestLogo:
    def test_is_on_what_is_made_from_then_on(self, parties: None, acme: Company) -> None:
        draft = drafted(acme)
        seller = LegalEntity.objects.get()
        set_logo(legal_entity_id=seller.pk, content=picture(size=(60, 20)), now=NOW)
        set_logo(legal_entity_id=seller.pk, content=picture(size=(90, 30)), now=at(2026, 5, 1))
        page = PdfReader(BytesIO(printed(finalize(draft, now=APRIL)))).pages[0]
        assert [image.image.size for image in page.images if image.image] == [(60, 20)]

    def test_a_large_png_is_made_smaller(self, parties: None) -> None:
        logo = set_logo(legal_entity_id=LegalEntity.objects.get().pk, content=picture(size=(3000, 900)), now=NOW)
        assert logo.media_type == "image/png"
        assert len(logo.content) < 10_000

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "a PNG or an SVG"),
            (b"GIF89a", "a PNG or an SVG"),
            (picture("JPEG"), "a PNG or an SVG"),
            (picture()[:40], "a PNG or an SVG"),
            (b"<svg", "cannot be drawn"),
            (TEXT, "cannot be drawn"),
            (b"<svg>\xff</svg>", "UTF-8"),
            (b"<svg>" + b" " * 256 * 1024, "at most 256 KB"),
            (picture(size=(5000, 4000)), "16 million pixels"),
        ],
        ids=["empty", "gif", "jpeg", "torn", "torn-svg", "svg-with-text", "latin-1", "heavy", "vast"],
    )  # fmt: skip
    def test_refuses_what_no_document_could_show(self, parties: None, content: bytes, words: str) -> None:
        with pytest.raises(Invalid, match=words):
            set_logo(legal_entity_id=LegalEntity.objects.get().pk, content=content, now=NOW)
        assert not SellerLogo.objects.exists()

    def test_is_never_changed(self, parties: None) -> None:
        logo = set_logo(legal_entity_id=LegalEntity.objects.get().pk, content=SVG, now=NOW)
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            SellerLogo.objects.filter(pk=logo.pk).update(media_type="image/png")
        assert SellerLogo.objects.get().media_type == "image/svg+xml"

    def test_operators_upload_it(self, signed_in: Callable[[Any], Any], parties: None) -> None:
        operator_client = signed_in(User.objects.create_superuser("olivia@example.com", PASSWORD, name="Olivia"))
        form = {"legal_entity": str(LegalEntity.objects.get().pk), "picture": SimpleUploadedFile("logo.svg", SVG)}
        page = operator_client.post("/admin/billing/sellerlogo/add/", form)
        assert page.status_code == 302, page.content
        assert bytes(SellerLogo.objects.get().content) == SVG
        wrong = {**form, "picture": SimpleUploadedFile("logo.gif", b"GIF89a")}
        assert b"a PNG or an SVG" in operator_client.post("/admin/billing/sellerlogo/add/", wrong).content
        assert SellerLogo.objects.count() == 1
