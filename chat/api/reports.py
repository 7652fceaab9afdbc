"""Statistics over HTTP, at /v1/chat/stats and /v1/analytics/chats."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from accounts.models import Tenant, User
from chat import reports
from chat.models import Widget
from chat.services.widgets import find_widget
from common.ids import decode, encode
from common.money import plain
from common.periods import days_asked_for, local_day

MOST_DAYS = 366
START = OpenApiParameter("start_date", date, description="First day; 30 days until end_date by default.")
END = OpenApiParameter("end_date", date, description="Last day, inclusive; today by default. At most 366 days.")
WIDGET = OpenApiParameter("widget", str, description="Only conversations at this widget, cw_…")
AGENT = OpenApiParameter("agent", str, description="Only conversations of this agent, us_…")
COUNTS = (
    "conversations", "active", "closed", "abandoned", "missed", "messages", "visitor_messages", "agent_messages",
)  # fmt: skip


class Seconds(serializers.Serializer[Any]):
    """How long it took, in seconds; null without any."""

    count = serializers.IntegerField()
    mean = serializers.CharField(allow_null=True)
    median = serializers.CharField(allow_null=True)
    p90 = serializers.CharField(allow_null=True)


class Rating(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    mean = serializers.CharField(allow_null=True)
    distribution = serializers.DictField(child=serializers.IntegerField())


class ChatFigures(serializers.Serializer[Any]):
    conversations = serializers.IntegerField()
    active = serializers.IntegerField()
    closed = serializers.IntegerField()
    abandoned = serializers.IntegerField()
    missed = serializers.IntegerField(help_text="Ended without any answer of an agent.")
    messages = serializers.IntegerField()
    visitor_messages = serializers.IntegerField()
    agent_messages = serializers.IntegerField()
    first_response_seconds = Seconds()
    resolution_seconds = Seconds()
    rating = Rating()


class Named(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class DayFigures(ChatFigures):
    date = serializers.DateField()


class AgentFigures(ChatFigures):
    agent = Named(allow_null=True, help_text="null: nobody's.")


class WidgetFigures(ChatFigures):
    widget = Named()


class ChatStats(serializers.Serializer[Any]):
    start_date = serializers.DateField()
    end_date = serializers.DateField()
    timezone = serializers.CharField()
    totals = ChatFigures()
    by_day = DayFigures(many=True)
    by_agent = AgentFigures(many=True)
    by_widget = WidgetFigures(many=True)


class StatsViewSet(TenantViewSet):
    permissions = {"show": "chat.read"}

    @extend_schema(
        summary="Statistics of conversations",
        description="Of the conversations that began in the range, days in the company's time zone: how many, first response "
        "(to the first message of an agent), resolution (to the close), rating; whole, by day, by agent and by widget.",
        parameters=[START, END, WIDGET, AGENT],
        responses={200: ChatStats},
        tags=["chat"],
    )
    def show(self, request: Request) -> Response:
        tenant_id = self.principal.tenant_id
        zone = Tenant.objects.values_list("timezone", flat=True).get(pk=tenant_id)
        first, last = days_asked_for(request.query_params, today=local_day(self.now, zone), most_days=MOST_DAYS)
        params = request.query_params
        found = reports.report(
            tenant_id=tenant_id,
            first=first,
            last=last,
            zone=zone,
            widget_id=find_widget(tenant_id=tenant_id, widget_key=params["widget"]).pk if "widget" in params else None,
            agent_id=decode("us", params["agent"]) if "agent" in params else None,
        )
        days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
        body = {
            "start_date": first.isoformat(),
            "end_date": last.isoformat(),
            "timezone": zone,
            "totals": present(found.totals),
            "by_day": [{"date": day.isoformat(), **present(found.by_day.get(day, reports.NOTHING))} for day in days],
            "by_agent": _by_agent(found),
            "by_widget": _by_widget(tenant_id, found),
        }
        return Response(body)


def present(figures: reports.Figures) -> dict[str, Any]:
    """Return a group's numbers as the API writes them: counts as integers, the rest as decimal strings."""
    return {
        **{name: figures[name] for name in COUNTS},
        "first_response_seconds": _seconds(figures, "first"),
        "resolution_seconds": _seconds(figures, "resolution"),
        "rating": {
            "count": figures["rating_count"],
            "mean": _plain(figures["rating_mean"]),
            "distribution": {str(stars): figures[f"rated_{stars}"] for stars in range(1, 6)},
        },
    }


def _seconds(figures: reports.Figures, name: str) -> dict[str, Any]:
    means = {kind: _plain(figures[f"{name}_{kind}"]) for kind in ("mean", "median", "p90")}
    return {"count": figures[f"{name}_count"], **means}


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def _by_agent(found: reports.Report) -> list[dict[str, Any]]:
    names = dict(User.objects.filter(pk__in=[key for key in found.by_agent if key]).values_list("pk", "name"))
    rows = [
        {"agent": {"id": encode("us", key), "name": names.get(key, "")} if key else None, **present(figures)}
        for key, figures in found.by_agent.items()
    ]
    return _busiest_first(rows, "agent")


def _by_widget(tenant_id: UUID, found: reports.Report) -> list[dict[str, Any]]:
    widgets = Widget.objects.for_tenant(tenant_id).filter(pk__in=found.by_widget)
    names = {pk: (key, name) for pk, key, name in widgets.values_list("pk", "widget_key", "name")}
    rows = [
        {"widget": dict(zip(("id", "name"), names[key], strict=True)), **present(figures)}
        for key, figures in found.by_widget.items()
    ]
    return _busiest_first(rows, "widget")


def _busiest_first(rows: list[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    def place(row: Mapping[str, Any]) -> tuple[int, str]:
        return -row["conversations"], row[by]["name"] if row[by] else ""

    return sorted(rows, key=place)
