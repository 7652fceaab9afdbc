"""Give a tenant numbers to call from and trunks to call by."""

from uuid import UUID

from django.db import IntegrityError, transaction

from common.errors import Conflict, Invalid
from telephony.models import PhoneNumber, SipTrunk
from telephony.numbers import e164


def create_phone_number(*, tenant_id: UUID, number: str, label: str = "") -> PhoneNumber:
    """Store a number of the tenant's; raises Invalid, or Conflict when anybody has it already."""
    row = PhoneNumber(tenant_id=tenant_id, number=e164(number, pointer="/number"), label=label)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict("This number is in use already.", code="number-in-use", pointer="/number") from error
    return row


def create_trunk(*, tenant_id: UUID, name: str, gateway: str, priority: int = 10) -> SipTrunk:
    """Store a way out by the switch's gateway of that name; raises Invalid or Conflict."""
    row = SipTrunk(tenant_id=tenant_id, name=name, gateway=gateway, priority=priority)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if "sip_trunks_gateway" in str(error):
            raise Invalid("A gateway's name has letters, digits, '.', '-' and '_'.", pointer="/gateway") from error
        raise Conflict("A trunk of this name exists already.", code="name-taken", pointer="/name") from error
    return row
