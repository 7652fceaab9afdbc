"""Paths of billing, mounted under /v1/billing/."""

from django.urls import path

from billing.api import InvoicePdfViewSet, InvoiceViewSet, PlanViewSet
from billing.credit_api import CreditViewSet

urlpatterns = [
    path("invoices", InvoiceViewSet.as_view({"get": "list"})),
    path("invoices/draft", InvoiceViewSet.as_view({"post": "draft"})),
    path("invoices/<str:id>", InvoiceViewSet.as_view({"get": "show"}), name="invoice"),
    path("invoices/<str:id>/pdf", InvoicePdfViewSet.as_view({"get": "show"}), name="invoice-pdf"),
    path("credits", CreditViewSet.as_view({"get": "list"})),
    path("plans", PlanViewSet.as_view({"get": "list"})),
    path("subscription", PlanViewSet.as_view({"get": "subscription"})),
]
