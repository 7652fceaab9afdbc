"""What a call that comes in meets: parked unanswered for the listener if the number is ours, refused otherwise."""

import re
from uuid import UUID
from xml.etree.ElementTree import SubElement

from accounts.models import Tenant
from accounts.tenancy import system_access
from telephony.models import Extension, PhoneNumber
from telephony.switch import document
from telephony.switch.questions import Question

CARRIERS, TELEPHONES = "public", "agents"
OPEN = (Tenant.Status.TRIAL.value, Tenant.Status.ACTIVE.value)
# Q.850 cause 1, SIP 404: a carrier need not try elsewhere. While we cannot be asked, the switch's own file answers 41, SIP 503.
NOBODYS = "UNALLOCATED_NUMBER"
# By this variable the listener knows the calls that are its own (telephony.inbound.reading).
OURS = "irisx_inbound=true"
_DIALLED = re.compile(r"\+?([1-9][0-9]{6,14})", re.ASCII)


def answer(question: Question) -> bytes:
    """Return the dialplan of one call. At most one query a number and one a telephone."""
    if question.context not in {CARRIERS, TELEPHONES}:
        return document.NOT_FOUND
    owner = _owner(question.destination)
    if question.context == TELEPHONES and (owner is None or owner != _company(question.sip_user)):
        return _dialplan(question.context, [("hangup", "OUTGOING_CALL_BARRED")])
    if owner is None:
        return _dialplan(question.context, [("hangup", NOBODYS)])
    return _dialplan(question.context, [("set", OURS), ("park", "")])


def _owner(dialled: str) -> UUID | None:
    """Return the company a number in use belongs to, None if it is nobody's or the company is shut out."""
    found = _DIALLED.fullmatch(dialled)
    if found is None:
        return None
    with system_access("whose number is called"):
        return (
            PhoneNumber.unscoped.filter(number=f"+{found[1]}", is_active=True, tenant__status__in=OPEN)
            .values_list("tenant_id", flat=True)
            .first()
        )


def _company(sip_user: str) -> UUID | None:
    """Return the company of a telephone in use."""
    with system_access("whose telephone calls"):
        return Extension.unscoped.filter(sip_user=sip_user, is_active=True).values_list("tenant_id", flat=True).first()


def _dialplan(context: str, actions: list[tuple[str, str]]) -> bytes:
    root, found = document.section("dialplan")
    extension = SubElement(SubElement(found, "context", {"name": context}), "extension", {"name": "irisx"})
    condition = SubElement(extension, "condition")
    for application, data in actions:
        SubElement(condition, "action", {"application": application, **({"data": data} if data else {})})
    return document.write(root)
