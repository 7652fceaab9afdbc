"""Operators' pages about companies, people and their places: every act goes through the services that `/v1/admin` uses."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.audit import operator
from accounts.members import services as members
from accounts.members.services import Chief
from accounts.models import Membership, Tenant, User
from accounts.operators import services
from accounts.operators.gate import Operator
from accounts.operators.impersonating import PERMISSION
from accounts.permissions import Role
from accounts.tenancy import tenant_scope
from common.admin import HouseAdmin
from common.errors import DomainError

BY_HAND = "by hand in the admin"
admin.site.unregister(Group)  # Django's own page, which anybody with its permission could change


def each(request: HttpRequest, rows: QuerySet[Any], act: Callable[..., object]) -> None:
    """Do something with each row and tell how it went; a refusal stops none of the others."""
    done = 0
    for row in rows:
        try:
            act(row)
            done += 1
        except DomainError as error:
            messages.error(request, f"{row}: {error.message}")
    if done:
        messages.success(request, f"Done: {done}.")


def _by(request: HttpRequest) -> Operator:
    return Operator(request.user)  # type: ignore[arg-type] # the admin lets in nobody else


@admin.register(Group)
class GroupAdmin(HouseAdmin):
    """Operators' roles. A superuser's to change: who could would give themselves everything."""

    search_fields = ("name",)
    filter_horizontal = ("permissions",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_superuser(request)


@admin.register(Tenant)
class TenantAdmin(HouseAdmin):
    list_display = ("name", "slug", "status", "plan", "currency", "timezone", "created_at")
    list_filter = ("status", "plan")
    search_fields = ("name", "slug", "billing_email")
    readonly_fields = ("id", "status", "plan", "limits", "created_at")
    date_hierarchy = "created_at"
    actions = ("suspend", "reactivate", "close")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Let nobody change a tenant's currency: its subscription, its credit and its invoices are in it."""
        return (*self.readonly_fields, "currency") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody delete a tenant: it is closed, and what it owes and paid is kept."""
        return False

    def has_close_permission(self, request: HttpRequest) -> bool:
        """Hold closing to the permission `/v1/admin` asks for."""
        return bool(request.user.has_perm("accounts.delete_tenant"))

    @admin.action(description="Suspend: shut out at once", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> None:
        run = partial(services.suspend_company, reason=BY_HAND, by=_by(request), now=timezone.now())
        each(request, queryset, lambda tenant: run(tenant_id=tenant.pk))

    @admin.action(description="Let suspended companies in again", permissions=["change"])
    def reactivate(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> None:
        run = partial(services.reactivate_company, by=_by(request), now=timezone.now())
        each(request, queryset, lambda tenant: run(tenant_id=tenant.pk))

    @admin.action(description="Close", permissions=["close"])
    def close(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> None:
        run = partial(services.close_company, reason=BY_HAND, by=_by(request), now=timezone.now())
        each(request, queryset, lambda tenant: run(tenant_id=tenant.pk))


@admin.register(User)
class UserAdmin(DjangoUserAdmin, HouseAdmin):  # type: ignore[type-arg] # generic only in the stubs
    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "groups")
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("is_active", "last_login", "date_joined", "auth_version")
    fieldsets = (
        (None, {"fields": ("email", "name", "language", "password")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("History", {"fields": ("last_login", "date_joined", "auth_version")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "name", "password1", "password2")}),)
    filter_horizontal = ("groups", "user_permissions")
    actions = ("send_reset", "suspend", "reactivate", "sign_out")
    actions_detail = ("act_as",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Who is no superuser makes nobody an operator, and changes no address: it signs people in."""
        if _is_superuser(request):
            return self.readonly_fields
        return (*self.readonly_fields, "email", "is_staff", "is_superuser", "groups", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Operators are a superuser's to change."""
        if isinstance(obj, User) and (obj.is_staff or obj.is_superuser) and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Only a superuser sets somebody's password; others mail a link."""
        if not _is_superuser(request):
            messages.error(request, "Mail a link instead: only a superuser sets passwords.")
            return redirect("admin:accounts_user_change", id)
        return super().user_change_password(request, id, form_url)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """People are suspended: what they did stays under their name."""
        return False

    @admin.action(description="Mail a link to choose another password", permissions=["change"])
    def send_reset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        run = partial(services.send_reset, by=_by(request), now=timezone.now())
        each(request, queryset, lambda user: run(user_id=user.pk))

    @admin.action(description="Suspend: sign out and shut out at once", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        run = partial(services.suspend_person, reason=BY_HAND, by=_by(request))
        each(request, queryset, lambda user: run(user_id=user.pk))

    @admin.action(description="Let suspended people in again", permissions=["change"])
    def reactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        run = partial(services.reactivate_person, by=_by(request))
        each(request, queryset, lambda user: run(user_id=user.pk))

    @admin.action(description="Sign out everywhere", permissions=["change"])
    def sign_out(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        run = partial(services.sign_out_everywhere, by=_by(request))
        each(request, queryset, lambda user: run(user_id=user.pk))

    def has_act_as_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Show the button to who may."""
        return bool(request.user.has_perm(PERMISSION))

    @action(description="Act as this person", permissions=["act_as"])  # type: ignore[untyped-decorator] # unfold is untyped
    def act_as(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return redirect("impersonation", object_id)


@admin.register(Membership)
class MembershipAdmin(HouseAdmin):
    list_display = ("user", "tenant", "role", "is_active", "created_at")
    list_filter = ("role", "is_active")
    list_select_related = ("user", "tenant")
    search_fields = ("user__email", "tenant__name")
    autocomplete_fields = ("user", "tenant")
    fields = ("user", "tenant", "role", "is_active")
    actions = ("suspend", "reactivate", "take_out")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """A membership is of one person in one company; it is suspended and ended by the actions."""
        return ("user", "tenant", "is_active") if obj else ("is_active",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Memberships end by the action, which keeps the last owner."""
        return False

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        """Change a role as `/v1/members` does, the last owner protected; say so where it is refused."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        try:
            with tenant_scope(obj.tenant_id):
                members.change_role(tenant_id=obj.tenant_id, member_id=obj.pk, role=Role(obj.role), by=_chief(request))
        except DomainError as error:
            messages.error(request, error.message)

    @admin.action(description="Suspend in the company", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        each(request, queryset, lambda row: _in_company(row, members.suspend, by=_chief(request), now=timezone.now()))

    @admin.action(description="Let in again", permissions=["change"])
    def reactivate(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        each(request, queryset, lambda row: _in_company(row, members.reactivate, by=_chief(request)))

    @admin.action(description="Take out of the company", permissions=["change"])
    def take_out(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        each(request, queryset, lambda row: _in_company(row, members.remove, by=_chief(request), now=timezone.now()))


def _in_company(row: Membership, act: Callable[..., object], **details: Any) -> None:
    with tenant_scope(row.tenant_id):
        act(tenant_id=row.tenant_id, member_id=row.pk, **details)


def _chief(request: HttpRequest) -> Chief:
    return Chief(operator(request.user), may_touch_owners=True)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser)
