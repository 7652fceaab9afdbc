"""Exports: what is in the files, that no text in them runs, and that long ones are made once, whoever dies over them."""

import csv
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest
from django.utils import timezone

from accounts.tenancy import tenant_scope
from billing.export_tasks import forget_exports, make_exports
from billing.exports.cells import Table
from billing.exports.csv_file import CsvFile
from billing.exports.xlsx_file import XlsxFile
from billing.exports.zip_file import Archive
from billing.models import Export, Invoice
from billing.services import exporting
from common.formulas import defused
from common.models import Job
from tests import factories
from tests.assertions import rows
from tests.billing.helpers import buy_from, finalized, sell_from
from tests.conftest import ApiClient

EVIL = '=HYPERLINK("https://evil.example","x")'
TABLE = Table("List", ("Name", "Amount", "Day"))
NOW = datetime(2026, 4, 1)


@pytest.fixture
def invoice(acme: factories.Company) -> Invoice:
    sell_from("IE")
    buy_from(acme, "IE", legal_name=EVIL)
    return finalized(acme)


def made(company: factories.Company, **body: str) -> bytes:
    """Ask for an export by the API and return its file."""
    client = ApiClient(company.api_key)
    answer = client.post("/v1/billing/exports", body)
    assert answer.status_code == 201, answer.content
    export = answer.json()
    assert (export["status"], export["done_count"]) == ("done", export["total_count"])
    file = client.get(export["url"].partition("testserver")[2])
    assert file.status_code == 200
    assert export["sha256"] == sha256(file.content).hexdigest()
    return file.content


@pytest.mark.parametrize("text", [EVIL, "+1", "-1", "@x", "\t=1", "\r=1", "＝1", " =1"])
def test_a_text_that_could_run_is_defused(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("text", ["Acme", "1+1", "", "a=b"])
def test_any_other_text_stays(text: str) -> None:
    assert defused(text) == text


def test_csv_writes_amounts_with_a_point_and_days_as_iso() -> None:
    file = CsvFile(TABLE)
    file.add(['Jürgen, "the" one', Decimal("-1234.50"), date(2026, 3, 31)])
    file.add(["", None, None])
    assert file.finish().decode() == 'Name,Amount,Day\r\n"Jürgen, ""the"" one",-1234.50,2026-03-31\r\n,,\r\n'


def test_xlsx_holds_numbers_days_and_text_but_no_formula() -> None:
    file = XlsxFile(TABLE, now=NOW)
    file.add([EVIL, Decimal("12.50"), date(2026, 3, 31)])
    with ZipFile(BytesIO(file.finish())) as book:
        sheet, strings = book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet
    assert "<v>12.5</v>" in sheet
    assert "<v>46112</v>" in sheet  # days since 1899-12-30
    assert "=HYPERLINK" in strings


def test_an_archive_is_the_same_bytes_again_and_keeps_both_of_a_name() -> None:
    def packed() -> bytes:
        archive = Archive()
        archive.add("a.pdf", b"1")
        archive.add("a.pdf", b"2")
        return archive.finish()

    assert packed() == packed()
    with ZipFile(BytesIO(packed())) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"a.pdf": b"1", "a-2.pdf": b"2"}


def test_a_list_says_what_each_invoice_comes_to(acme: factories.Company, invoice: Invoice) -> None:
    (row,) = csv.DictReader(StringIO(made(acme, kind="invoices", format="csv").decode()))
    assert (row["Invoice"], row["Status"], row["Issued"]) == (invoice.invoice_number, "pending", "2026-04-01")
    assert (Decimal(row["Total"]), Decimal(row["Still due"])) == (invoice.total_amount, invoice.total_amount)
    assert (row["Buyer"], row["Id"]) == (f"'{EVIL}", f"inv_{invoice.pk.hex}")
    assert made(acme, kind="invoices", format="xlsx").startswith(b"PK")


