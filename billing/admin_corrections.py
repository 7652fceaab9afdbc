"""Operators' pages: payments and credit notes. Each is added through its service; nobody changes or deletes one."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils import timezone
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from accounts.models import User
from accounts.tenancy import tenant_scope
from accounts.tenancy.models import TenantModel
from billing import services
from billing.models import CreditNote, CreditNoteLine, Invoice, Payment, TopUp
from common.admin import EstimatedPaginator, HouseAdmin
from common.clients import address_of
from common.errors import DomainError
from common.ids import uuid7
from usage.services.auditing import Actor, audit


def audited(request: HttpRequest, row: TenantModel, action: str, changes: dict[str, Any]) -> None:
    """Write down in the tenant's audit log what an operator did."""
    operator = request.user
    assert isinstance(operator, User)
    actor = Actor(kind="operator", name=operator.name, id=operator.pk, address=address_of(request) or None)
    audit(tenant_id=row.tenant_id, action=action, object_id=row.pk, changes=changes, actor=actor)


def _new_key() -> str:
    return f"operator:{uuid7().hex}"


class ByService(HouseAdmin):
    """Rows are added through a service, and never changed; what it refuses is said, and nothing is stored."""

    paginator = EstimatedPaginator

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return bool(request.user.has_perm(f"billing.add_{self.opts.model_name}"))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Show all of a row; ask for what its service needs."""
        return list(self.form.base_fields) if obj is None else [field.name for field in self.opts.fields]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().changeform_view(request, *args, **kwargs)  # type: ignore[no-any-return] # unfold is untyped
        except DomainError as error:
            details = [problem.detail for problem in error.errors] or [error.message]
            messages.error(request, " ".join(details))
            return HttpResponseRedirect(request.get_full_path())


class PaymentForm(forms.ModelForm):  # type: ignore[type-arg] # generic only in the stubs
    """Money that came for an invoice or a top-up; or with `refunds`, given back of that payment."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=80, initial=_new_key)

    class Meta:
        model = Payment
        fields = ("invoice", "top_up", "amount", "method", "reference", "received_at", "refunds", "key")
        help_texts = {
            "top_up": "Instead of an invoice: what comes for it becomes prepaid credit.",
            "amount": "More than 0, in the currency of what is paid.",
            "refunds": "Given back of this payment.",
        }

    def clean(self) -> dict[str, Any]:
        """Ask for more than 0: the sign follows from what it is."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("amount") is not None and values["amount"] <= 0:
            self.add_error("amount", "An amount is more than 0.")
        if values.get("method") == Payment.Method.CREDIT:
            self.add_error("method", "Credit pays by itself, when an invoice is finalized.")
        refunds, invoice, top_up = values.get("refunds"), values.get("invoice"), values.get("top_up")
        if (invoice is None) == (top_up is None):
            self.add_error("invoice", "A payment is for an invoice or for a top-up.")
        elif refunds and (refunds.invoice, refunds.top_up) != (invoice, top_up):
            self.add_error("refunds", "That payment is of another invoice or top-up.")
        return values

    def _get_validation_exclusions(self) -> set[str]:
        # The service decides the sign, which the constraints are about.
        return {*super()._get_validation_exclusions(), "amount"}  # type: ignore[misc] # not in the stubs


@admin.register(Payment)
class PaymentAdmin(ByService):
    form = PaymentForm
    list_display = ("received_at", "tenant", "invoice", "top_up", "amount", "currency", "method", "reference")
    list_filter = ("method", "currency")
    list_select_related = ("tenant", "invoice", "top_up")
    search_fields = ("reference", "invoice__invoice_number", "top_up__number", "top_up__reference", "tenant__name")
    date_hierarchy = "received_at"
    autocomplete_fields = ("invoice", "top_up", "refunds")

    def save_model(self, request: HttpRequest, obj: Payment, form: Any, change: bool) -> None:
        paid = obj.invoice or obj.top_up
        assert paid is not None, "the form asks for one"
        with tenant_scope(paid.tenant_id):
            stored = _stored(obj, paid)
            audited(request, stored, "payment.recorded", {"amount": str(stored.amount), "method": stored.method})
        obj.__dict__.update(stored.__dict__)


def _stored(payment: Payment, paid: Invoice | TopUp) -> Payment:
    """Record what the form says, by the service of what it is for."""
    common: dict[str, Any] = {
        "tenant_id": paid.tenant_id,
        "key": payment.key,
        "amount": payment.amount,
        "reference": payment.reference,
        "now": timezone.now(),
    }
    if payment.refunds_id:
        return services.refund_payment(payment_id=payment.refunds_id, **common)
    common |= {"method": payment.method, "received_at": payment.received_at}
    if isinstance(paid, Invoice):
        return services.record_payment(invoice_id=paid.pk, **common)
    return services.record_top_up_payment(top_up_id=paid.pk, **common)


class CreditNoteForm(forms.ModelForm):  # type: ignore[type-arg] # generic only in the stubs
    """Which lines of an invoice are taken back, or all that is left of it."""

    lines = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text="One line each: its position and an amount before tax, e.g. 2 10.50. Empty: all, and the invoice is void.",
    )
    keeps_surplus = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="What was paid too much then is given back by a refund, instead of becoming prepaid credit.",
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=80, initial=_new_key)

    class Meta:
        model = CreditNote
        fields = ("invoice", "reason", "lines", "keeps_surplus", "key")

    def clean_lines(self) -> list[services.Credited] | None:
        rows = [row.split() for row in self.cleaned_data["lines"].splitlines() if row.strip()]
        return [self._line(row) for row in rows] or None

    def _line(self, words: list[str]) -> services.Credited:
        try:
            position, amount = words
            return services.Credited(int(position), forms.DecimalField().clean(amount))
        except (ValueError, ValidationError) as error:
            raise ValidationError(f"{' '.join(words)} is no position and amount, e.g. 2 10.50.") from error


class CreditNoteLineInline(TabularInline):  # type: ignore[misc] # unfold is untyped
    model = CreditNoteLine
    fields = ("position", "description", "amount", "tax_category", "tax_rate", "tax")
    ordering = ("position",)
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(CreditNote)
class CreditNoteAdmin(ByService):
    form = CreditNoteForm
    list_display = ("credit_note_number", "tenant", "invoice", "issue_date", "total_amount", "currency", "reason")
    list_filter = ("currency", "legal_entity")
    list_select_related = ("tenant", "invoice")
    search_fields = ("credit_note_number", "invoice__invoice_number", "tenant__name")
    date_hierarchy = "issue_date"
    autocomplete_fields = ("invoice",)

    def get_inlines(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return (CreditNoteLineInline,) if obj else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("legal_entity")  # type: ignore[no-any-return] # unfold is untyped

    def save_model(self, request: HttpRequest, obj: CreditNote, form: Any, change: bool) -> None:
        tenant_id = obj.invoice.tenant_id
        with tenant_scope(tenant_id):
            stored = services.issue_credit_note(
                tenant_id=tenant_id,
                invoice_id=obj.invoice_id,
                key=obj.key,
                reason=obj.reason,
                lines=form.cleaned_data["lines"],
                keeps_surplus=form.cleaned_data["keeps_surplus"],
                now=timezone.now(),
            )
            audited(request, stored, "credit_note.issued", {"number": str(stored), "total": str(stored.total_amount)})
        obj.__dict__.update(stored.__dict__)
