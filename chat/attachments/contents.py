"""What a file is, found in its bytes: neither its name nor what the browser says of it plays a part."""

import io
import zipfile
from dataclasses import dataclass
from typing import IO, Final

import puremagic
from PIL import ExifTags, Image, UnidentifiedImageError

# What browsers draw without running anything. Everything else is handed out as a download.
INLINE: Final = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
}
INLINE_TYPES: Final = frozenset(INLINE.values())
FORMATS: Final = {**INLINE, "MPO": "image/jpeg"}  # phones append further pictures to a JPEG
SIDEWAYS: Final = frozenset({5, 6, 7, 8})  # EXIF orientations browsers turn by a quarter
UNKNOWN: Final = "application/octet-stream"
PLAIN: Final = "text/plain"
# 40 megapixels: the largest phone cameras' ordinary pictures, 160 MB when a browser unpacks one.
MOST_PIXELS: Final = 40_000_000
Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # Pillow's own guard: it refuses twice as many whatever is done with them
HEAD_BYTES: Final = 64 * 1024
# Named for their icon alone; they are downloads whatever they are called.
NAMED: Final = frozenset(
    {"application/pdf", "application/zip", "application/gzip", "application/x-7z-compressed", "application/msword",
     "video/mp4", "video/quicktime", "video/webm", "audio/mpeg", "audio/ogg", "audio/wav", "audio/mp4", "image/tiff",
     "image/bmp", "image/heic"}
)  # fmt: skip
SAME: Final = {
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "image/x-ms-bmp": "image/bmp",
    "application/x-gzip": "application/gzip",
}
OFFICE: Final = (
    ("word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)


@dataclass(frozen=True)
class Content:
    """A file's type; `width` and `height` in pixels for images browsers may show in place."""

    type: str
    width: int | None = None
    height: int | None = None


def look_at(file: IO[bytes]) -> Content:
    """Return what a seekable file is. Reads its head, of images the header, of archives the list; runs and unpacks nothing.

    Markup (HTML, SVG, XML) is plain text. An image that is broken, or larger than 40 megapixels, is a download.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if image := _image(file):
        return image
    if head.startswith(b"PK\x03\x04"):
        return Content(_archive(file))
    named = _named(head)
    if named in NAMED:
        return Content(named)
    return Content(PLAIN if _is_text(head) else UNKNOWN)


def _image(file: IO[bytes]) -> Content | None:
    try:
        # Only these readers are tried; opening reads the header, so a bomb is measured before anything is unpacked.
        with _opened(file) as image:
            kind = FORMATS.get(image.format or "")
            width, height = image.size
            if kind is None or width * height > MOST_PIXELS:
                return None
            image.verify()
        if kind == "image/jpeg":
            with _opened(file) as image:
                if image.getexif().get(ExifTags.Base.Orientation) in SIDEWAYS:
                    width, height = height, width
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError, EOFError):
        return None
    return Content(kind, width, height)


def _opened(file: IO[bytes]) -> Image.Image:
    file.seek(0)
    return Image.open(file, formats=tuple(INLINE))


def _archive(file: IO[bytes]) -> str:
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return UNKNOWN
    return next((type for start, type in OFFICE if any(name.startswith(start) for name in names)), "application/zip")


def _named(head: bytes) -> str:
    try:
        found = puremagic.magic_stream(io.BytesIO(head))
    except (puremagic.PureError, ValueError):
        return ""
    best = found[0].mime_type if found else ""
    return SAME.get(best, best)


def _is_text(head: bytes) -> bool:
    if not head or any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"  # a character cut in two by the head's end
    return True
