"""Paths of telephony, mounted under /v1/."""

from typing import Any

from django.urls import path

from telephony.api import CallViewSet
from telephony.guards.api import DoNotCallImportViewSet, DoNotCallViewSet
from telephony.inbound.api import ExtensionViewSet, RouteViewSet
from telephony.ivr.api import FlowViewSet, SessionViewSet
from telephony.lines.api import PhoneNumberViewSet, TrunkViewSet
from telephony.queues.api import QueueViewSet

CHANGES: dict[str, Any] = {"get": "retrieve", "patch": "change", "delete": "remove"}

urlpatterns = [
    path("calls", CallViewSet.as_view({"get": "list", "post": "create"})),
    path("calls/<str:sid>", CallViewSet.as_view({"get": "retrieve"})),
    path("calls/<str:sid>/events", CallViewSet.as_view({"get": "events"})),
    path("calls/<str:sid>/hangup", CallViewSet.as_view({"post": "hangup"})),
    path("do-not-call", DoNotCallViewSet.as_view({"get": "list", "post": "create"})),
    path("do-not-call/import", DoNotCallImportViewSet.as_view({"post": "create"})),
    path("do-not-call/<str:id>", DoNotCallViewSet.as_view({"delete": "remove"})),
    path("extensions", ExtensionViewSet.as_view({"get": "list", "post": "create"})),
    path("extensions/<str:id>", ExtensionViewSet.as_view(CHANGES)),
    path("extensions/<str:id>/password", ExtensionViewSet.as_view({"post": "reset_password"})),
    path("phone-numbers", PhoneNumberViewSet.as_view({"get": "list"})),
    path("phone-numbers/<str:id>", PhoneNumberViewSet.as_view({"get": "retrieve", "patch": "change"})),
    path("sip-trunks", TrunkViewSet.as_view({"get": "list"})),
    path("sip-trunks/<str:id>", TrunkViewSet.as_view({"get": "retrieve", "patch": "change"})),
    path(
        "phone-numbers/<str:id>/route",
        RouteViewSet.as_view({"get": "retrieve", "put": "replace", "delete": "remove"}),
    ),
    path("ivr/flows", FlowViewSet.as_view({"get": "list", "post": "create"})),
    path("ivr/flows/<str:id>", FlowViewSet.as_view(CHANGES)),
    path("ivr/flows/<str:id>/publish", FlowViewSet.as_view({"post": "publish"})),
    path("ivr/sessions", SessionViewSet.as_view({"get": "list"})),
    path("ivr/sessions/<str:id>", SessionViewSet.as_view({"get": "retrieve"})),
    path("queues", QueueViewSet.as_view({"get": "list", "post": "create"})),
    path("queues/<str:id>", QueueViewSet.as_view(CHANGES)),
    path("queues/<str:id>/members", QueueViewSet.as_view({"get": "members", "put": "staff"})),
    path("queues/<str:id>/status", QueueViewSet.as_view({"get": "status"})),
]
