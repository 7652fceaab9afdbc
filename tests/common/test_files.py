"""common.files"""

from io import BytesIO
from typing import Any

import pytest

from common.files import ranged

CONTENT = bytes(range(100))


def answer(**headers: str) -> Any:
    return ranged(BytesIO(CONTENT), size=100, etag='"v1"', headers=headers, content_type="application/zip")


def body(found: Any) -> bytes:
    return b"".join(found.streaming_content)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=90-", 90, 99), ("bytes=-7", 93, 99), ("bytes=95-400", 95, 99), (" bytes=0-0 ", 0, 0)],
)
def test_one_range_is_answered(asked: str, first: int, last: int) -> None:
    found = answer(Range=asked)
    assert (found.status_code, found["Content-Range"]) == (206, f"bytes {first}-{last}/100")
    assert body(found) == CONTENT[first : last + 1]
    assert found["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["", "bytes=0-1,5-6", "lines=1-2", "bytes=9-3", "bytes=x-", "bytes=0-99"])
def test_anything_else_gets_the_whole(asked: str) -> None:
    found = answer(Range=asked)
    assert (found.status_code, body(found)) == (200, CONTENT)
    assert not found.has_header("Content-Range")


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=-0", "bytes=100-200"])
def test_what_lies_beyond_the_end_is_not_there(asked: str) -> None:
    found = answer(Range=asked)
    assert (found.status_code, found["Content-Range"]) == (416, "bytes */100")


def test_a_range_of_another_version_gets_the_whole() -> None:
    assert answer(Range="bytes=5-9", **{"If-Range": '"v0"'}).status_code == 200
    assert answer(Range="bytes=5-9", **{"If-Range": '"v1"'}).status_code == 206
