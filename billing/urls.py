"""Paths of billing, mounted under /v1/billing/."""

from django.urls import path

from billing.api import InvoicePdfViewSet, InvoiceViewSet, PlanViewSet
from billing.credit_api import CreditViewSet
from billing.credit_note_api import CreditNoteViewSet
from billing.document_api import CreditNotePdfViewSet, CreditNoteXmlViewSet, InvoiceXmlViewSet
from billing.export_api import ExportViewSet
from billing.profile_api import ProfileViewSet
from billing.statement_api import StatementCsvViewSet, StatementPdfViewSet, StatementViewSet
from billing.subscription_api import SubscriptionViewSet
from billing.topup_api import PaymentViewSet, TopUpPdfViewSet, TopUpViewSet

urlpatterns = [
    path("invoices", InvoiceViewSet.as_view({"get": "list"})),
    path("invoices/draft", InvoiceViewSet.as_view({"post": "draft"})),
    path("invoices/<str:id>", InvoiceViewSet.as_view({"get": "show"}), name="invoice"),
    path("invoices/<str:id>/pdf", InvoicePdfViewSet.as_view({"get": "show"}), name="invoice-pdf"),
    path("invoices/<str:id>/xml", InvoiceXmlViewSet.as_view({"get": "show"}), name="invoice-xml"),
    path("credits", CreditViewSet.as_view({"get": "list"})),
    path("credit-notes", CreditNoteViewSet.as_view({"get": "list"})),
    path("credit-notes/<str:id>", CreditNoteViewSet.as_view({"get": "show"}), name="credit-note"),
    path("credit-notes/<str:id>/pdf", CreditNotePdfViewSet.as_view({"get": "show"}), name="credit-note-pdf"),
    path("credit-notes/<str:id>/xml", CreditNoteXmlViewSet.as_view({"get": "show"}), name="credit-note-xml"),
    path("exports", ExportViewSet.as_view({"get": "list", "post": "create"})),
    path("exports/<str:id>", ExportViewSet.as_view({"get": "show"})),
    path("exports/<str:id>/file", ExportViewSet.as_view({"get": "file"}), name="export-file"),
    path("payments", PaymentViewSet.as_view({"get": "list"})),
    path("statement", StatementViewSet.as_view({"get": "show"})),
    path("statement/csv", StatementCsvViewSet.as_view({"get": "show"})),
    path("statement/pdf", StatementPdfViewSet.as_view({"get": "show"})),
    path("top-ups", TopUpViewSet.as_view({"get": "list", "post": "create"})),
    path("top-ups/<str:id>", TopUpViewSet.as_view({"get": "show"}), name="top-up"),
    path("top-ups/<str:id>/cancel", TopUpViewSet.as_view({"post": "cancel"})),
    path("top-ups/<str:id>/pdf", TopUpPdfViewSet.as_view({"get": "show"}), name="top-up-pdf"),
    path("profile", ProfileViewSet.as_view({"get": "show", "put": "replace"})),
    path("plans", PlanViewSet.as_view({"get": "list"})),
    path("subscription", SubscriptionViewSet.as_view({"get": "show", "post": "change"})),
    path("subscription/cancel", SubscriptionViewSet.as_view({"post": "cancel"})),
    path("subscription/preview", SubscriptionViewSet.as_view({"post": "preview"})),
    path("estimate", SubscriptionViewSet.as_view({"get": "estimate"})),
]
