"""A CSV file as the body of a request."""

from typing import Any

from rest_framework.parsers import BaseParser

from common.http import BODY_LIMIT_BYTES, TooLarge


class CSVBody(BaseParser):
    """A file as it is; the body is read by the action."""

    media_type = "text/csv"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        raw: bytes = stream.read(BODY_LIMIT_BYTES + 1)
        if len(raw) > BODY_LIMIT_BYTES:
            raise TooLarge(f"The file is larger than {BODY_LIMIT_BYTES} bytes.")
        return raw
