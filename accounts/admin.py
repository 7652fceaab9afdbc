"""Operators' pages: who."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.identity import admin as identity_admin  # noqa: F401 - hides what of allauth is not for operators
from accounts.models import AgentPresence, ApiKey, AuditEntry, Membership, Tenant, User
from accounts.webhooks import admin as webhooks_admin  # noqa: F401 - registers its pages
from common.admin import HouseAdmin, LedgerAdmin

admin.site.unregister(Group)


@admin.register(Tenant)
class TenantAdmin(HouseAdmin):
    list_display = ("name", "slug", "status", "plan", "currency", "timezone", "created_at")
    list_filter = ("status", "plan")
    search_fields = ("name", "slug", "billing_email")
    readonly_fields = ("id", "plan", "limits", "created_at")
    date_hierarchy = "created_at"

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Let nobody change a tenant's currency: its subscription, its credit and its invoices are in it."""
        return (*self.readonly_fields, "currency") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody delete a tenant: it is closed, and what it owes and paid is kept."""
        return False


@admin.register(User)
class UserAdmin(DjangoUserAdmin, HouseAdmin):  # type: ignore[type-arg] # generic only in the stubs
    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined", "auth_version")
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("History", {"fields": ("last_login", "date_joined", "auth_version")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "name", "password1", "password2")}),)
    filter_horizontal = ("user_permissions",)


@admin.register(Membership)
class MembershipAdmin(HouseAdmin):
    list_display = ("user", "tenant", "role", "is_active", "created_at")
    list_filter = ("role", "is_active")
    list_select_related = ("user", "tenant")
    search_fields = ("user__email", "tenant__name")
    autocomplete_fields = ("user", "tenant")


@admin.register(ApiKey)
class ApiKeyAdmin(HouseAdmin):
    list_display = ("name", "tenant", "prefix", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("tenant",)
    search_fields = ("name", "prefix", "tenant__name")
    exclude = ("secret_hash",)
    readonly_fields = (
        "tenant", "prefix", "scopes", "created_by", "last_used_at", "last_used_address", "replaced_by", "created_at",
    )  # fmt: skip

    def has_add_permission(self, request: object) -> bool:
        return False  # a key's text is shown once to the tenant who makes it


@admin.register(AgentPresence)
class AgentPresenceAdmin(HouseAdmin):
    list_display = ("user", "tenant", "status", "last_seen_at", "active_chats", "max_concurrent_chats")
    list_filter = ("status",)
    list_select_related = ("user", "tenant")
    autocomplete_fields = ("user", "tenant")


@admin.register(AuditEntry)
class AuditEntryAdmin(LedgerAdmin):
    list_display = ("created_at", "actor_name", "impersonator_name", "action", "object_id", "company", "ip_address")
    list_filter = ("actor_kind", "action")
    search_fields = ("actor_name", "impersonator_name", "action", "object_id", "request_id")
    exclude = ("tenant", "digest", "entry_hash")
    date_hierarchy = "created_at"

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        shown = [field.name for field in AuditEntry._meta.fields if field.name not in {*self.exclude, "id"}]
        return ["company", *shown, "hash"]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return self.get_readonly_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Name each entry's company by a subquery: entries of the platform have none, and a join would leave them out."""
        names = Tenant.objects.filter(pk=OuterRef("tenant_id")).values("name")
        entries: QuerySet[AuditEntry] = super().get_queryset(request)
        return entries.annotate(company_name=Subquery(names))

    @admin.display(description="Company")
    def company(self, entry: AuditEntry) -> str:
        return getattr(entry, "company_name", None) or "The platform"

    @admin.display(description="Hash")
    def hash(self, entry: AuditEntry) -> str:
        return bytes(entry.entry_hash or b"").hex()
