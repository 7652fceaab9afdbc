"""The invoice reads at their older address, mounted under /v1/usage/billing/."""

from django.urls import path

from billing.api import InvoiceViewSet

urlpatterns = [
    path("invoices", InvoiceViewSet.as_view({"get": "list"})),
    path("invoice/<str:id>", InvoiceViewSet.as_view({"get": "show"})),
]
