"""The company's widgets: how each looks and behaves, seen while it is changed, and the line to put on a page."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit
from accounts.pages import MemberRequest, member_page
from chat.api.widgets import checked_look
from chat.models import Widget
from chat.services import widgets as services
from common import hours
from common.errors import DomainError, Invalid
from irisx.portal.company.acting import act, chosen

DAYS = (
    ("mon", "Monday"), ("tue", "Tuesday"), ("wed", "Wednesday"), ("thu", "Thursday"), ("fri", "Friday"),
    ("sat", "Saturday"), ("sun", "Sunday"),
)  # fmt: skip
SPAN = re.compile(r"([0-9]{1,2}:[0-9]{2})\s*[-\u2013]\s*([0-9]{1,2}:[0-9]{2})")
TYPES = (
    ("text", "Text"), ("email", "E-mail"), ("phone", "Phone"), ("textarea", "Long text"), ("select", "Choice"),
    ("checkbox", "Tick"),
)  # fmt: skip
LIST, PAGE = "portal-widgets", "portal-widget"


class WidgetForm(forms.ModelForm):  # type: ignore[type-arg] # Django's own takes none when it runs
    """A widget's own fields; its days and its questions stand beside."""

    domains = forms.CharField(
        required=False,
        label="Sites it stands on",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One a line: shop.example, or *.shop.example for its subdomains. Empty: any site.",
    )

    auto_open_delay = forms.IntegerField(min_value=0, max_value=3600)
    max_file_size_mb = forms.IntegerField(min_value=1, max_value=100)
    answer_seconds = forms.IntegerField(min_value=0, max_value=86_400, help_text="0: never.")
    abandon_minutes = forms.IntegerField(
        min_value=0, max_value=43_200, help_text="Unanswered, its visitor gone. 0: never."
    )
    idle_close_minutes = forms.IntegerField(min_value=0, max_value=43_200, help_text="0: never.")

    class Meta:
        model = Widget
        fields = (
            "name", "primary_color", "widget_position", "greeting_message", "offline_message", "placeholder_text",
            "show_agent_avatars", "show_launcher", "auto_open", "auto_open_delay", "allow_file_upload",
            "max_file_size_mb", "require_email", "is_active", "routing", "answer_seconds", "abandon_minutes",
            "idle_close_minutes",
        )  # fmt: skip
        widgets = {
            "primary_color": forms.TextInput(attrs={"type": "color"}),
            "greeting_message": forms.Textarea(attrs={"rows": 2}),
            "offline_message": forms.Textarea(attrs={"rows": 2}),
        }


class QuestionForm(forms.Form):
    """A question asked before the first message."""

    label = forms.CharField(max_length=120, required=False)
    type = forms.ChoiceField(choices=TYPES, required=False)
    is_required = forms.BooleanField(required=False)
    options = forms.CharField(max_length=1200, required=False, help_text="Of a choice, with commas between.")
    key = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """A choice has options; the other types have none."""
        said: dict[str, Any] = super().clean() or {}
        options = [text.strip() for text in said.get("options", "").split(",") if text.strip()]
        if said.get("label") and (said.get("type") == "select") != bool(options):
            raise ValidationError("A choice has options, the other types have none.")
        said["options"] = options
        return said


QuestionFormSet = forms.formset_factory(QuestionForm, extra=1, max_num=10, validate_max=True)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("chat.manage")
def widgets(request: MemberRequest) -> HttpResponseBase:
    """List the widgets; a POST adds one."""
    if request.method == "POST":
        name = request.POST.get("name", "").strip()[:80] or request.tenant.name[:80]
        try:
            made = services.create_widget(tenant_id=request.tenant.pk, look={"name": name})
        except DomainError as error:
            messages.error(request, error.message)
            return redirect(LIST)
        _note(request, "created", made, {"name": name})
        return redirect(PAGE, key=made.widget_key)
    found = Widget.objects.for_tenant(request.tenant.pk).order_by("-is_active", "name", "id")
    return render(request, "portal/widgets.html", {"widgets": found, "limit": request.tenant.limits.get("widgets")})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("chat.manage")
def widget(request: MemberRequest, key: str) -> HttpResponseBase:
    """Show a widget with its preview and its line; a POST saves it, or does what a button asks for."""
    found = services.find_widget(tenant_id=request.tenant.pk, widget_key=key)
    if request.method == "POST" and "action" in request.POST:
        return _do(request, found)
    form = WidgetForm(request.POST or None, instance=found, initial={"domains": "\n".join(found.domains_whitelist)})
    # What was sent stands for itself: beside initial values an unchanged question would count as none.
    asked: dict[str, Any] = {"data": request.POST} if request.method == "POST" else {"initial": _questions(found)}
    questions = QuestionFormSet(**asked, prefix="q")
    week = {day: request.POST.get(f"hours-{day}", "") for day, _ in DAYS} if request.method == "POST" else _week(found)
    problems: list[str] = []
    if request.method == "POST" and form.is_valid() and questions.is_valid():
        problems = _saved(request, found, form, questions, week)
        if not problems:
            messages.success(request, "The widget is saved; pages that show it follow within minutes.")
            return redirect(PAGE, key=key)
    context = {
        "widget": found,
        "form": form,
        "questions": questions,
        "days": [(day, name, week[day]) for day, name in DAYS],
        "problems": problems,
        "snippet": f'<script async src="{settings.IRISX_BASE_URL}/widget.js" data-widget-key="{found.widget_key}"></script>',
        "timezone": request.tenant.timezone,
    }
    is_wrong = problems or form.errors or any(questions.errors) or questions.non_form_errors()
    return render(request, "portal/widget.html", context, status=422 if is_wrong else 200)


