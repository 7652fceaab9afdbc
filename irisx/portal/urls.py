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
    widgets,
)
from irisx.portal.company import keys, log, members, settings, webhooks

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
    path("portal/widgets/", widgets.widgets, name="portal-widgets"),
    path("portal/widgets/<str:key>/", widgets.widget, name="portal-widget"),
    path("portal/widgets/<str:key>/secret", widgets.secret, name="portal-widget-secret"),
    path("portal/company/", members.members, name="portal-company"),
    path("portal/company/members/<str:key>", members.member, name="portal-member"),
    path("portal/company/invitations/<str:key>", members.invitation, name="portal-invitation"),
    path("portal/company/keys/", keys.keys, name="portal-keys"),
    path("portal/company/keys/<str:key>", keys.key, name="portal-key"),
    path("portal/company/webhooks/", webhooks.webhooks, name="portal-webhooks"),
    path("portal/company/webhooks/<str:key>/", webhooks.webhook, name="portal-webhook"),
    path("portal/company/webhooks/<str:key>/<str:delivery>/", webhooks.delivery, name="portal-delivery"),
    path("portal/company/webhooks/<str:key>/<str:delivery>/resend", webhooks.resend, name="portal-resend"),
    path("portal/company/log/", log.log, name="portal-log"),
    path("portal/company/settings/", settings.settings, name="portal-settings"),
    path("portal/company/settings/export", settings.export, name="portal-company-export"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/<str:key>/", inbox.inbox, name="inbox-mail"),
    path("inbox/<str:key>/body", inbox.mail_body, name="inbox-body"),
]
