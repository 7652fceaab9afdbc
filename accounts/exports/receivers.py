"""Archives of a company that is erased go with it."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.exports.models import TenantExport
from accounts.exports.services import remove_files
from accounts.signals import tenant_erasing


@receiver(tenant_erasing, dispatch_uid="accounts.erase_exports")
def erase_archives(tenant_id: UUID, table: str, most: int, **kwargs: Any) -> None:
    """Delete the files of a batch of exports that is about to be erased."""
    if table == TenantExport._meta.db_table:
        for export in TenantExport.objects.for_tenant(tenant_id).order_by("pk")[:most]:
            remove_files(export)
