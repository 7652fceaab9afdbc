"""Paths of accounts, mounted under /v1/."""

from django.urls import include, path

from accounts.audit.api import AuditLogViewSet
from accounts.company.api import CompanySettingsViewSet
from accounts.exports.api import TenantExportViewSet
from accounts.identity.urls import api as identity
from accounts.keys.api import ApiKeyViewSet
from accounts.leaving.api import LeavingViewSet
from accounts.members.urls import urlpatterns as members
from accounts.operators.urls import urlpatterns as operators
from accounts.views import MeViewSet, TicketViewSet

urlpatterns = [
    *identity,
    path("", include("accounts.webhooks.urls")),
    path("me", MeViewSet.as_view({"get": "show", "post": "choose", "patch": "change"})),
    path("tenant/settings", CompanySettingsViewSet.as_view({"get": "show", "patch": "change"})),
    path("tenant/export", TenantExportViewSet.as_view({"post": "create"})),
    path("tenant/exports", TenantExportViewSet.as_view({"get": "list"})),
    path("tenant/exports/<str:id>", TenantExportViewSet.as_view({"get": "show"})),
    path("tenant/exports/<str:id>/file", TenantExportViewSet.as_view({"get": "file"})),
    path("tenant/close", LeavingViewSet.as_view({"post": "close"})),
    path("api-keys", ApiKeyViewSet.as_view({"get": "list", "post": "create"})),
    path("api-keys/<str:id>", ApiKeyViewSet.as_view({"get": "show", "patch": "change", "delete": "revoke"})),
    path("api-keys/<str:id>/rotate", ApiKeyViewSet.as_view({"post": "rotate"})),
    path("audit-log", AuditLogViewSet.as_view({"get": "list"})),
    path("audit-log/export", AuditLogViewSet.as_view({"get": "export"})),
    path("auth/ticket", TicketViewSet.as_view({"post": "create"})),
    *members,
    path("admin/", include(operators)),
]
