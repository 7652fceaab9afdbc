"""Paths of operators, mounted under /v1/admin/."""

from django.urls import path

from accounts.operators import pages as views
from accounts.operators.api import AdminAgentViewSet, AdminImportViewSet, AdminTenantViewSet, AdminUserViewSet

urlpatterns = [
    path("tenants", AdminTenantViewSet.as_view({"get": "list", "post": "create"})),
    path("tenants/<str:id>", AdminTenantViewSet.as_view({"get": "show", "patch": "change"})),
    path("tenants/<str:id>/suspend", AdminTenantViewSet.as_view({"post": "suspend"})),
    path("tenants/<str:id>/reactivate", AdminTenantViewSet.as_view({"post": "reactivate"})),
    path("tenants/<str:id>/close", AdminTenantViewSet.as_view({"post": "close"})),
    path("users", AdminUserViewSet.as_view({"get": "list"})),
    path("users/<str:id>", AdminUserViewSet.as_view({"get": "show", "patch": "change"})),
    path("users/<str:id>/reset", AdminUserViewSet.as_view({"post": "reset"})),
    path("users/<str:id>/suspend", AdminUserViewSet.as_view({"post": "suspend"})),
    path("users/<str:id>/reactivate", AdminUserViewSet.as_view({"post": "reactivate"})),
    path("users/<str:id>/sign-out", AdminUserViewSet.as_view({"post": "sign_out"})),
    path("agents", AdminAgentViewSet.as_view({"get": "list"})),
    path("agents/import", AdminImportViewSet.as_view({"post": "create"})),
    path("agents/import/<str:id>", AdminImportViewSet.as_view({"get": "show"})),
]
pages = [
    path("end", views.end, name="impersonation-end"),
    path("<uuid:key>/", views.begin, name="impersonation"),
]
