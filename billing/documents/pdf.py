"""The PDF of an invoice: one compiler per process, fed with the content as JSON. About ten milliseconds a document."""

import json
from functools import cache
from pathlib import Path
from threading import Lock

import typst

from billing.documents.content import InvoiceContent, printed

FOLDER = Path(__file__).parent
TEMPLATE = FOLDER / "invoice.typ"
# A compiler keeps what it has laid out and takes one document at a time.
_one_at_a_time = Lock()


def render(content: InvoiceContent) -> bytes:
    """Return the document as PDF that declares PDF/A-3b; the same content gives the same bytes.

    The creation time is the content's own `as_of`; fonts are those of this folder, never the machine's.
    """
    data = json.dumps(printed(content), ensure_ascii=False)
    with _one_at_a_time:
        document = _compiler().compile(
            format="pdf",
            sys_inputs={"invoice": data},
            pdf_standards=["a-3b"],
            timestamp=int(content.as_of.timestamp()),
        )
    if not isinstance(document, bytes):
        raise TypeError(f"Typst gave {type(document).__name__} instead of one PDF.")
    return document


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(TEMPLATE, root=FOLDER, font_paths=[FOLDER / "fonts"], ignore_system_fonts=True)
