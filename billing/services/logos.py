"""The pictures of sellers."""

import io
from datetime import datetime
from uuid import UUID

from PIL import Image, UnidentifiedImageError

from billing.documents.content import Logo
from billing.documents.pdf import draws
from billing.models import LegalEntity, SellerLogo
from common.errors import Invalid, NotFound

MOST_BYTES = 256 * 1024
MOST_PIXELS = 16_000_000
WIDTH, HEIGHT = 1200, 400  # pixels kept: more than 400 to an inch of the page


def set_logo(*, legal_entity_id: UUID, content: bytes, now: datetime) -> SellerLogo:
    """Give a seller a logo, PNG or SVG, on every document made from now on; earlier ones keep theirs.

    A PNG is stored without what a camera or an editor left in it, no wider than 1200 pixels. Raises NotFound for an unknown
    seller, Invalid for what is too large or what a document could not show.
    """
    if not LegalEntity.objects.filter(pk=legal_entity_id).exists():
        raise NotFound("There is no such legal entity.")
    if len(content) > MOST_BYTES:
        raise Invalid(f"A logo has at most {MOST_BYTES // 1024} KB.", code="too-large", pointer="/content")
    logo = _svg(content) if b"<svg" in content[:4096] else _png(content)
    if not draws(logo):
        raise Invalid(
            "This picture cannot be drawn in a PDF; use a plain SVG, without text, or PNG.", pointer="/content"
        )
    return SellerLogo.objects.create(
        legal_entity_id=legal_entity_id, content=logo.content, media_type=logo.media_type, uploaded_at=now
    )


def _svg(content: bytes) -> Logo:
    try:
        content.decode()
    except UnicodeDecodeError:
        raise Invalid("An SVG is written in UTF-8.", pointer="/content") from None
    return Logo(content, SellerLogo.MediaType.SVG)


def _png(content: bytes) -> Logo:
    """Return the picture anew: of a size that fits, in eight bits, without anything that is not seen."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Invalid("A logo has at most 16 million pixels.", code="too-large", pointer="/content")
            seen = picture.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Invalid("A logo is a PNG or an SVG picture.", pointer="/content") from None
    seen.thumbnail((WIDTH, HEIGHT))
    written = io.BytesIO()
    seen.save(written, "PNG", optimize=True)
    return Logo(written.getvalue(), SellerLogo.MediaType.PNG)
