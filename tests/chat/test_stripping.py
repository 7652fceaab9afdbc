"""Pictures are stored without what their camera wrote beside them, turned as they were, with the very same pixels."""

import hashlib
import io
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from chat.attachments.stripping import Unparsable, strip
from chat.models import Attachment
from tests.assertions import rows
from tests.chat.conftest import Chat
from tests.chat.files import upload

TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
SECRETS = (b"Leica", b"Dana", b"http://ns.adobe.com", b"Photoshop", b"secret", b"GPS")
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><secret>Dana http://ns.adobe.com</secret></x:xmpmeta>'


def taken_by(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Artist] = "Leica", "Dana"
    exif[ExifTags.Base.Orientation] = orientation
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", (52.0, 31.0, 12.0)
    return bytes(exif.tobytes())


def photo(format: str, orientation: int = 6, **options: Any) -> bytes:
    """Return a photo with everything a camera and a program may have written into it."""
    image = Image.effect_noise((40, 30), 90).convert("RGB")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = io.BytesIO()
    wanted: dict[str, Any] = {"exif": taken_by(orientation), "xmp": XMP, "icc_profile": profile, **options}
    if format == "JPEG":
        wanted |= {"comment": b"secret"}
    if format == "PNG":
        wanted.pop("xmp")
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Comment", "secret")
        texts.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=False)
        wanted |= {"pnginfo": texts}
    image.save(content, format, **wanted)
    return content.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("format", TYPES)
def test_leaves_pixels_colours_and_how_it_is_turned(format: str) -> None:
    before = photo(format)
    assert any(secret in before for secret in SECRETS)
    after = strip(before, TYPES[format])
    assert len(after) < len(before)
    assert [secret for secret in SECRETS if secret in after] == []
    one, other = opened(before), opened(after)
    assert (other.size, other.tobytes()) == (one.size, one.tobytes())
    assert other.info["icc_profile"] == one.info["icc_profile"]
    assert dict(other.getexif()) == {ExifTags.Base.Orientation: 6}
    assert strip(after, TYPES[format]) == after


@pytest.mark.parametrize("format", TYPES)
def test_writes_nothing_beside_a_picture_that_stands_upright(format: str) -> None:
    after = opened(strip(photo(format, orientation=1), TYPES[format]))
    assert "exif" not in after.info
    assert dict(after.getexif()) == {}


@pytest.mark.parametrize("options", [{"progressive": True}, {"optimize": True}, {"restart_marker_blocks": 1}])
def test_reads_every_kind_of_jpeg(options: dict[str, Any]) -> None:
    before = photo("JPEG", **options)
    assert opened(strip(before, "image/jpeg")).tobytes() == opened(before).tobytes()


def test_drops_what_a_phone_appends() -> None:
    content = io.BytesIO()
    first, second = (opened(photo("JPEG", make)) for make in (1, 1))
    first.save(content, "MPO", save_all=True, append_images=[second], exif=taken_by(8))
    after = strip(content.getvalue() + b"ftypmp42 a film, and where: Dana", "image/jpeg")
    assert [secret for secret in SECRETS if secret in after] == []
    assert opened(after).format == "JPEG"
    assert after.endswith(b"\xff\xd9")
    assert after.count(b"\xff\xd8\xff") == 1


def test_keeps_a_moving_png_and_a_moving_webp() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "green", "blue")]
    for format, type in (("PNG", "image/png"), ("WEBP", "image/webp")):
        content = io.BytesIO()
        frames[0].save(content, format, save_all=True, append_images=frames[1:], exif=taken_by(3))
        after = Image.open(io.BytesIO(strip(content.getvalue(), type)))
        assert (after.n_frames, dict(after.getexif())) == (3, {ExifTags.Base.Orientation: 3})


def test_an_unreadable_exif_goes_whole() -> None:
    after = strip(photo("JPEG", exif=b"Exif\x00\x00 no TIFF at all, secret"), "image/jpeg")
    assert b"secret" not in after
    assert dict(opened(after).getexif()) == {}


@pytest.mark.parametrize(("format", "cut"), [("PNG", 60), ("WEBP", 60), ("JPEG", 60)])
def test_refuses_what_ends_within_a_part(format: str, cut: int) -> None:
    with pytest.raises(Unparsable):
        strip(photo(format)[:cut], TYPES[format])


@pytest.mark.parametrize("type", TYPES.values())
@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xd8\xff", b"RIFF", b"\x89PNG\r\n\x1a\n\x00"])
def test_ends_on_any_bytes(type: str, data: bytes) -> None:
    try:
        strip(data, type)
    except Unparsable:
        return


def test_leaves_other_files_alone() -> None:
    assert strip(b"Exif\x00\x00", "application/pdf") == b"Exif\x00\x00"


def test_stores_and_tells_of_the_bare_picture(chat: Chat) -> None:
    answer = upload(chat.visitor, chat, photo("JPEG"), name="bike.jpg")
    assert answer.status_code == 201, answer.content
    content = b"".join(chat.visitor.get(answer.json()["url"]).streaming_content)
    assert b"Leica" not in content
    [row] = rows(Attachment)
    assert (answer.json()["size"], row.size, bytes(row.sha256)) == (
        len(content),
        len(content),
        hashlib.sha256(content).digest(),
    )
    assert (answer.json()["width"], answer.json()["height"]) == (30, 40)  # turned by a quarter
