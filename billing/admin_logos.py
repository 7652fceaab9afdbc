"""Operators' page: the logos of sellers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from billing.models import SellerLogo
from billing.services.logos import set_logo
from common.admin import LedgerAdmin
from common.errors import DomainError


class LogoForm(forms.ModelForm):  # type: ignore[type-arg] # generic only in the stubs
    """A picture and whose it is; stored by the service when it is found good."""

    picture = forms.FileField(help_text="PNG or SVG, at most 256 KB; printed in a box of 62 by 15 mm.")

    class Meta:
        model = SellerLogo
        fields = ("legal_entity",)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "picture" in values and "legal_entity" in values:
            try:
                stored = set_logo(
                    legal_entity_id=values["legal_entity"].pk, content=values["picture"].read(), now=timezone.now()
                )
            except DomainError as error:
                raise ValidationError({"picture": error.message}) from error
            self.instance = stored
        return values


@admin.register(SellerLogo)
class SellerLogoAdmin(LedgerAdmin):
    form = LogoForm
    list_display = ("legal_entity", "media_type", "uploaded_at")
    list_filter = ("legal_entity",)
    fields = ("legal_entity", "picture")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return super(LedgerAdmin, self).has_add_permission(request)  # type: ignore[no-any-return] # unfold is untyped

    def get_fields(self, request: HttpRequest, obj: SellerLogo | None = None) -> tuple[str, ...]:
        return ("legal_entity", "media_type", "uploaded_at") if obj else ("legal_entity", "picture")

    def save_model(self, request: HttpRequest, obj: SellerLogo, form: Any, change: bool) -> None:
        """The form has stored it."""
