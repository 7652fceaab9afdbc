"""Paths of members, mounted under /v1/, and the page behind an invitation's link."""

from django.urls import path

from accounts.members.api import InvitationViewSet, MemberViewSet
from accounts.members.pages import invitation

urlpatterns = [
    path("members", MemberViewSet.as_view({"get": "list"})),
    path("members/invitations", InvitationViewSet.as_view({"get": "list", "post": "create"})),
    path("members/invitations/<str:id>", InvitationViewSet.as_view({"get": "show", "delete": "revoke"})),
    path("members/invitations/<str:id>/resend", InvitationViewSet.as_view({"post": "resend"})),
    path("members/<str:id>", MemberViewSet.as_view({"get": "show", "patch": "change", "delete": "remove"})),
    path("members/<str:id>/suspend", MemberViewSet.as_view({"post": "suspend"})),
    path("members/<str:id>/reactivate", MemberViewSet.as_view({"post": "reactivate"})),
]
pages = [path("invitations/<str:token>/", invitation, name="invitation")]
