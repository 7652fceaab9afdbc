"""The PDF of an invoice: one compiler per process, fed with the content as JSON. About ten milliseconds a document."""

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Final

import typst

from billing.documents.content import InvoiceContent, Logo
from billing.documents.printing import printed
from billing.documents.xmp import describe_e_invoice

FOLDER: Final = Path(__file__).parent
TEMPLATE: Final = FOLDER / "invoice.typ"
LOGO_TEMPLATE: Final = FOLDER / "logo.typ"
STATEMENT_TEMPLATE: Final = FOLDER / "statement.typ"
# Inter lies here (Latin, Greek, Cyrillic); what other alphabets need comes in packages pinned by the lock.
FONT_PACKAGES: Final = (
    "fontpkg_heebo", "fontpkg_noto_sans_arabic", "fontpkg_noto_sans_devanagari", "fontpkg_noto_sans_thai",
    "noto_cjk_sans_otc",
)  # fmt: skip
NOT_DRAWN = re.compile(r"the text `(?P<text>\".*\")` could not be displayed", re.DOTALL)
UNDRAWN: Final = "\N{WHITE SQUARE}"
ATTEMPTS: Final = 6
# A compiler keeps what it has laid out and takes one document at a time.
_one_at_a_time = Lock()


def render(content: InvoiceContent, *, xml: bytes = b"") -> bytes:
    """Return the document as PDF that declares PDF/A-3b, with the e-invoice `xml` embedded as factur-x.xml if there is one.

    The same content gives the same bytes: the creation time is the content's own `as_of`, fonts are those of this release,
    never the machine's. A character that none of them draws is printed as a white square.
    """
    texts, logo = printed(content), _logo(content.logo)

    def compile_with(document: dict[str, Any]) -> bytes:
        inputs = {"document": json.dumps(document, ensure_ascii=False), "logo": logo, "xml": xml.decode()}
        return _compile(inputs, int(content.as_of.timestamp()))

    pdf = _draw(texts, compile_with)
    return describe_e_invoice(pdf) if xml else pdf


def render_statement(texts: dict[str, Any], *, logo: Logo | None, as_of: datetime) -> bytes:
    """Return a statement of account as PDF; `texts` are ready to print, see `billing.documents.account`."""

    def compile_with(document: dict[str, Any]) -> bytes:
        inputs = {"document": json.dumps(document, ensure_ascii=False), "logo": _logo(logo)}
        return _compile(inputs, int(as_of.timestamp()), template=STATEMENT_TEMPLATE)

    return _draw(texts, compile_with)


def draws(logo: Logo) -> bool:
    """Say whether a document can show the picture."""
    try:
        _compile({"logo": _logo(logo), "logo_type": logo.kind}, 0, template=LOGO_TEMPLATE)
    except typst.TypstError:
        return False
    return True


def _compile(inputs: dict[str, str], timestamp: int, *, template: Path = TEMPLATE) -> bytes:
    with _one_at_a_time:
        document = _compiler().compile(
            template, format="pdf", sys_inputs=inputs, pdf_standards=["a-3b"], timestamp=timestamp, pdf_tags=True
        )
    if not isinstance(document, bytes):
        raise TypeError(f"Typst gave {type(document).__name__} instead of one PDF.")
    return document


def _draw(texts: dict[str, Any], compile_with: Callable[[dict[str, Any]], bytes]) -> bytes:
    """Compile; where PDF/A refuses text that no font can draw, exchange that, in the end everything but Latin."""
    for _ in range(ATTEMPTS):
        try:
            return compile_with(texts)
        except typst.TypstError as error:
            refused = NOT_DRAWN.search(error.message)
            if refused is None:
                raise
        texts = _exchange(texts, partial(_is_undrawn, refused["text"]))
    return compile_with(_exchange(texts, lambda char: ord(char) > 0x24F and unicodedata.category(char)[0] != "P"))


def _exchange(value: Any, is_undrawn: Callable[[str], bool]) -> Any:
    if isinstance(value, str):
        return "".join(UNDRAWN if is_undrawn(char) else char for char in value)
    if isinstance(value, list):
        return [_exchange(item, is_undrawn) for item in value]
    if isinstance(value, dict):
        return {key: item if key in ("fonts", "words") else _exchange(item, is_undrawn) for key, item in value.items()}
    return value


def _is_undrawn(refused: str, char: str) -> bool:
    """Say whether it was refused, or is of what none of our fonts has: emoji, private use, not assigned."""
    is_picture = ord(char) > 0x2BFF and unicodedata.category(char) in ("So", "Co", "Cn", "Cs")
    return is_picture or (ord(char) > 126 and char in refused)


def _logo(logo: Logo | None) -> str:
    """Return a picture as the template takes it: SVG as it is, PNG as a JSON array of its bytes."""
    if logo is None:
        return ""
    return logo.content.decode() if logo.media_type == "image/svg+xml" else json.dumps(list(logo.content))


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(TEMPLATE, root=FOLDER, font_paths=font_folders(), ignore_system_fonts=True)


@cache
def font_folders() -> list[Path]:
    """Return where the fonts lie: this folder's own, then one for each package."""
    return [FOLDER / "fonts", *(_folder_of(package) for package in FONT_PACKAGES)]


def _folder_of(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"The font package {package} is not installed; install requirements.lock.")
    return Path(spec.submodule_search_locations[0])
