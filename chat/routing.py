"""The sockets of chat."""

from django.urls import path

from chat.consumers import AgentConsumer, VisitorConsumer

websocket_urlpatterns = [
    path("ws/v1/visitor", VisitorConsumer.as_asgi()),
    path("ws/v1/agent", AgentConsumer.as_asgi()),
]
