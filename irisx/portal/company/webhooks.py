"""Where events go, and what became of them."""

from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit
from accounts.pages import MemberRequest, member_page
from accounts.webhooks import catalogue, endpoints, replaying
from accounts.webhooks.auditing import note
from accounts.webhooks.models import WebhookDelivery
from common.errors import DomainError
from common.ids import decode
from irisx.portal.company.acting import act, chosen

MOST = 50
LIST, PAGE, DELIVERY = "portal-webhooks", "portal-webhook", "portal-delivery"


class EndpointForm(forms.Form):
    url = forms.CharField(max_length=500, label="Address", help_text="https, a public address.")
    description = forms.CharField(max_length=120, required=False)
    event_types = forms.MultipleChoiceField(
        choices=[(name, name) for name in (*catalogue.FAMILIES, *catalogue.TYPES)],
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 8}),
        label="Events",
        help_text="None chosen: every event. call.* stands for a family, those to come included.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("webhooks.manage")
def webhooks(request: MemberRequest) -> HttpResponseBase:
    """List the endpoints; a POST adds one and shows its secret."""
    form = EndpointForm(request.POST or None)
    context: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = endpoints.create_endpoint(
                tenant_id=request.tenant.pk, now=timezone.now(), **form.cleaned_data
            )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            _note(request, "created", made.pk, form.cleaned_data)
            form, context = EndpointForm(), {"made": made, "secret": secret}
    rows = endpoints.endpoints_of(tenant_id=request.tenant.pk).order_by("-created_at", "-id")
    context |= {"form": form, "endpoints": rows, "now": timezone.now(), "tab": "webhooks"}
    answer = render(request, "portal/company/webhooks.html", context, status=422 if form.errors else 200)
    if "secret" in context:
        answer["Cache-Control"] = "no-store"
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("webhooks.manage")
def webhook(request: MemberRequest, key: str) -> HttpResponseBase:
    """Show an endpoint with its deliveries; a POST does what a button asks for."""
    which: dict[str, Any] = {"tenant_id": request.tenant.pk, "endpoint_id": decode("wh", key)}
    endpoint = endpoints.endpoint_of(**which)
    now = timezone.now()
    where = {"back_to": PAGE, "key": key}
    if request.method != "POST":
        return _page(request, key)

    def enable(is_enabled: bool) -> None:
        endpoints.change_endpoint(**which, is_enabled=is_enabled, now=now)
        if is_enabled != endpoint.is_active:
            _note(
                request,
                "changed",
                endpoint.pk,
                audit.changed({"is_enabled": not is_enabled}, {"is_enabled": is_enabled}),
            )

    def rotate() -> HttpResponse:
        _, secret = endpoints.rotate_secret(**which, now=now)
        _note(request, "secret_rotated", endpoint.pk, {})
        answer = _page(request, key, secret=secret)
        answer["Cache-Control"] = "no-store"
        return answer

    def delete() -> None:
        endpoints.delete_endpoint(**which)
        _note(request, "deleted", endpoint.pk, {})

    return chosen(
        request,
        {
            "test": lambda: act(
                request, lambda: replaying.send_test(**which, now=now), done="A test event is on its way.", **where
            ),
            "enable": lambda: act(request, lambda: enable(True), done="Events go there again.", **where),
            "disable": lambda: act(request, lambda: enable(False), done="Nothing is sent there any more.", **where),
            "rotate": rotate,
            "delete": lambda: act(request, delete, done=f"{endpoint.url} is deleted.", back_to=LIST),
        },
    )


@require_safe
@member_page("webhooks.manage")
def delivery(request: MemberRequest, key: str, delivery: str) -> HttpResponse:
    """Show a delivery with its attempts."""
    found = replaying.delivery_of(
        tenant_id=request.tenant.pk, endpoint_id=decode("wh", key), delivery_id=decode("wd", delivery)
    )
    endpoint = endpoints.endpoint_of(tenant_id=request.tenant.pk, endpoint_id=decode("wh", key))
    context = {"delivery": found, "attempts": replaying.attempts_of(found), "endpoint": endpoint, "tab": "webhooks"}
    return render(request, "portal/company/delivery.html", context)


@require_POST
@member_page("webhooks.manage")
def resend(request: MemberRequest, key: str, delivery: str) -> HttpResponseBase:
    """Send one again: the same id and body."""
    which = {"endpoint_id": decode("wh", key), "delivery_id": decode("wd", delivery)}
    return act(
        request,
        lambda: replaying.resend(tenant_id=request.tenant.pk, **which, now=timezone.now()),
        done="It is on its way again.",
        back_to=DELIVERY,
        key=key,
        delivery=delivery,
    )


def _page(request: MemberRequest, key: str, **more: Any) -> HttpResponse:
    which = {"tenant_id": request.tenant.pk, "endpoint_id": decode("wh", key)}
    status = request.GET.get("status", "")
    rows = replaying.deliveries_of(**which)
    if status in WebhookDelivery.Status.values:
        rows = rows.filter(status=status)
    context = {
        "endpoint": endpoints.endpoint_of(**which),
        "key": key,
        "deliveries": rows.order_by("-created_at", "-id")[:MOST],
        "statuses": WebhookDelivery.Status.choices,
        "status": status,
        "now": timezone.now(),
        "tab": "webhooks",
    }
    return render(request, "portal/company/webhook.html", {**context, **more})


def _note(request: MemberRequest, what: str, endpoint_id: Any, changes: dict[str, Any]) -> None:
    note(
        what,
        tenant_id=request.tenant.pk,
        endpoint_id=endpoint_id,
        by=audit.actor_of(request.principal),
        changes=changes,
    )
