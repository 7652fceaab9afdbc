"""JSON in and out of DRF by orjson: strict on the way in, exact on the way out."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from common.errors import DomainError, Unreadable

BODY_LIMIT_BYTES = 5 * 1024 * 1024


class TooLarge(DomainError):
    status = 413
    title = "The request is too large"
    default_code = "too-large"


class JSONParser(BaseParser):
    """Read a JSON body of at most 5 MiB; numbers that are not JSON (NaN, Infinity) are refused."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read(BODY_LIMIT_BYTES + 1)
        if len(raw) > BODY_LIMIT_BYTES:
            raise TooLarge(f"The body is larger than {BODY_LIMIT_BYTES} bytes.")
        try:
            return orjson.loads(raw) if raw.strip() else {}
        except orjson.JSONDecodeError as error:
            raise Unreadable(f"The body is not JSON: {error}.") from error


class JSONRenderer(BaseRenderer):
    """Write JSON."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data)
