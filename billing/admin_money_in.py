"""Operators' pages: top-ups, and e-mails about money with what became of each."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.tenancy import tenant_scope
from billing import services
from billing.admin_corrections import audited
from billing.models import BillingMail, CreditNote, Invoice, TopUp
from common.admin import HouseAdmin, LedgerAdmin
from common.errors import DomainError
from common.ids import uuid7


def send_documents(page: HouseAdmin, request: HttpRequest, chosen: Sequence[Invoice | CreditNote | TopUp]) -> None:
    """Have documents e-mailed once more, each written down in its tenant's audit log."""
    for one in chosen:
        with tenant_scope(one.tenant_id):
            services.queue_mail(one, now=timezone.now(), key=f"again:{uuid7().hex}")
            audited(request, one, "mail.sent_again", {"document": str(one)})
    page.message_user(request, f"{len(chosen)} to be sent again.")


@admin.register(TopUp)
class TopUpAdmin(LedgerAdmin):
    list_display = ("number", "tenant", "status", "amount", "amount_paid", "currency", "reference", "created_at")
    list_filter = ("status", "currency", "legal_entity")
    list_select_related = ("tenant",)
    search_fields = ("number", "reference", "tenant__name")
    date_hierarchy = "created_at"
    actions = ("send_again", "cancel")

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("billing.change_topup"))

    @admin.action(description="E-mail again", permissions=["act"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[TopUp]) -> None:
        send_documents(self, request, [one for one in chosen if one.status == TopUp.Status.OPEN])

    @admin.action(description="Cancel", permissions=["act"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[TopUp]) -> None:
        """Withdraw top-ups that nothing was paid of; say which were refused, and why."""
        for top_up in chosen.order_by("created_at"):
            try:
                with tenant_scope(top_up.tenant_id):
                    services.cancel_top_up(tenant_id=top_up.tenant_id, top_up_id=top_up.pk, now=timezone.now())
                    audited(request, top_up, "top_up.canceled", {"number": top_up.number})
            except DomainError as error:
                self.message_user(request, f"{top_up.tenant}, {top_up}: {error.message}", messages.ERROR)


@admin.register(BillingMail)
class BillingMailAdmin(LedgerAdmin):
    list_display = ("created_at", "tenant", "kind", "about", "state", "recipient", "reason", "attempts", "sent_at")
    list_filter = ("state", "kind")
    list_select_related = ("tenant", "invoice", "credit_note", "top_up")
    search_fields = ("recipient", "tenant__name", "invoice__invoice_number", "top_up__number")
    date_hierarchy = "created_at"
    actions = ("send_again",)

    @admin.display(description="About")
    def about(self, mail: BillingMail) -> str:
        return str(mail.invoice or mail.credit_note or mail.top_up)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("billing.change_billingmail"))

    @admin.action(description="Send again", permissions=["send"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        """Have e-mails sent once more, whatever became of them."""
        count = 0
        for mail in chosen.order_by("created_at"):
            with tenant_scope(mail.tenant_id):
                services.send_again(tenant_id=mail.tenant_id, mail_id=mail.pk, now=timezone.now())
                audited(request, mail, "mail.sent_again", {"kind": mail.kind, "document": self.about(mail)})
            count += 1
        self.message_user(request, f"{count} to be sent again.")
