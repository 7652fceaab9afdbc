"""The structure of PDF/A-3b and of Factur-X, read back with pypdf: no validator for PDF/A is to be had offline."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import facturx
import pytest
from lxml import etree
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from billing.documents.content import Logo
from billing.documents.pdf import FOLDER, render
from billing.documents.xmp import NAMESPACE, describe_e_invoice
from billing.einvoice.cii import cii_xml
from tests.billing import papers
from tests.billing.papers import CREDIT_NOTE, DRAFT, REVERSE_CHARGE, STANDARD
from tests.chat.files import picture

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = {
    "standard": STANDARD,
    "german": REVERSE_CHARGE,
    "credit-note": CREDIT_NOTE,
    "long": replace(STANDARD, usage=papers.long_appendix()),
    "names": replace(STANDARD, buyer=replace(papers.IRISH, name="شركة חברה 株式会社 ไทย हिन्दी 🚀")),
    "logo": replace(STANDARD, logo=Logo((FOLDER / "mark.svg").read_bytes(), "image/svg+xml")),
}
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


@pytest.fixture(scope="module", params=DOCUMENTS)
def pdf(request: pytest.FixtureRequest) -> bytes:
    content = DOCUMENTS[request.param]
    return render(content, xml=cii_xml(content))


@pytest.fixture
def root(pdf: bytes) -> Any:
    return PdfReader(BytesIO(pdf), strict=True).trailer["/Root"]


def objects_of(reader: PdfReader) -> Iterator[Any]:
    for number in range(1, int(reader.trailer["/Size"])):
        yield IndirectObject(number, 0, reader).get_object()


class TestPdfA:
    def test_begins_and_ends_as_it_must(self, pdf: bytes) -> None:
        assert pdf.startswith(b"%PDF-1.7\n%")
        assert all(byte > 127 for byte in pdf[10:14])
        assert pdf.endswith(b"%%EOF\n")

    def test_has_an_id_and_is_not_encrypted(self, pdf: bytes) -> None:
        trailer = PdfReader(BytesIO(pdf), strict=True).trailer
        assert len(trailer["/ID"]) == 2
        assert "/Encrypt" not in trailer

    def test_has_an_output_intent_with_its_profile(self, root: Any) -> None:
        (intent,) = root["/OutputIntents"]
        assert intent.get_object()["/S"] == "/GTS_PDFA1"
        assert len(intent.get_object()["/DestOutputProfile"].get_data()) > 100

    def test_declares_part_3_conformance_b(self, root: Any) -> None:
        metadata = root["/Metadata"]
        assert (metadata["/Type"], metadata["/Subtype"]) == ("/Metadata", "/XML")
        assert "/Filter" not in metadata
        xmp = metadata.get_data()
        assert b"<pdfaid:part>3</pdfaid:part>" in xmp
        assert b"<pdfaid:conformance>B</pdfaid:conformance>" in xmp

    def test_embeds_every_font(self, pdf: bytes) -> None:
        fonts = [
            one for one in objects_of(PdfReader(BytesIO(pdf))) if isinstance(one, dict) and one.get("/Type") == "/Font"
        ]
        descriptors = [
            font["/FontDescriptor"] for font in fonts if font["/Subtype"] in ("/CIDFontType0", "/CIDFontType2")
        ]
        assert descriptors
        assert all({"/FontFile2", "/FontFile3"} & set(one) for one in descriptors)
        assert all("/ToUnicode" in font for font in fonts if font["/Subtype"] == "/Type0")

    def test_runs_nothing(self, pdf: bytes) -> None:
        assert not [word for word in (b"/JavaScript", b"/JS", b"/Launch", b"/OpenAction", b"/XFA") if word in pdf]
        assert b"/LZWDecode" not in pdf

    def test_has_a_language_and_is_tagged(self, root: Any, pdf: bytes) -> None:
        assert root["/Lang"] == ("de" if b"/Lang(de)" in pdf else "en")
        assert root["/MarkInfo"]["/Marked"].value is True


class TestEmbeddedInvoice:
    def test_is_the_e_invoice(self, pdf: bytes) -> None:
        (content,) = PdfReader(BytesIO(pdf)).attachments["factur-x.xml"]
        assert facturx.xml_check_xsd(content, flavor="factur-x", level="en16931")
        assert facturx.get_xml_from_pdf(pdf, check_xsd=True)[0] == "factur-x.xml"

    def test_is_associated_with_the_document(self, root: Any) -> None:
        (file,) = (one.get_object() for one in root["/AF"])
        assert (file["/F"], file["/UF"], file["/AFRelationship"]) == ("factur-x.xml", "factur-x.xml", "/Alternative")
        embedded = file["/EF"]["/F"].get_object()
        assert embedded["/Subtype"] == "/text/xml"
        assert {"/ModDate", "/Size"} <= set(embedded["/Params"])
        assert root["/Names"]["/EmbeddedFiles"]["/Names"][0] == "factur-x.xml"

    def test_is_described_in_the_metadata(self, root: Any) -> None:
        xmp = etree.fromstring(root["/Metadata"].get_data().decode().partition("?>")[2].rpartition("<?")[0])
        fx = f"{{{NAMESPACE}}}"
        said = {one.tag.removeprefix(fx): one.text for one in xmp.iter() if one.tag.startswith(fx)}
        assert said == {
            "DocumentFileName": "factur-x.xml",
            "DocumentType": "INVOICE",
            "Version": "1.0",
            "ConformanceLevel": "EN 16931",
        }

    def test_brings_the_schema_of_its_description(self, root: Any) -> None:
        xmp = etree.fromstring(root["/Metadata"].get_data().decode().partition("?>")[2].rpartition("<?")[0])
        schemas = list(xmp.iter("{http://www.aiim.org/pdfa/ns/extension/}schemas"))
        assert len(schemas) == 1
        described = {
            next(one.iter("{http://www.aiim.org/pdfa/ns/schema#}namespaceURI")).text: [
                name.text for name in one.iter("{http://www.aiim.org/pdfa/ns/property#}name")
            ]
            for one in schemas[0].iterfind(f"{RDF}Bag/{RDF}li")
        }
        assert described[NAMESPACE] == ["DocumentFileName", "DocumentType", "Version", "ConformanceLevel"]

    def test_a_draft_has_none(self) -> None:
        assert PdfReader(BytesIO(render(DRAFT))).attachments == {}
        assert NAMESPACE.encode() not in render(DRAFT)


class TestUpdate:
    def test_leaves_every_byte_before_it(self) -> None:
        with_xml = render(STANDARD, xml=b"<a/>")
        before = with_xml[: with_xml.index(b"%%EOF") + 5]
        assert describe_e_invoice(before) == with_xml
        assert with_xml.count(b"%%EOF") == 2

    def test_has_a_version_of_its_own(self) -> None:
        trailers = render(STANDARD, xml=b"<a/>").split(b"trailer\n")[1:]
        ids = [one.partition(b"/ID[")[2].partition(b"]")[0] for one in trailers]
        assert ids[0].partition(b")")[0] == ids[1].partition(b")")[0]
        assert ids[0] != ids[1]

    @pytest.mark.parametrize(
        "pdf", [b"", b"%PDF-1.7\nnothing", b"trailer\n<</Size 1/ID[(a)(b)]>>\nstartxref\n1\n%%EOF"]
    )
    def test_refuses_what_typst_did_not_write(self, pdf: bytes) -> None:
        with pytest.raises(ValueError, match="no plain metadata stream"):
            describe_e_invoice(pdf)

    def test_refuses_metadata_without_extension_schemas(self) -> None:
        pdf = b"\n1 0 obj\n<</Length 1/Type/Metadata/Subtype/XML>>\nstream\nx\nendstream\nendobj\n"
        pdf += b"trailer\n<</Size 2/Root 1 0 R/ID[(a)(b)]>>\nstartxref\n1\n%%EOF"
        with pytest.raises(ValueError, match="no list of extension schemas"):
            describe_e_invoice(pdf)


class TestSameBytes:
    def test_the_same_content_gives_the_same_bytes(self) -> None:
        assert render(DRAFT) == render(DRAFT)
        assert render(DRAFT) != render(replace(DRAFT, plan="Starter"))

    def test_whatever_was_rendered_before(self) -> None:
        first = render(STANDARD, xml=b"<a/>")
        for content in DOCUMENTS.values():
            render(content)
        assert render(STANDARD, xml=b"<a/>") == first

    def test_in_another_process_too(self) -> None:
        program = (
            "from hashlib import sha256; from billing.documents.pdf import render; from billing.einvoice.cii import cii_xml;"
            "from tests.billing import papers as p;"
            "print(*(sha256(render(c, xml=cii_xml(c))).hexdigest() for c in (p.STANDARD, p.REVERSE_CHARGE, p.CREDIT_NOTE)))"
        )
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60)
        here = [sha256(render(c, xml=cii_xml(c))).hexdigest() for c in (STANDARD, REVERSE_CHARGE, CREDIT_NOTE)]
        assert ran.stdout.split() == here, ran.stderr


class TestLogo:
    def test_a_png_is_embedded(self) -> None:
        page = PdfReader(BytesIO(render(replace(STANDARD, logo=Logo(picture(size=(60, 20)), "image/png"))))).pages[0]
        assert [(image.image.width, image.image.height) for image in page.images if image.image] == [(60, 20)]

    def test_takes_the_place_of_the_seller_s_name_in_the_head(self) -> None:
        texts = [
            PdfReader(BytesIO(render(content))).pages[0].extract_text() for content in (STANDARD, DOCUMENTS["logo"])
        ]
        assert [text.replace("\n", " ").count("Northwind Communications") for text in texts] == [3, 2]
