"""`/v1/do-not-call`"""

from hashlib import sha256
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from accounts.api.csv_body import CSVBody
from accounts.audit import actor_of
from common.ids import decode, encode
from common.pagination import paginate
from common.timestamps import rfc3339
from telephony.guards import csv_numbers, lists, schemas
from telephony.guards.models import DoNotCall
from telephony.lines.api import CURSOR, LIMIT
from telephony.numbers import e164


class DoNotCallViewSet(TenantViewSet):
    """Numbers the company must not call."""

    permissions = {"list": "numbers.read", "create": "numbers.manage", "remove": "numbers.manage"}

    @extend_schema(
        summary="Numbers not to call, newest first",
        parameters=[OpenApiParameter("number", str, description="Only this one, in E.164."), CURSOR, LIMIT],
        responses={200: schemas.NumberPage},
        tags=["lines"],
    )
    def list(self, request: Request) -> Response:
        """List the entries."""
        rows = lists.numbers_not_to_call(tenant_id=self.principal.tenant_id)
        if wanted := request.query_params.get("number"):
            rows = rows.filter(number=e164(wanted, pointer="/number"))
        return Response(paginate(rows, request, present=present_entry))

    @extend_schema(
        summary="Put a number on the list",
        description="No call to it leaves from now on. One that is on the list already is answered as it is, with 200.",
        request=schemas.NewNumber,
        responses={201: schemas.NumberAnswer, 200: schemas.NumberAnswer},
        examples=[schemas.NEW_EXAMPLE, schemas.ENTRY_EXAMPLE],
        tags=["lines"],
    )
    def create(self, request: Request) -> Response:
        """Add an entry."""
        body = self.read(schemas.NewNumber)
        return self.once(lambda: self._add(e164(body["number"], pointer="/number"), body["note"]))

    def _add(self, number: str, note: str) -> Response:
        row, is_new = lists.add_number(
            tenant_id=self.principal.tenant_id, number=number, note=note, by=actor_of(self.principal)
        )
        return Response(present_entry(row), status=201 if is_new else 200)

    @extend_schema(summary="Take a number off the list", request=None, responses={204: None}, tags=["lines"])
    def remove(self, request: Request, id: str) -> Response:
        """Remove an entry."""
        lists.remove_number(tenant_id=self.principal.tenant_id, entry_id=decode("dnc", id), by=actor_of(self.principal))
        return Response(status=204)


class DoNotCallImportViewSet(TenantViewSet):
    """A file of them."""

    permissions = {"create": "numbers.manage"}
    parser_classes = (CSVBody,)

    @extend_schema(
        summary="Put a file's numbers on the list",
        description=f"Columns `number,note`, the first needed; at most {csv_numbers.MOST_ROWS} rows. Rows without a number are "
        "refused one by one, the others are taken.",
        request={"text/csv": OpenApiTypes.STR},
        responses={200: schemas.NumbersImported},
        examples=[schemas.FILE_EXAMPLE, schemas.IMPORT_EXAMPLE],
        tags=["lines"],
    )
    def create(self, request: Request) -> Response:
        """Import entries."""
        said: Any = request.data
        raw: bytes = said if isinstance(said, bytes) else b""
        return self.once(lambda: self._import(raw), body=sha256(raw).hexdigest())

    def _import(self, raw: bytes) -> Response:
        found = csv_numbers.read(raw)
        done = lists.import_numbers(tenant_id=self.principal.tenant_id, found=found, by=actor_of(self.principal))
        errors = [{"pointer": each.pointer, "code": each.code, "detail": each.detail} for each in found.problems]
        return Response({"added": done.added, "present": done.present, "refused": found.refused, "errors": errors})


def present_entry(row: DoNotCall) -> dict[str, Any]:
    """Return an entry as the API shows it."""
    return {
        "id": encode("dnc", row.pk),
        "number": row.number,
        "note": row.note,
        "created_at": rfc3339(row.created_at),
    }
