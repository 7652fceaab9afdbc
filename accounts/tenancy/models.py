"""Abstract models of everything that belongs to a tenant."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from uuid import UUID

from django.db import models

from common.ids import uuid7

if TYPE_CHECKING:
    from accounts.models import Tenant

M = TypeVar("M", bound=models.Model)


class UnscopedRead(RuntimeError):
    """Somebody read through `objects` without saying for which tenant."""


class TenantManager(models.Manager[M]):
    """Refuses every read until `for_tenant`; `Model.unscoped` is for admin, migrations and Django itself."""

    def get_queryset(self) -> NoReturn:
        raise UnscopedRead(f"{self.model.__name__}.objects needs .for_tenant(tenant) before anything is read.")

    def for_tenant(self, tenant: "Tenant | UUID") -> models.QuerySet[M]:
        """Return this tenant's rows. No query yet."""
        tenant_id = tenant if isinstance(tenant, UUID) else tenant.pk
        return super().get_queryset().filter(tenant_id=tenant_id)

    def create(self, **fields: Any) -> M:
        """Insert one row; `tenant` or `tenant_id` is among the fields."""
        return super().get_queryset().create(**fields)

    def bulk_create(self, objs: Iterable[M], *args: Any, **options: Any) -> list[M]:
        """Insert many rows in as few statements as possible."""
        return super().get_queryset().bulk_create(objs, *args, **options)


class TenantModel(models.Model):
    """A row that belongs to one tenant. Its table needs `EnableRowLevelSecurity` in the migration that makes it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.CASCADE, related_name="+")

    unscoped = models.Manager()
    objects = TenantManager()

    class Meta:
        abstract = True
        default_manager_name = "unscoped"
        base_manager_name = "unscoped"


class LedgerModel(TenantModel):
    """An append-only row that may be partitioned and distributed: no database foreign key, the tenant in every unique key.

    Its migration gives the table the key (tenant_id, id) with `LedgerPrimaryKey`.
    """

    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        abstract = True
        default_manager_name = "unscoped"
        base_manager_name = "unscoped"
