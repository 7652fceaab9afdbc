"""What operators do with records: look, and take back what was measured wrongly."""

from typing import cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.tenancy import tenant_scope
from common.admin import LedgerAdmin
from common.clients import address_of
from common.errors import DomainError
from usage.models import UsageRecord
from usage.services.auditing import Actor
from usage.services.reversing import void_record

MOST_AT_ONCE = 500


class RecordAdmin(LedgerAdmin):
    """The ledger of usage with one action: each chosen record gets its reversal, whoever measured it."""

    actions = ("take_back",)

    def has_take_back_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("usage.change_usagerecord")

    @admin.action(description="Take back (void)", permissions=["take_back"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[UsageRecord]) -> None:
        operator = cast(User, request.user)
        actor = Actor("operator", operator.name, operator.pk, address_of(request) or None)
        done = 0
        for record in queryset.order_by("tenant_id", "id")[:MOST_AT_ONCE]:
            try:
                with tenant_scope(record.tenant_id):
                    correction = void_record(
                        tenant_id=record.tenant_id,
                        record_id=record.pk,
                        now=timezone.now(),
                        actor=actor,
                        only_ingested=False,
                    )
                done += not correction.is_repeat
            except DomainError as refusal:
                self.message_user(request, f"{record}: {refusal.message}", messages.ERROR)
        self.message_user(request, f"{done} taken back.", messages.SUCCESS)
