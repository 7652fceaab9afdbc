"""Paths of telephony, mounted under /v1/."""

from django.urls import path

from telephony.api import CallViewSet

urlpatterns = [
    path("calls", CallViewSet.as_view({"get": "list", "post": "create"})),
    path("calls/<str:sid>", CallViewSet.as_view({"get": "retrieve"})),
    path("calls/<str:sid>/events", CallViewSet.as_view({"get": "events"})),
    path("calls/<str:sid>/hangup", CallViewSet.as_view({"post": "hangup"})),
]
