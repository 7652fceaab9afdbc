"""Every path of the platform, mounted here and nowhere else."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.identity.urls import pages as identity
from accounts.members.urls import pages as invitation_pages
from accounts.operators.urls import pages as impersonation
from chat.api.reports import StatsViewSet
from chat.attachments.files import file_urls
from chat.desk.urls import urlpatterns as desk
from chat.panel import panel_urls
from chat.urls import urlpatterns as chat
from irisx import health, metrics
from irisx.portal.urls import urlpatterns as portal

handler400 = "common.problems.bad_request"
handler403 = "common.problems.forbidden"
handler404 = "common.problems.not_found"
handler500 = "common.problems.crashed"

api = [
    path("", include("accounts.urls")),
    path("chat/", include(chat)),
    path("analytics/chats", StatsViewSet.as_view({"get": "show"})),
    path("usage/", include("usage.urls")),
    path("billing/", include("billing.urls")),
    path("usage/billing/", include("billing.legacy_urls")),
    path("", include("telephony.urls")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="irisx/docs.html"), name="docs"),
]

urlpatterns = [
    path("health", cast(Any, health.health)),
    path("livez", cast(Any, health.livez)),
    path("readyz", cast(Any, health.readyz)),
    path("metrics", metrics.metrics),
    path("v1/", include(cast(Any, api))),
    path("freeswitch/", include("telephony.switch.urls")),
    path("admin/", admin.site.urls),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("accounts/", include(cast(Any, identity))),
    path("", include(cast(Any, invitation_pages))),
    path("impersonation/", include(cast(Any, impersonation))),
    path("desk/", include(desk)),
    path("", include(cast(Any, panel_urls))),
    path("", include(cast(Any, file_urls))),
    path("", include(portal)),
]
