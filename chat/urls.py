"""Paths of chat, mounted under /v1/chat/."""

from django.db.transaction import non_atomic_requests
from django.urls import path

from chat.api.attachments import AttachmentsViewSet
from chat.api.catalogue import CannedReplyViewSet, LabelViewSet
from chat.api.conversations import ConversationViewSet
from chat.api.desk import AgentConversationsViewSet, AgentsViewSet, PresenceViewSet
from chat.api.handing import HandingViewSet
from chat.api.public import StartViewSet, WidgetViewSet
from chat.api.reports import StatsViewSet
from chat.api.search import SearchViewSet
from chat.api.visitors import OwnViewSet, VisitorsViewSet
from chat.api.widgets import WidgetsViewSet

urlpatterns = [
    path("widget/<str:widget_key>", WidgetViewSet.as_view({"get": "show"})),
    path("widgets", WidgetsViewSet.as_view({"get": "list", "post": "create"})),
    path("widgets/<str:id>", WidgetsViewSet.as_view({"get": "retrieve", "patch": "change", "delete": "remove"})),
    path("widgets/<str:id>/identity-secret", WidgetsViewSet.as_view({"post": "rotate"})),
    path("stats", StatsViewSet.as_view({"get": "show"})),
    path("search", SearchViewSet.as_view({"get": "list"})),
    path("labels", LabelViewSet.as_view({"get": "list", "post": "create"})),
    path("labels/<str:id>", LabelViewSet.as_view({"patch": "change", "delete": "remove"})),
    path("canned-replies", CannedReplyViewSet.as_view({"get": "list", "post": "create"})),
    path("canned-replies/<str:id>", CannedReplyViewSet.as_view({"patch": "change", "delete": "remove"})),
    path("conversation/start", StartViewSet.as_view({"post": "start"})),
    path("message/send", ConversationViewSet.as_view({"post": "send"})),
    path("conversation/<str:id>/messages", ConversationViewSet.as_view({"get": "messages"})),
    path("conversation/<str:id>/messages/<str:message_id>/edit", ConversationViewSet.as_view({"post": "edit"})),
    path("conversation/<str:id>/events", ConversationViewSet.as_view({"get": "events"})),
    path("conversation/<str:id>/rate", ConversationViewSet.as_view({"post": "rate"})),
    path("conversation/<str:id>/close", ConversationViewSet.as_view({"post": "close"})),
    path("conversation/<str:id>/read", ConversationViewSet.as_view({"post": "read_up_to"})),
    path("conversation/<str:id>/delivered", ConversationViewSet.as_view({"post": "delivered_up_to"})),
    path("conversation/<str:id>/accept", HandingViewSet.as_view({"post": "accept"})),
    path("conversation/<str:id>/note", ConversationViewSet.as_view({"post": "note"})),
    path("conversation/<str:id>/transfer", HandingViewSet.as_view({"post": "transfer"})),
    path("conversation/<str:id>/labels", HandingViewSet.as_view({"post": "label"})),
    path("conversation/<str:id>/reopen", HandingViewSet.as_view({"post": "reopen"})),
    path("agents", AgentsViewSet.as_view({"get": "list"})),
    path("agent/conversations", AgentConversationsViewSet.as_view({"get": "list"})),
    path("agent/presence", PresenceViewSet.as_view({"get": "show", "post": "choose"})),
    # Outside the request's transaction: the row of an upload is committed before its bytes are written.
    path("attachments", non_atomic_requests(AttachmentsViewSet.as_view({"post": "create"}))),
    path("attachments/<str:id>", AttachmentsViewSet.as_view({"get": "show"})),
    path("visitor", OwnViewSet.as_view({"get": "show", "patch": "change"})),
    path("visitor/export", OwnViewSet.as_view({"get": "export"})),
    path("visitor/forget", OwnViewSet.as_view({"post": "forget"})),
    path("visitors/<str:id>", VisitorsViewSet.as_view({"get": "show", "patch": "change", "delete": "erase"})),
    path("visitors/<str:id>/export", VisitorsViewSet.as_view({"get": "export"})),
    path("visitors/<str:id>/block", VisitorsViewSet.as_view({"post": "block"})),
    path("visitors/<str:id>/unblock", VisitorsViewSet.as_view({"post": "unblock"})),
    path("queue", AgentConversationsViewSet.as_view({"get": "queue"})),
]
