"""Paths of accounts, mounted under /v1/."""

from django.urls import include, path

from accounts.company.api import CompanySettingsViewSet
from accounts.identity.urls import api as identity
from accounts.members.urls import urlpatterns as members
from accounts.views import MeViewSet, TicketViewSet

urlpatterns = [
    *identity,
    path("", include("accounts.webhooks.urls")),
    path("me", MeViewSet.as_view({"get": "show", "post": "choose"})),
    path("tenant/settings", CompanySettingsViewSet.as_view({"get": "show", "patch": "change"})),
    path("auth/ticket", TicketViewSet.as_view({"post": "create"})),
    *members,
]
