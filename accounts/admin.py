"""Operators' pages: who."""

from django.contrib import admin
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from accounts.identity import admin as identity_admin  # noqa: F401 - hides what of allauth is not for operators
from accounts.models import AgentPresence, ApiKey, AuditEntry, Tenant
from accounts.operators import admin as operators_admin  # noqa: F401 - registers its pages
from accounts.webhooks import admin as webhooks_admin  # noqa: F401 - registers its pages
from common.admin import HouseAdmin, LedgerAdmin


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
