"""Operators' pages: who sells and buys, what is taxed how, what is owed. Corrections are in `admin_corrections`."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import TabularInline

from accounts.tenancy import tenant_scope
from billing import admin_logos as admin_logos  # the pages of logos
from billing import admin_money_in as admin_money_in  # the pages of top-ups and e-mails
from billing import admin_runs as admin_runs  # the pages of runs
from billing import services
from billing.admin_corrections import audited
from billing.admin_owed import OwedAdmin
from billing.models import (
    BillingProfile,
    CreditNote,
    ExchangeRate,
    Invoice,
    InvoiceLineItem,
    InvoiceSequence,
    LegalEntity,
    Payment,
    TaxRate,
)
from common.admin import HouseAdmin, LedgerAdmin
from common.errors import DomainError


class ReadInline(TabularInline):  # type: ignore[misc] # unfold is untyped
    """Rows of an invoice, to be looked at."""

    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class InvoiceLineInline(ReadInline):
    model = InvoiceLineItem
    fields = (
        "position", "description", "service_start", "service_end", "quantity", "unit", "unit_price", "amount",
        "allowance", "tax_category", "tax_rate", "tax",
    )  # fmt: skip
    ordering = ("position",)


class PaymentInline(ReadInline):
    model = Payment
    fields = ("received_at", "amount", "method", "reference")
    ordering = ("received_at",)


class CreditNoteInline(ReadInline):
    model = CreditNote
    fields = ("credit_note_number", "issue_date", "reason", "total_amount")
    ordering = ("created_at",)


@admin.register(Invoice)
class InvoiceAdmin(OwedAdmin):
    list_display = (
        "__str__", "tenant", "status", "period_start", "period_end", "subtotal", "allowance", "tax", "total_amount",
        "amount_paid", "currency", "due_date",
    )  # fmt: skip
    list_filter = ("status", "currency", "legal_entity")
    list_select_related = ("tenant",)
    search_fields = ("invoice_number", "tenant__name")
    date_hierarchy = "period_start"
    exclude = ("usage_days",)
    inlines = (InvoiceLineInline, PaymentInline, CreditNoteInline)
    actions = ("finalize", "send_again", "as_csv", "as_xlsx")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("usage_days")  # type: ignore[no-any-return] # unfold is untyped

    def has_finalize_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("billing.change_invoice"))

    @admin.action(description="Finalize", permissions=["finalize"])
    def finalize(self, request: HttpRequest, chosen: QuerySet[Invoice]) -> None:
        """Finalize drafts and parked invoices, each on its own; say which were refused, and why."""
        for invoice in chosen.order_by("tenant_id", "period_start"):
            try:
                self._finalize(request, invoice)
            except DomainError as error:
                self.message_user(request, f"{invoice.tenant}, {invoice}: {error.message}", messages.ERROR)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("billing.change_invoice"))

    @admin.action(description="E-mail again", permissions=["send"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Invoice]) -> None:
        """Have final invoices e-mailed once more to their tenants' billing addresses."""
        admin_money_in.send_documents(self, request, [one for one in chosen if not one.is_draft])

    def _finalize(self, request: HttpRequest, invoice: Invoice) -> None:
        if not invoice.is_draft:
            self.message_user(request, f"{invoice} was final before.", messages.WARNING)
            return
        with tenant_scope(invoice.tenant_id):
            final = services.finalize_invoice(tenant_id=invoice.tenant_id, invoice_id=invoice.pk, now=timezone.now())
            action = "invoice.parked" if final.is_draft else "invoice.finalized"
            audited(request, final, action, {"status": final.status, "number": final.invoice_number})
        if final.is_draft:
            reasons = " ".join(reason["detail"] for reason in final.parked_reasons)
            self.message_user(request, f"{invoice.tenant}, {invoice} is parked: {reasons}", messages.WARNING)
        else:
            self.message_user(request, f"{invoice.tenant}: {final} is {final.status}.")


@admin.register(LegalEntity)
class LegalEntityAdmin(HouseAdmin):
    list_display = ("name", "country", "tax_id", "invoice_prefix", "credit_note_prefix", "is_default")
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "address", "postal_code", "city", "country", "email", "is_default")}),
        ("Tax", {"fields": ("tax_id", "tax_currency", "uses_oss")}),
        (
            "Invoices",
            {"fields": ("invoice_prefix", "credit_note_prefix", "has_yearly_series", "due_days", "timezone")},
        ),
        ("Bank", {"fields": ("bank_name", "iban", "bic")}),
    )


@admin.register(BillingProfile)
class BillingProfileAdmin(HouseAdmin):
    list_display = ("__str__", "tenant", "country", "tax_id", "treatment", "language")
    list_filter = ("treatment", "country")
    list_select_related = ("tenant",)
    search_fields = ("legal_name", "tax_id", "tenant__name")
    autocomplete_fields = ("tenant", "seller")

    def save_model(self, request: HttpRequest, obj: BillingProfile, form: Any, change: bool) -> None:
        """Store it; the tenant's audit log says who decided about its tax."""
        super().save_model(request, obj, form, change)
        changes = {name: str(form.cleaned_data[name] or "") for name in form.changed_data}
        with tenant_scope(obj.tenant_id):
            audited(request, obj, "billing_profile.changed", changes)


@admin.register(TaxRate)
class TaxRateAdmin(HouseAdmin):
    list_display = ("country", "category", "rate", "effective_from", "effective_until")
    list_filter = ("category",)
    search_fields = ("country",)
    ordering = ("country", "-effective_from")


@admin.register(ExchangeRate)
class ExchangeRateAdmin(HouseAdmin):
    list_display = ("rate_date", "currency", "into_currency", "rate", "source")
    list_filter = ("currency", "into_currency")
    date_hierarchy = "rate_date"


@admin.register(InvoiceSequence)
class InvoiceSequenceAdmin(LedgerAdmin):
    list_display = ("legal_entity", "series", "last", "last_issue_date")
    list_select_related = ("legal_entity",)
