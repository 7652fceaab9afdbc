"""What the desk reads: lists of conversations, and the agent's own presence."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from accounts.models import AgentPresence, User
from accounts.presence import engaged
from accounts.presence import services as presence
from accounts.principals import require_user
from chat import selectors, services
from chat.api import serializers
from chat.models import Conversation
from common.errors import Invalid
from common.ids import decode, encode
from common.pagination import paginate
from common.timestamps import rfc3339

STATUS = OpenApiParameter("status", enum=Conversation.Status.values)
ASSIGNED = OpenApiParameter("assigned", enum=["me", "none", "any"])
UPDATED_AFTER = OpenApiParameter(
    "updated_after", datetime, description="Only rows changed after this moment (RFC 3339)."
)
VISITOR = OpenApiParameter("visitor", str, description="Only this visitor's: `vi_…`.")
CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous` of another page.")
LIMIT = OpenApiParameter("limit", int, description="1 to 200, 50 by default.")
LABEL = OpenApiParameter("label", str, description="Only those with this label.")


class AgentConversationsViewSet(TenantViewSet):
    permissions = {"list": "chat.read", "queue": "chat.read"}

    @extend_schema(
        summary="Conversations",
        parameters=[STATUS, ASSIGNED, UPDATED_AFTER, VISITOR, LABEL, CURSOR, LIMIT],
        responses={200: serializers.InboxPage},
        tags=["desk"],
    )
    def list(self, request: Request) -> Response:
        rows = self._filtered(selectors.conversations(self.principal.tenant_id))
        return self._page(rows, moment="last_message_at")

    @extend_schema(
        summary="The queue, oldest first, at most 200", responses={200: serializers.ConversationPage}, tags=["desk"]
    )
    def queue(self, request: Request) -> Response:
        waiting = selectors.conversations(self.principal.tenant_id).filter(
            status=Conversation.Status.ACTIVE, assigned_agent=None
        )
        rows = selectors.present_rows(self.principal.tenant_id, list(waiting.order_by("queued_at", "pk")[:200]))
        return Response({"results": rows, "next": None, "previous": None})

    def _page(self, rows: QuerySet[Conversation], *, moment: str) -> Response:
        body = paginate(rows, self.request, present=lambda row: {"row": row}, moment=moment)
        found = [entry["row"] for entry in body["results"]]
        body["results"] = selectors.present_rows(self.principal.tenant_id, found)
        return Response({**body, "inbox": selectors.inbox_state(self.principal.tenant_id)})

    def _filtered(self, rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
        status = self.request.query_params.get("status")
        assigned = self.request.query_params.get("assigned", "any")
        if status is not None:
            if status not in Conversation.Status.values:
                raise Invalid("status must be active, closed or abandoned.", pointer="/status")
            rows = rows.filter(status=status)
        rows = self._narrowed(rows)
        match assigned:
            case "me":
                return rows.filter(assigned_agent_id=require_user(self.principal))
            case "none":
                return rows.filter(assigned_agent=None)
            case "any":
                return rows
        raise Invalid("assigned must be me, none or any.", pointer="/assigned")

    def _narrowed(self, rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
        asked = self.request.query_params
        if "updated_after" in asked:
            rows = rows.filter(updated_at__gt=_moment(asked["updated_after"], "updated_after"))
        if "visitor" in asked:
            rows = rows.filter(visitor_id=decode("vi", asked["visitor"]))
        if "label" in asked:
            rows = rows.filter(labels__contains=[asked["label"].replace("\x00", "")])
        return rows


def _moment(text: str, name: str) -> datetime:
    # A plus sign in an address that nobody escaped arrives as a space.
    try:
        moment = parse_datetime(text.strip().replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _no_moment(name)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise _no_moment(name) from error


def _no_moment(name: str) -> Invalid:
    return Invalid(f"{name} must be a moment like 2026-01-31T12:00:00Z.", pointer=f"/{name}")


class AgentsViewSet(TenantViewSet):
    permissions = {"list": "chat.read"}

    @extend_schema(
        summary="Who may answer visitors, and how busy they are", responses={200: serializers.Agents}, tags=["desk"]
    )
    def list(self, request: Request) -> Response:
        people = services.chatters(self.principal.tenant_id).select_related("user").order_by("user__name", "pk")
        rows = AgentPresence.objects.for_tenant(self.principal.tenant_id)
        presences = {row.user_id: row for row in rows}
        held = engaged.engaged(tenant_id=self.principal.tenant_id, now=self.now)
        return Response(
            {"results": [self._present(person.user, presences.get(person.user_id), held) for person in people]}
        )

    def _present(self, user: User, row: AgentPresence | None, held: frozenset[UUID]) -> dict[str, Any]:
        row = row or AgentPresence(user=user)
        return {
            "id": encode("us", user.pk),
            "name": user.name,
            "status": engaged.shown_status(row, held=held, now=self.now),
            "active_chats": row.active_chats,
            "max_concurrent_chats": row.max_concurrent_chats,
        }


class PresenceViewSet(TenantViewSet):
    permissions = {"show": "presence", "choose": "presence"}

    @extend_schema(summary="My presence", responses={200: serializers.PresenceAnswer}, tags=["desk"])
    def show(self, request: Request) -> Response:
        row = presence.presence_of(tenant_id=self.principal.tenant_id, user_id=require_user(self.principal))
        return Response(self._present(row))

    @extend_schema(
        summary="Choose my presence",
        request=serializers.Presence,
        responses={200: serializers.PresenceAnswer},
        examples=[
            OpenApiExample(
                "Online, three chats at a time", {"status": "online", "max_concurrent_chats": 3}, request_only=True
            )
        ],
        tags=["desk"],
    )
    def choose(self, request: Request) -> Response:
        wanted = self.read(serializers.Presence)
        row = services.note_presence(
            tenant_id=self.principal.tenant_id,
            user=User.objects.get(pk=require_user(self.principal)),
            status=wanted["status"],
            status_message=wanted.get("status_message"),
            now=self.now,
        )
        if most := wanted.get("max_concurrent_chats"):
            row = services.limit_chats(tenant_id=self.principal.tenant_id, user_id=row.user_id, most=most, now=self.now)
        return Response(self._present(row))

    def _present(self, row: AgentPresence) -> dict[str, Any]:
        return {
            "status": presence.effective_status(row, self.now),
            "status_message": row.status_message,
            "active_chats": row.active_chats,
            "max_concurrent_chats": row.max_concurrent_chats,
            "last_seen_at": rfc3339(row.last_seen_at),
        }
