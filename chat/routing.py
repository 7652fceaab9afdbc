"""The sockets of chat. Django's `path` routes ASGI applications too; its stubs know only views."""

from typing import Any, cast

from django.urls import URLPattern, path

from chat.consumers import AgentConsumer, VisitorConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("ws/v1/visitor", cast(Any, VisitorConsumer.as_asgi())),
    path("ws/v1/agent", cast(Any, AgentConsumer.as_asgi())),
]
