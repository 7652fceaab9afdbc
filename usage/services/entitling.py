"""What a tenant may do beside its plan, and the copy of it that the rooms below read in `tenants.limits`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import Tenant
from common.errors import Conflict, Invalid, NotFound
from usage.errors import UnknownFeature
from usage.models import Entitlement, Feature
from usage.selectors.limits import limits_copy


def entitle(
    *,
    tenant_id: UUID,
    feature: str,
    value: Any,
    starts_at: datetime,
    now: datetime,
    ends_at: datetime | None = None,
    cap: str = "",
    note: str = "",
) -> Entitlement:
    """Give a tenant its own value of a feature for some time; of several the one begun last holds.

    Raises UnknownFeature, Invalid for a value that is not of the feature's kind, Conflict when one starts then already.
    """
    found = Feature.objects.filter(slug=feature).first()
    if found is None:
        raise UnknownFeature(f"There is no feature {feature[:40]!r}.", pointer="/feature")
    check_value(found, value)
    if ends_at is not None and ends_at <= starts_at:
        raise Invalid("It ends after it starts.", pointer="/ends_at")
    row = Entitlement(
        tenant_id=tenant_id, feature=found, value=value, cap=cap, starts_at=starts_at, ends_at=ends_at, note=note
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict("Another one of this feature starts then.", code="entitled", pointer="/starts_at") from error
    copy_limits(tenant_id=tenant_id, now=now)
    return row


def end_entitlement(*, tenant_id: UUID, entitlement_id: UUID, now: datetime) -> None:
    """Let an exception end now; one that has not begun is taken back. A repeat changes nothing. Raises NotFound."""
    rows = Entitlement.objects.for_tenant(tenant_id).filter(pk=entitlement_id)
    row = rows.first()
    if row is None:
        raise NotFound("There is no such entitlement.")
    if row.starts_at >= now:
        rows.delete()
    elif row.ends_at is None or row.ends_at > now:
        rows.update(ends_at=now)
    copy_limits(tenant_id=tenant_id, now=now)


def copy_limits(*, tenant_id: UUID, now: datetime) -> bool:
    """Write what the tenant may do now to `tenants.limits` where it differs; say whether it did."""
    with transaction.atomic():
        # Locked first, so that of two copies the later one is of the later state.
        tenant = Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)
        wanted = limits_copy(tenant_id=tenant_id, now=now)
        if tenant.limits == wanted:
            return False
        tenant.limits = wanted
        tenant.save(update_fields=["limits"])
    return True


def check_value(feature: Feature, value: Any) -> None:
    """Raise Invalid unless the value is of the feature's kind: true or false, or a number from 0 on or null."""
    if feature.kind == Feature.Kind.BOOLEAN:
        if not isinstance(value, bool):
            raise Invalid(f"{feature.slug} is true or false.", pointer="/value")
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (is_number and 0 <= value < 1e15):
        raise Invalid(f"{feature.slug} is a number from 0 on, or null for without limit.", pointer="/value")
