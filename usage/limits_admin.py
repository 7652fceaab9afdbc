"""Operators' pages: credit, features, exceptions, quotas and thresholds."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from accounts.models import User
from accounts.tenancy import tenant_scope
from common.admin import HouseAdmin, LedgerAdmin
from common.clients import address_of
from common.errors import DomainError
from common.ids import uuid7
from usage import services
from usage.models import (
    CreditBalance,
    CreditBurn,
    CreditEntry,
    CreditHold,
    Entitlement,
    Feature,
    QuotaCounter,
    ThresholdCrossing,
    ThresholdSetting,
)
from usage.services.auditing import Actor, audit
from usage.services.entitling import check_value

GRANTED_BY_HAND = (CreditEntry.Source.PROMOTIONAL, CreditEntry.Source.PREPAID)


class GrantForm(forms.ModelForm):  # type: ignore[type-arg] # generic only in the stubs
    """A grant by an operator. Its key is made with the form, so that a form sent twice grants once."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=120, initial=lambda: f"operator:{uuid7().hex}")
    amount = forms.DecimalField(
        min_value=0,
        max_digits=18,
        decimal_places=3,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="In the tenant's currency.",
    )

    class Meta:
        model = CreditEntry
        fields = ("tenant", "source", "amount", "starts_at", "expires_at", "note", "key")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "source" in self.fields:
            self.fields["source"].choices = [(one.value, one.label) for one in GRANTED_BY_HAND]  # type: ignore[attr-defined] # of a choice field

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        starts_at, expires_at = values.get("starts_at"), values.get("expires_at")
        if not values.get("amount"):
            self.add_error("amount", "Credit is more than 0.")
        if starts_at and expires_at and expires_at <= starts_at:
            self.add_error("expires_at", "Credit expires after it starts.")
        return values


@admin.register(CreditEntry)
class CreditEntryAdmin(LedgerAdmin):
    """The ledger: an operator adds promotional credit, or prepaid credit that was paid for; nobody changes a line."""

    list_display = ("created_at", "tenant", "kind", "source", "amount", "currency", "starts_at", "expires_at", "note")
    list_filter = ("kind", "source")
    list_select_related = ("tenant",)
    search_fields = ("=key", "tenant__name")
    form = GrantForm
    autocomplete_fields = ("tenant",)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return bool(request.user.has_perm("usage.add_creditentry"))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Show all of a line; ask for what decides a grant."""
        return GrantForm.Meta.fields if obj is None else [field.name for field in CreditEntry._meta.fields]

    def save_model(self, request: HttpRequest, obj: CreditEntry, form: Any, change: bool) -> None:
        """Grant through the service, in the tenant's scope; its audit log says who did."""
        tenant = obj.tenant
        with tenant_scope(tenant.pk):
            stored = services.grant(
                tenant_id=tenant.pk,
                source=obj.source,
                key=obj.key,
                amount=obj.amount,
                currency=tenant.currency,
                starts_at=obj.starts_at,
                expires_at=obj.expires_at,
                note=obj.note,
                actor=_actor(request),
            )
        obj.pk, obj.currency = stored.pk, stored.currency


@admin.register(CreditBurn)
class CreditBurnAdmin(LedgerAdmin):
    list_display = ("burned_at", "tenant", "key", "asked", "burned")
    list_select_related = ("tenant",)
    search_fields = ("=key", "tenant__name")


@admin.register(CreditBalance)
class CreditBalanceAdmin(LedgerAdmin):
    list_display = ("tenant", "available", "held", "reserved", "currency", "good_until")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)


@admin.register(CreditHold)
class CreditHoldAdmin(LedgerAdmin):
    """Holds end by themselves; an operator may release one."""

    list_display = ("key", "tenant", "amount", "status", "settled_amount", "expires_at", "ended_at")
    list_filter = ("status",)
    list_select_related = ("tenant",)
    search_fields = ("=key", "tenant__name")
    actions = ("release",)

    @admin.action(description="Release")
    def release(self, request: HttpRequest, chosen: QuerySet[CreditHold]) -> None:
        for row in chosen.filter(status=CreditHold.Status.HELD).order_by("pk"):
            with tenant_scope(row.tenant_id):
                services.release_hold(tenant_id=row.tenant_id, key=row.key, now=timezone.now())
                changes = {"key": row.key, "amount": str(row.amount)}
                audit(
                    tenant_id=row.tenant_id, action="credit.hold_released", object_id=row.pk, changes=changes,
                    actor=_actor(request),
                )  # fmt: skip
        self.message_user(request, "What they held is free again.")


