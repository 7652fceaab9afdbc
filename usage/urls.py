"""Paths of usage, mounted under /v1/usage/."""

from django.urls import path

from usage.api import UsageViewSet

urlpatterns = [
    path("current-period", UsageViewSet.as_view({"get": "current_period"})),
    path("history", UsageViewSet.as_view({"get": "history"})),
    path("events", UsageViewSet.as_view({"get": "events"})),
]
