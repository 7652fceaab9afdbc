"""The tenant's pages, mounted at the root."""

from django.urls import path

from irisx.portal import finance, inbox, views

urlpatterns = [
    path("", views.home, name="home"),
    path("portal/", views.overview, name="portal"),
    path("portal/usage/", views.usage, name="portal-usage"),
    path("portal/finance/", finance.invoices, name="portal-finance"),
    path("portal/finance/draft", finance.draft, name="portal-draft"),
    path("portal/finance/<str:key>/", finance.invoice, name="portal-invoice"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/<str:key>/", inbox.inbox, name="inbox-mail"),
    path("inbox/<str:key>/body", inbox.mail_body, name="inbox-body"),
]
