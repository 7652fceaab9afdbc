"""The description of an embedded e-invoice in a PDF's metadata (Factur-X 1.0, section 6.2.3), which Typst does not write.

It is added by an incremental update (ISO 32000-1, 7.5.6), which PDF/A-3 allows: the metadata stream once more, with the
description in it, then a cross-reference section for that one object. Every byte before stays what it was.
"""

import re
from hashlib import sha256

NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
PROPERTIES = {
    "DocumentFileName": ("factur-x.xml", "The name of the embedded XML document"),
    "DocumentType": ("INVOICE", "The type of the hybrid document in capital letters, e.g. INVOICE or ORDER"),
    "Version": ("1.0", "The actual version of the standard applying to the embedded XML document"),
    "ConformanceLevel": ("EN 16931", "The conformance level of the embedded XML document"),
}
METADATA = re.compile(
    rb"\n(?P<id>\d+) 0 obj\n<<(?P<entries>[^<>]*/Type/Metadata[^<>]*)>>\nstream\n(?P<xmp>.*?)\nendstream", re.DOTALL
)
LENGTH = re.compile(rb"/Length \d+")
TRAILER = re.compile(
    rb"trailer\n<</Size (?P<size>\d+)(?P<entries>.*?)/ID\[\((?P<first>.*?)\)\((?P<second>.*?)\)\]>>\n"
    rb"startxref\n(?P<start>\d+)\n%%EOF\s*$",
    re.DOTALL,
)
SCHEMAS_END = "</rdf:Bag></pdfaExtension:schemas>"  # XMP has one list of extension schemas, to which ours is added
DESCRIPTION_END = "</rdf:RDF>"


def describe_e_invoice(pdf: bytes) -> bytes:
    """Return the PDF with the description of its factur-x.xml; the same bytes for the same PDF.

    Raises ValueError when the PDF is not built as Typst builds it.
    """
    metadata, trailer = METADATA.search(pdf), TRAILER.search(pdf)
    if metadata is None or trailer is None:
        raise ValueError("The PDF has no plain metadata stream or no classic trailer.")
    xmp = _described(metadata["xmp"].decode()).encode()
    entries = LENGTH.sub(b"/Length %d" % len(xmp), metadata["entries"])
    separator = b"" if pdf.endswith(b"\n") else b"\n"
    position = len(pdf) + len(separator)
    stream = b"%s 0 obj\n<<%s>>\nstream\n%s\nendstream\nendobj\n" % (metadata["id"], entries, xmp)
    # The second id is that of this version of the file (ISO 32000-1, 14.4).
    this_version = sha256(pdf).hexdigest()[:32].encode()
    table = b"xref\n%s 1\n%010d 00000 n\r\n" % (metadata["id"], position)
    end = b"trailer\n<</Size %s%s/Prev %s/ID[(%s)<%s>]>>\nstartxref\n%d\n%%%%EOF\n" % (
        trailer["size"], trailer["entries"], trailer["start"], trailer["first"], this_version, position + len(stream),
    )  # fmt: skip
    return b"".join([pdf, separator, stream, table, end])


def _described(xmp: str) -> str:
    if SCHEMAS_END not in xmp or DESCRIPTION_END not in xmp:
        raise ValueError("The PDF's metadata has no list of extension schemas.")
    values = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, (value, _) in PROPERTIES.items())
    description = f'<rdf:Description rdf:about="" xmlns:fx="{NAMESPACE}">{values}</rdf:Description>'
    xmp = xmp.replace(SCHEMAS_END, _schema() + SCHEMAS_END, 1)
    return xmp.replace(DESCRIPTION_END, description + DESCRIPTION_END, 1)


def _schema() -> str:
    """Return our entry in the list of extension schemas (ISO 19005-1, 6.7.8), which makes fx: properties allowed."""
    properties = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>{words}</pdfaProperty:description>"
        f"<pdfaProperty:name>{name}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType></rdf:li>"
        for name, (_, words) in PROPERTIES.items()
    )
    return (
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{NAMESPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
