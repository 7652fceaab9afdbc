"""Paths of webhooks, mounted under /v1/."""

from django.urls import path

from accounts.webhooks.api import DeliveryViewSet, EventViewSet, WebhookViewSet

urlpatterns = [
    path("webhooks", WebhookViewSet.as_view({"get": "list", "post": "create"})),
    path("webhooks/<str:id>", WebhookViewSet.as_view({"get": "show", "patch": "change", "delete": "delete"})),
    path("webhooks/<str:id>/rotate", WebhookViewSet.as_view({"post": "rotate"})),
    path("webhooks/<str:id>/test", WebhookViewSet.as_view({"post": "test"})),
    path("webhooks/<str:id>/replay", WebhookViewSet.as_view({"post": "replay"})),
    path("webhooks/<str:id>/deliveries", DeliveryViewSet.as_view({"get": "list"})),
    path("webhooks/<str:id>/deliveries/<str:delivery_id>", DeliveryViewSet.as_view({"get": "show"})),
    path("webhooks/<str:id>/deliveries/<str:delivery_id>/resend", DeliveryViewSet.as_view({"post": "resend"})),
    path("events", EventViewSet.as_view({"get": "list"})),
]
