"""Paths of chat, mounted under /v1/chat/."""

from django.urls import path

from chat.api.conversations import ConversationViewSet
from chat.api.desk import AgentConversationsViewSet, PresenceViewSet
from chat.api.public import StartViewSet, WidgetViewSet

urlpatterns = [
    path("widget/<str:widget_key>", WidgetViewSet.as_view({"get": "show"})),
    path("conversation/start", StartViewSet.as_view({"post": "start"})),
    path("message/send", ConversationViewSet.as_view({"post": "send"})),
    path("conversation/<str:id>/messages", ConversationViewSet.as_view({"get": "messages"})),
    path("conversation/<str:id>/events", ConversationViewSet.as_view({"get": "events"})),
    path("conversation/<str:id>/rate", ConversationViewSet.as_view({"post": "rate"})),
    path("conversation/<str:id>/close", ConversationViewSet.as_view({"post": "close"})),
    path("conversation/<str:id>/read", ConversationViewSet.as_view({"post": "read_up_to"})),
    path("conversation/<str:id>/accept", ConversationViewSet.as_view({"post": "accept"})),
    path("conversation/<str:id>/note", ConversationViewSet.as_view({"post": "note"})),
    path("agent/conversations", AgentConversationsViewSet.as_view({"get": "list"})),
    path("agent/presence", PresenceViewSet.as_view({"get": "show", "post": "choose"})),
    path("queue", AgentConversationsViewSet.as_view({"get": "queue"})),
]
