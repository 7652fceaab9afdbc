"""The operators' admin: unfold's theme, every tenant's rows by the named bypass."""

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest, HttpResponseBase
from django.template.response import SimpleTemplateResponse
from unfold.sites import UnfoldAdminSite

from accounts.tenancy import system_access


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


def _rendered(response: Any) -> HttpResponseBase:
    if isinstance(response, SimpleTemplateResponse):
        response.render()
    return cast(HttpResponseBase, response)