@require_safe
@member_page("chat.manage")
def secret(request: MemberRequest, key: str) -> HttpResponse:
    """Show the identity secret, on a page of its own that no cache keeps."""
    found = services.find_widget(tenant_id=request.tenant.pk, widget_key=key)
    answer = render(request, "portal/widget_secret.html", {"widget": found})
    answer["Cache-Control"] = "no-store"
    return answer


def _saved(request: MemberRequest, found: Widget, form: WidgetForm, questions: Any, week: dict[str, str]) -> list[str]:
    """Save all of it, or nothing and return why in words."""
    before = Widget.objects.for_tenant(request.tenant.pk).get(pk=found.pk)
    wanted: dict[str, Any] = {name: form.cleaned_data[name] for name in WidgetForm.Meta.fields}
    wanted["domains_whitelist"] = [line.strip() for line in form.cleaned_data["domains"].splitlines() if line.strip()]
    wanted["pre_chat_fields"] = [_question(said) for said in questions.cleaned_data if said.get("label")]
    try:
        wanted["business_hours"] = _hours(week)
        look = checked_look(wanted)
        changes = {name: value for name, value in look.items() if getattr(before, name) != value}
        services.change_widget(tenant_id=request.tenant.pk, widget_key=found.widget_key, changes=changes)
    except Invalid as error:
        return [problem.detail for problem in error.errors] or [error.message]
    except DomainError as error:
        return [error.message]
    if changes:
        _note(request, "changed", found, audit.changed({name: getattr(before, name) for name in changes}, changes))
    return []


def _do(request: MemberRequest, found: Widget) -> HttpResponse:
    which: dict[str, Any] = {"tenant_id": request.tenant.pk, "widget_key": found.widget_key}

    def delete() -> None:
        services.delete_widget(**which)
        _note(request, "deleted", found, {"name": found.name})

    def rotate() -> None:
        services.rotate_identity_secret(**which)
        _note(request, "identity_secret_rotated", found, {})

    back = {"back_to": PAGE, "key": found.widget_key}
    return chosen(
        request,
        {
            "delete": lambda: act(
                request, delete, done=f"{found.name} is deleted.", back_to=LIST, refused_to=PAGE, key=found.widget_key
            ),
            "rotate": lambda: act(
                request, rotate, done="There is a new secret; the old one signs nothing any more.", **back
            ),
        },
    )


def _question(said: dict[str, Any]) -> dict[str, Any]:
    key = said.get("key") or re.sub(r"[^a-z0-9]+", "_", said["label"].lower()).strip("_")[:40]
    key = key if re.match(r"[a-z]", key) else f"q_{key}"[:40]
    return {
        "key": key,
        "label": said["label"],
        "type": said["type"] or "text",
        "required": said["is_required"],
        "options": said["options"],
    }


def _questions(found: Widget) -> list[dict[str, Any]]:
    return [
        {
            "key": one["key"],
            "label": one["label"],
            "type": one["type"],
            "is_required": one.get("required", False),
            "options": ", ".join(one.get("options", [])),
        }
        for one in found.pre_chat_fields
    ]


def _week(found: Widget) -> dict[str, str]:
    spans = found.business_hours or {}
    return {day: ", ".join(f"{begin}-{end}" for begin, end in spans.get(day, [])) for day, _ in DAYS}


def _hours(week: dict[str, str]) -> dict[str, list[list[str]]]:
    """Read `09:00-12:00, 13:00-17:00` of each day; raise Invalid for what says no time."""
    found: dict[str, list[list[str]]] = {}
    for day, name in DAYS:
        parts = [part.strip() for part in week[day].split(",") if part.strip()]
        spans = [SPAN.fullmatch(part) for part in parts]
        if not all(spans):
            raise Invalid(f"{name}: write the hours like 09:00-12:00, 13:00-17:00.", pointer=f"/business_hours/{day}")
        if spans:
            found[day] = [[span[1].rjust(5, "0"), span[2].rjust(5, "0")] for span in spans if span]
    return hours.checked(found)


def _note(request: MemberRequest, what: str, found: Widget, changes: dict[str, Any]) -> None:
    audit.record(
        tenant_id=request.tenant.pk,
        action=f"widget.{what}",
        by=audit.actor_of(request.principal),
        object_id=found.widget_key,
        changes=changes,
    )
