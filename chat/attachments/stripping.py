"""Pictures without what cameras write beside them: place, time, device, owner, thumbnails, further pictures behind the first.

Pixels are not touched: whole parts of the file are left out. Colour profiles stay, and of EXIF how the picture is turned. JPEG
(ITU T.81, annex B), PNG (W3C, third edition, section 5) and WebP (RFC 9649); what is not known to draw something goes. Pure.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from PIL import ExifTags, Image

SOI, EOI, SOS, APP1 = 0xD8, 0xD9, 0xDA, 0xE1
APPLICATION = range(0xE0, 0xF0)
COMMENT = 0xFE
# Of the parts applications add to a JPEG, those that say how to draw it.
DRAWING: Final = {0xE0: b"JFIF\x00", 0xE2: b"ICC_PROFILE\x00", 0xEE: b"Adobe"}
# After a scan's beginning come its bytes: a marker is 0xFF before anything but a stuffed zero or a restart.
MARKER: Final = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
PNG: Final = b"\x89PNG\r\n\x1a\n"
PNG_DRAWING: Final = frozenset(
    (b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST", b"pHYs", b"sPLT",
     b"acTL", b"fcTL", b"fdAT")
)  # fmt: skip
WEBP_DRAWING: Final = frozenset((b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
HAS_EXIF, HAS_XMP = 0x08, 0x04
EXIF: Final = b"Exif\x00\x00"


class Unparsable(ValueError):
    """The bytes are not laid out as their format says."""


def strip(data: bytes, content_type: str) -> bytes:
    """Return a picture's bytes without what says who took it, when and where; other types as they are. Raises Unparsable."""
    read = FORMATS.get(content_type)
    if read is None:
        return data
    try:
        return b"".join(read(data))
    except (struct.error, IndexError) as error:
        raise Unparsable("The file ends within a part.") from error


def _jpeg(data: bytes) -> Iterator[bytes]:
    parts = list(_segments(data))
    yield bytes((0xFF, SOI))
    exif = next((part[4:] for marker, part in parts if marker == APP1 and part[4:].startswith(EXIF)), b"")
    turned = _turned(exif)
    for marker, part in parts:
        is_drawing = marker in DRAWING and part[4:].startswith(DRAWING[marker])
        if turned and marker != 0xE0:  # after JFIF, which wants to be the first
            yield struct.pack(">BBH", 0xFF, APP1, len(turned) + 2) + turned
            turned = b""
        if is_drawing or (marker not in APPLICATION and marker != COMMENT):
            yield part
    yield bytes((0xFF, EOI))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (marker, bytes) of each segment between the picture's beginning and its end; scans come with what they draw."""
    at = 2
    if data[:2] != bytes((0xFF, SOI)):
        raise Unparsable("A JPEG begins with SOI.")
    while at < len(data):
        marker = MARKER.match(data, at)
        if marker is None:
            raise Unparsable("No marker stands where one must.")
        kind = marker[1][0]
        if kind == EOI:
            return
        head = marker.end()
        end = head + struct.unpack_from(">H", data, head)[0]
        if end < head + 2 or end > len(data):
            raise Unparsable("A segment is longer than the file.")
        if kind == SOS:
            following = MARKER.search(data, end)
            end = following.start() if following else len(data)  # cut short: browsers draw what there is
        yield kind, bytes((0xFF, kind)) + data[head:end]
        at = end


def _png(data: bytes) -> Iterator[bytes]:
    if not data.startswith(PNG):
        raise Unparsable("A PNG begins with its signature.")
    yield PNG
    chunks = list(_chunks(data))
    turned = _turned(next((chunk[8:-4] for kind, chunk in chunks if kind == b"eXIf"), b""))
    for kind, chunk in chunks:
        if turned and kind == b"IDAT":
            body = b"eXIf" + turned[len(EXIF) :]
            yield struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
            turned = b""
        if kind in PNG_DRAWING or kind[:1].isupper():  # a capital: without it nothing can be drawn
            yield chunk


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(PNG)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise Unparsable("A chunk is longer than the file.")
        yield kind, data[at:end]
        if kind == b"IEND":
            return
        at = end


def _webp(data: bytes) -> Iterator[bytes]:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise Unparsable("A WebP begins with RIFF and WEBP.")
    chunks = list(_riff(data))
    turned = _turned(next((chunk[8:] for kind, chunk in chunks if kind == b"EXIF"), b""))[len(EXIF) :]
    body = b"WEBP"
    for kind, chunk in chunks:
        if kind == b"VP8X":
            flags = chunk[8] & ~(HAS_EXIF | HAS_XMP) | (HAS_EXIF if turned else 0)
            chunk = chunk[:8] + bytes((flags,)) + chunk[9:]
        if kind in WEBP_DRAWING:
            body += chunk
    if turned:
        body += b"EXIF" + struct.pack("<I", len(turned)) + turned + b"\x00" * (len(turned) % 2)
    yield b"RIFF" + struct.pack("<I", len(body))
    yield body


def _riff(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, last = 12, min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    while at < last:
        kind, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + length % 2
        if at + 8 + length > len(data):
            raise Unparsable("A chunk is longer than the file.")
        yield kind, data[at:end]
        at = end


def _turned(exif: bytes) -> bytes:
    """Return an EXIF block that says nothing but how the picture is turned; none when it stands as it is, or nobody can tell."""
    if not exif:
        return b""
    read = Image.Exif()
    try:
        read.load(exif)
        orientation = read.get(ExifTags.Base.Orientation)
    except Exception:  # a broken block: Pillow has many ways to say so, and it goes in any case
        return b""
    if orientation not in range(2, 9):
        return b""
    alone = Image.Exif()
    alone[ExifTags.Base.Orientation] = orientation
    return bytes(alone.tobytes())


FORMATS: Final[dict[str, Callable[[bytes], Iterator[bytes]]]] = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/webp": _webp,
}
