"""Void: a finalized invoice is withdrawn by a credit note over all that is left of it."""

from datetime import datetime
from uuid import UUID

from billing.models import CreditNote
from billing.services.crediting import issue_credit_note


def void_invoice(*, tenant_id: UUID, invoice_id: UUID, reason: str, now: datetime) -> CreditNote:
    """Credit all that is left of an invoice, which makes it void; what was paid becomes prepaid credit.

    A repeat returns the first note. Raises NotFound, NotFinal for a draft (delete it), NothingToCredit.
    """
    key = f"void:{invoice_id.hex}"
    return issue_credit_note(tenant_id=tenant_id, invoice_id=invoice_id, key=key, reason=reason, now=now)
