"""Somebody changes the company's settings: stored, written down, and known at once."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.api.cors import known
from accounts.audit import Actor
from accounts.company.services import Settings, change_settings
from common.ids import encode


def change(*, tenant_id: UUID, changes: dict[str, Any], by: Actor) -> Settings:
    """Change what is named and return the settings; one transaction with its entry in the log."""
    with transaction.atomic():
        before, after = change_settings(tenant_id=tenant_id, changes=changes)
        if differences := audit.changed(asdict(before), asdict(after)):
            audit.record(
                tenant_id=tenant_id,
                action="settings.changed",
                by=by,
                object_id=encode("tn", tenant_id),
                changes=differences,
            )
    known.forget()
    return after
