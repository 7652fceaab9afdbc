"""The tenant's pages, mounted at the root."""

from django.urls import path

from irisx.portal import (
    billing_credit,
    billing_exports,
    billing_profile,
    billing_subscription,
    finance,
    inbox,
    views,
)

urlpatterns = [
    path("", views.home, name="home"),
    path("portal/", views.overview, name="portal"),
    path("portal/usage/", views.usage, name="portal-usage"),
    path("portal/finance/", finance.invoices, name="portal-finance"),
    path("portal/finance/draft", finance.draft, name="portal-draft"),
    path("portal/finance/credit-notes/", finance.credit_notes, name="portal-credit-notes"),
    path("portal/finance/credit-notes/<str:key>/", finance.credit_note, name="portal-credit-note"),
    path("portal/finance/credit/", billing_credit.credit, name="portal-credit"),
    path("portal/finance/subscription/", billing_subscription.subscription, name="portal-subscription"),
    path("portal/finance/subscription/change", billing_subscription.change, name="portal-subscription-change"),
    path("portal/finance/subscription/cancel", billing_subscription.cancel, name="portal-subscription-cancel"),
    path("portal/finance/profile/", billing_profile.profile, name="portal-profile"),
    path("portal/finance/exports/", billing_exports.exports, name="portal-exports"),
    path("portal/finance/exports/start", billing_exports.start, name="portal-export-start"),
    path("portal/finance/exports/<str:key>/", billing_exports.export, name="portal-export"),
    path("portal/finance/<str:key>/", finance.invoice, name="portal-invoice"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/<str:key>/", inbox.inbox, name="inbox-mail"),
    path("inbox/<str:key>/body", inbox.mail_body, name="inbox-body"),
]
