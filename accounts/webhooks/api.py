"""`/v1/webhooks` and `/v1/events`."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.api import TenantViewSet
from accounts.webhooks import catalogue, endpoints, reading, replaying, schemas
from accounts.webhooks.auditing import note
from accounts.webhooks.models import WebhookDelivery
from accounts.webhooks.presenting import present_attempt, present_delivery, present_endpoint
from common.errors import Invalid
from common.ids import decode
from common.pagination import limit_of, paginate
from common.timestamps import rfc3339

CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous` of another page.")
LIMIT = OpenApiParameter("limit", int, description="1 to 200, 50 by default.")
TYPE = OpenApiParameter("type", str, description="Only this type, or with `.*` at its end this family.")
STATUS = OpenApiParameter("status", str, enum=WebhookDelivery.Status.values, description="Only those of this status.")


class WebhookViewSet(TenantViewSet):
    """Where events go."""

    permissions = dict.fromkeys(
        ("list", "create", "show", "change", "delete", "rotate", "test", "replay"), "webhooks.manage"
    )

    @extend_schema(
        summary="Endpoints, newest first",
        parameters=[CURSOR, LIMIT],
        responses={200: schemas.EndpointPage},
        tags=["webhooks"],
    )
    def list(self, request: Request) -> Response:
        rows = endpoints.endpoints_of(tenant_id=self.principal.tenant_id)
        return Response(paginate(rows, request, present=lambda row: present_endpoint(row, now=self.now)))

    @extend_schema(
        summary="Add an endpoint",
        description="It hears of what happens from now on. Its secret is shown in this answer and never again.",
        request=schemas.EndpointRequest,
        responses={201: schemas.EndpointWithSecret},
        examples=[schemas.CREATE_EXAMPLE, schemas.SECRET_EXAMPLE],
        tags=["webhooks"],
    )
    def create(self, request: Request) -> Response:
        body = self.read(schemas.EndpointRequest)
        fresh: dict[str, str] = {}

        def run() -> Response:
            endpoint, fresh["secret"] = endpoints.create_endpoint(
                tenant_id=self.principal.tenant_id, now=self.now, **body
            )
            self._record("created", endpoint.pk, body)
            return Response(present_endpoint(endpoint, now=self.now), status=201)

        answer = self.once(run)
        # Not within `once`: the stored answer of an Idempotency-Key would keep the secret readable for a day.
        answer.data = {**answer.data, "secret": fresh.get("secret")}
        return answer

    @extend_schema(
        summary="One endpoint",
        responses={200: schemas.EndpointAnswer},
        examples=[schemas.ENDPOINT_EXAMPLE],
        tags=["webhooks"],
    )
    def show(self, request: Request, id: str) -> Response:
        endpoint = endpoints.endpoint_of(tenant_id=self.principal.tenant_id, endpoint_id=decode("wh", id))
        return Response(present_endpoint(endpoint, now=self.now))

    @extend_schema(
        summary="Change, disable or enable an endpoint",
        description="While it is disabled nothing is sent; what waited goes on when it is enabled, what happened meanwhile "
        "can be replayed.",
        request=schemas.EndpointChange,
        responses={200: schemas.EndpointAnswer},
        examples=[schemas.CHANGE_EXAMPLE, schemas.ENDPOINT_EXAMPLE],
        tags=["webhooks"],
    )
    def change(self, request: Request, id: str) -> Response:
        endpoint_id = decode("wh", id)
        body = self.read(schemas.EndpointChange)
        tenant_id = self.principal.tenant_id
        before = endpoints.endpoint_of(tenant_id=tenant_id, endpoint_id=endpoint_id)
        endpoint = endpoints.change_endpoint(tenant_id=tenant_id, endpoint_id=endpoint_id, now=self.now, **body)
        old, new = ({name: present_endpoint(row, now=self.now)[name] for name in body} for row in (before, endpoint))
        if changes := audit.changed(old, new):
            self._record("changed", endpoint_id, changes)
        return Response(present_endpoint(endpoint, now=self.now))

    @extend_schema(summary="Delete an endpoint", responses={204: None}, tags=["webhooks"])
    def delete(self, request: Request, id: str) -> Response:
        endpoint_id = decode("wh", id)
        endpoints.delete_endpoint(tenant_id=self.principal.tenant_id, endpoint_id=endpoint_id)
        self._record("deleted", endpoint_id, {})
        return Response(status=204)

    @extend_schema(
        summary="Give an endpoint a new secret",
        description="For 24 hours both secrets sign, so that the receiver can be changed meanwhile.",
        request=None,
        responses={200: schemas.EndpointWithSecret},
        examples=[schemas.SECRET_EXAMPLE],
        tags=["webhooks"],
    )
    def rotate(self, request: Request, id: str) -> Response:
        endpoint, secret = endpoints.rotate_secret(
            tenant_id=self.principal.tenant_id, endpoint_id=decode("wh", id), now=self.now
        )
        self._record("secret_rotated", endpoint.pk, {})
        return Response({**present_endpoint(endpoint, now=self.now), "secret": secret})

    @extend_schema(
        summary="Send a test event",
        description="`webhook.test`, to this endpoint alone. Its delivery tells what came of it.",
        request=None,
        responses={202: schemas.DeliveryAnswer},
        examples=[schemas.DELIVERY_EXAMPLE],
        tags=["webhooks"],
    )
    def test(self, request: Request, id: str) -> Response:
        return self.once(lambda: self._test(id))

    @extend_schema(
        summary="Send a range again",
        description="What happened in the range and the endpoint listens to, with the same ids and bodies as before.",
        request=schemas.ReplayRequest,
        responses={202: schemas.ReplayAnswer},
        examples=[schemas.REPLAY_EXAMPLE, schemas.REPLAYED_EXAMPLE],
        tags=["webhooks"],
    )
    def replay(self, request: Request, id: str) -> Response:
        endpoint_id = decode("wh", id)
        body = self.read(schemas.ReplayRequest)
        return self.once(lambda: self._replay(endpoint_id, body))

    def _test(self, id: str) -> Response:
        delivery = replaying.send_test(tenant_id=self.principal.tenant_id, endpoint_id=decode("wh", id), now=self.now)
        return Response(present_delivery(delivery), status=202)

    def _replay(self, endpoint_id: UUID, body: dict[str, Any]) -> Response:
        count, following = replaying.replay(
            tenant_id=self.principal.tenant_id,
            endpoint_id=endpoint_id,
            since=body["since"],
            until=body.get("until", self.now),
            only_failed=body["only_failed"],
            now=self.now,
        )
        self._record("replayed", endpoint_id, {"since": rfc3339(body["since"]), "count": count})
        return Response({"count": count, "continue_since": rfc3339(following)}, status=202)

    def _record(self, what: str, endpoint_id: UUID, changes: dict[str, Any]) -> None:
        by = audit.actor_of(self.principal)
        note(what, tenant_id=self.principal.tenant_id, endpoint_id=endpoint_id, by=by, changes=changes)


class DeliveryViewSet(TenantViewSet):
    """What became of events."""

    permissions = dict.fromkeys(("list", "show", "resend"), "webhooks.manage")

    @extend_schema(
        summary="An endpoint's deliveries, newest first",
        parameters=[STATUS, TYPE, CURSOR, LIMIT],
        responses={200: schemas.DeliveryPage},
        tags=["webhooks"],
    )
    def list(self, request: Request, id: str) -> Response:
        rows = replaying.deliveries_of(tenant_id=self.principal.tenant_id, endpoint_id=decode("wh", id))
        if status := request.query_params.get("status", ""):
            if status not in WebhookDelivery.Status.values:
                raise Invalid("status must be pending, delivered or failed.", pointer="/status")
            rows = rows.filter(status=status)
        if type_ := _type_of(request):
            rows = rows.filter(type__startswith=type_[:-1]) if type_.endswith(".*") else rows.filter(type=type_)
        return Response(paginate(rows, request, present=present_delivery))

    @extend_schema(
        summary="One delivery with its attempts",
        responses={200: schemas.DeliveryDetail},
        examples=[schemas.DETAIL_EXAMPLE],
        tags=["webhooks"],
    )
    def show(self, request: Request, id: str, delivery_id: str) -> Response:
        delivery = replaying.delivery_of(
            tenant_id=self.principal.tenant_id,
            endpoint_id=decode("wh", id),
            delivery_id=decode("wd", delivery_id),
        )
        attempts = [present_attempt(one) for one in replaying.attempts_of(delivery)]
        return Response({**present_delivery(delivery), "attempts": attempts})

    @extend_schema(
        summary="Send one again",
        description="The same id and body, its schedule begun anew. One that is on its way is attempted now.",
        request=None,
        responses={202: schemas.DeliveryAnswer},
        examples=[schemas.DELIVERY_EXAMPLE],
        tags=["webhooks"],
    )
    def resend(self, request: Request, id: str, delivery_id: str) -> Response:
        return self.once(lambda: self._resend(id, delivery_id))

    def _resend(self, id: str, delivery_id: str) -> Response:
        delivery = replaying.resend(
            tenant_id=self.principal.tenant_id,
            endpoint_id=decode("wh", id),
            delivery_id=decode("wd", delivery_id),
            now=self.now,
        )
        return Response(present_delivery(delivery), status=202)


class EventViewSet(TenantViewSet):
    """Every event of 30 days: the way back after an outage."""

    permissions = {"list": "events.read"}

    @extend_schema(
        summary="Events, oldest first",
        description="Read to the end, keep `after`, and ask again with it later: nothing is missed, nothing comes twice.",
        parameters=[
            OpenApiParameter("after", str, description="The id of the last event you have; absent: from the oldest."),
            TYPE,
            LIMIT,
        ],
        responses={200: schemas.EventPage},
        examples=[schemas.EVENTS_EXAMPLE],
        tags=["webhooks"],
    )
    def list(self, request: Request) -> Response:
        page = reading.events_after(
            tenant_id=self.principal.tenant_id,
            after=request.query_params.get("after", ""),
            type=_type_of(request),
            limit=limit_of(request),
            now=self.now,
        )
        return Response({"results": page.events, "next": _next(request, page), "previous": None, "after": page.last})


def _type_of(request: Request) -> str:
    type_ = request.query_params.get("type", "")
    if type_ and type_ not in {*catalogue.TYPES, *catalogue.FAMILIES, catalogue.TEST}:
        raise Invalid("type must be an event type, for example call.completed or call.*.", pointer="/type")
    return type_


def _next(request: Request, page: reading.EventPage) -> str | None:
    if not page.has_more:
        return None
    query = urlencode({**request.query_params.dict(), "after": page.last})
    return request.build_absolute_uri(f"{request.path}?{query}")