@admin.register(Feature)
class FeatureAdmin(HouseAdmin):
    """Features may be added; what one is called and how it counts stays, for plans and tenants name it."""

    list_display = ("name", "slug", "kind", "cap", "unit", "channel", "resource_type")
    list_filter = ("kind",)
    ordering = ("position",)
    search_fields = ("name", "slug")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("slug", "kind", "channel", "resource_type") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class EntitlementForm(forms.ModelForm):  # type: ignore[type-arg] # generic only in the stubs
    """An exception for a tenant; its value is held to the feature's kind."""

    class Meta:
        model = Entitlement
        fields = ("tenant", "feature", "value", "cap", "starts_at", "ends_at", "note")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        feature, starts_at, ends_at = values.get("feature"), values.get("starts_at"), values.get("ends_at")
        if feature and "value" in values:
            try:
                check_value(feature, values["value"])
            except DomainError as error:
                self.add_error("value", error.message)
        if starts_at and ends_at and ends_at <= starts_at:
            self.add_error("ends_at", "It ends after it starts.")
        return values


@admin.register(Entitlement)
class EntitlementAdmin(LedgerAdmin):
    """Exceptions: added, and ended by an action; what held in the past stays to be seen."""

    list_display = ("tenant", "feature", "value", "cap", "starts_at", "ends_at", "note")
    list_filter = ("feature",)
    list_select_related = ("tenant", "feature")
    search_fields = ("tenant__name",)
    form = EntitlementForm
    autocomplete_fields = ("tenant", "feature")
    actions = ("end_now",)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return bool(request.user.has_perm("usage.add_entitlement"))

    def save_model(self, request: HttpRequest, obj: Entitlement, form: Any, change: bool) -> None:
        with tenant_scope(obj.tenant_id):
            stored = services.entitle(
                tenant_id=obj.tenant_id,
                feature=obj.feature.slug,
                value=obj.value,
                cap=obj.cap,
                starts_at=obj.starts_at,
                ends_at=obj.ends_at,
                note=obj.note,
                now=timezone.now(),
            )
            self._audit(request, stored, "entitlement.given", {"feature": obj.feature.slug, "value": obj.value})
        obj.pk = stored.pk

    @admin.action(description="End now")
    def end_now(self, request: HttpRequest, chosen: QuerySet[Entitlement]) -> None:
        for row in chosen.select_related("feature").order_by("pk"):
            with tenant_scope(row.tenant_id):
                services.end_entitlement(tenant_id=row.tenant_id, entitlement_id=row.pk, now=timezone.now())
                self._audit(request, row, "entitlement.ended", {"feature": row.feature.slug})
        self.message_user(request, "The plan's own values hold again.", messages.SUCCESS)

    def _audit(self, request: HttpRequest, row: Entitlement, action: str, changes: dict[str, Any]) -> None:
        audit(tenant_id=row.tenant_id, action=action, object_id=row.pk, changes=changes, actor=_actor(request))


@admin.register(QuotaCounter)
class QuotaCounterAdmin(LedgerAdmin):
    list_display = ("tenant", "feature", "used", "period_id")
    list_filter = ("feature",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)


@admin.register(ThresholdSetting)
class ThresholdSettingAdmin(LedgerAdmin):
    list_display = ("tenant", "subject", "feature", "percents", "amounts")
    list_filter = ("subject",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)


@admin.register(ThresholdCrossing)
class ThresholdCrossingAdmin(LedgerAdmin):
    list_display = ("crossed_at", "tenant", "subject", "feature", "basis", "value", "used", "limit")
    list_filter = ("subject", "feature")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)


def _actor(request: HttpRequest) -> Actor:
    operator = request.user
    assert isinstance(operator, User)
    return Actor(kind="operator", name=operator.name, id=operator.pk, address=address_of(request) or None)