def test_a_month_of_documents_is_pdf_and_xml_of_each(acme: factories.Company, invoice: Invoice) -> None:
    content = made(acme, kind="documents", format="zip", start_date="2026-04-01", end_date="2026-04-30")
    with ZipFile(BytesIO(content)) as archive:
        names = archive.namelist()
        assert names == [f"invoice-{invoice.invoice_number}.pdf", f"invoice-{invoice.invoice_number}.xml"]
        assert archive.read(names[0]).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"kind": "documents", "format": "csv"}, 422, "/format"),
        ({"kind": "invoices", "format": "zip"}, 422, "/format"),
        ({"kind": "secrets", "format": "csv"}, 422, "/kind"),
        ({"kind": "invoices", "format": "csv", "start_date": "2026-13-01"}, 422, "/start_date"),
        ({"kind": "invoices", "format": "csv", "start_date": "2026-03-02", "end_date": "2026-03-01"}, 422, "/end_date"),
        ({"kind": "invoices", "format": "csv", "status": "paid"}, 409, ""),
    ],
)
def test_refuses_what_it_cannot_make(
    acme: factories.Company, invoice: Invoice, body: dict[str, str], status: int, pointer: str
) -> None:
    answer = ApiClient(acme.api_key).post("/v1/billing/exports", body)
    assert answer.status_code == status, answer.content
    assert [error["pointer"] for error in answer.json().get("errors", [])] == ([pointer] if pointer else [])
    assert rows(Export, tenant=acme.tenant) == []


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one piece be too much for a request."""
    monkeypatch.setattr(exporting, "LIST", exporting.Size(0, 1, 10))


def waiting(company: factories.Company) -> str:
    answer = ApiClient(company.api_key).post("/v1/billing/exports", {"kind": "invoices", "format": "csv"})
    assert (answer.status_code, answer.json()["status"], answer.json()["url"]) == (201, "waiting", None)
    return str(answer.json()["id"])


def test_a_worker_makes_a_long_one(acme: factories.Company, invoice: Invoice, long: None) -> None:
    key, client = waiting(acme), ApiClient(acme.api_key)
    assert client.get(f"/v1/billing/exports/{key}/file").status_code == 409
    make_exports()
    export = client.get(f"/v1/billing/exports/{key}").json()
    assert (export["status"], export["done_count"], export["total_count"]) == ("done", 1, 1)
    assert invoice.invoice_number in client.get(f"/v1/billing/exports/{key}/file").content.decode()
    assert [row["id"] for row in client.get("/v1/billing/exports").json()["results"]] == [key]


def test_whoever_dies_over_it_leaves_it_to_the_next(acme: factories.Company, invoice: Invoice, long: None) -> None:
    waiting(acme)
    (export,) = rows(Export, tenant=acme.tenant)
    now = timezone.now()
    with tenant_scope(acme.tenant.pk):
        which = {"tenant_id": acme.tenant.pk, "export_id": export.pk}
        dead = exporting.lease_export(**which, now=now)
        assert dead is not None
        exporting.add_piece(dead, dead.pieces[0], now=now)
        assert exporting.lease_export(**which, now=now) is None
        later = now + exporting.LEASE * 2
        work = exporting.lease_export(**which, now=later)
        assert work is not None
        assert Job.objects.get(pk=export.job_id).done_count == 0
        exporting.add_piece(work, work.pieces[0], now=later)
        exporting.finish_export(**which, content=work.packer.finish(), now=later)
        exporting.finish_export(**which, content=b"another", now=later)
        assert b"another" not in exporting.export_file(**which)[1]


def test_what_has_expired_is_deleted(
    acme: factories.Company, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "KEPT", exporting.KEPT * -1)
    ApiClient(acme.api_key).post("/v1/billing/exports", {"kind": "invoices", "format": "csv"})
    assert len(rows(Export, tenant=acme.tenant)) == 1
    forget_exports()
    assert rows(Export, tenant=acme.tenant) == []


def test_a_repeat_with_its_key_is_the_same_export(acme: factories.Company, invoice: Invoice) -> None:
    client, body = ApiClient(acme.api_key), {"kind": "invoices", "format": "csv"}
    first, again = (client.post("/v1/billing/exports", body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.json()["id"], again["Idempotency-Replayed"]) == (again.json()["id"], "true")
    assert len(rows(Export, tenant=acme.tenant)) == 1
