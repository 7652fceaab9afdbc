"""The operators' admin: unfold's theme, every tenant's rows by the named bypass."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import path, reverse
from unfold.sites import UnfoldAdminSite

from accounts.tenancy import system_access
from irisx.release.standing import standing


class OperatorSite(UnfoldAdminSite):  # type: ignore[misc] # unfold is untyped
    """Run every page inside one transaction with system access, rendered before the transaction ends."""

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        inner = super().admin_view(view, cacheable)

        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_permission(request):
                return _rendered(inner(request, *args, **kwargs))
            with system_access(f"operator {request.user.pk} in admin"):
                return _rendered(inner(request, *args, **kwargs))

        return page

    def get_urls(self) -> list[Any]:
        """Add the operators' own pages."""
        return [path("release/", self.admin_view(self.release), name="release"), *super().get_urls()]

    def release(self, request: HttpRequest) -> HttpResponseBase:
        """Show what this process stands on, and each file and library that is not what was built."""
        context = {**self.each_context(request), "title": "Release", "standing": standing()}
        return TemplateResponse(request, "irisx/release.html", context)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Let operators sign in where everybody does, second factor included."""
        if request.user.is_authenticated and request.user.is_active:
            if not self.has_permission(request):
                raise PermissionDenied("Operators only.")
            return redirect("admin:index")
        return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index"))


def _rendered(response: Any) -> HttpResponseBase:
    if isinstance(response, SimpleTemplateResponse):
        response.render()
    return cast(HttpResponseBase, response)
