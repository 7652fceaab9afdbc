"""Paths of usage, mounted under /v1/usage/."""

from django.urls import path

from usage.api import UsageViewSet
from usage.ingest_api import EventsViewSet
from usage.limits_api import LimitsViewSet, ThresholdsViewSet

urlpatterns = [
    path("current-period", UsageViewSet.as_view({"get": "current_period"})),
    path("history", UsageViewSet.as_view({"get": "history"})),
    path("limits", LimitsViewSet.as_view({"get": "list"})),
    path("thresholds", ThresholdsViewSet.as_view({"get": "list", "put": "replace"})),
    path("events", EventsViewSet.as_view({"get": "list", "post": "create"})),
    path("events/<str:id>", EventsViewSet.as_view({"get": "show"})),
    path("events/<str:id>/void", EventsViewSet.as_view({"post": "void"})),
    path("events/<str:id>/amend", EventsViewSet.as_view({"post": "amend"})),
    path("uploads/<str:id>", EventsViewSet.as_view({"get": "upload"})),
]
