"""Who may sign in as a telephone: agents' extensions, by the digest of their passwords."""

import re
from xml.etree.ElementTree import SubElement

from django.conf import settings

from accounts.tenancy import system_access
from telephony.inbound.models import SIP_USER, Extension
from telephony.switch import document
from telephony.switch.dialplan import OPEN, TELEPHONES
from telephony.switch.questions import Question

# Where the switch rings a telephone that `user/…` names: each place it has registered from.
DIAL_STRING = "${sofia_contact(*/${dialed_user}@${dialed_domain})}"


def answer(question: Question) -> bytes:
    """Return one user of our domain; "not found" for anything else, the user of the Event Socket among it. One query."""
    if question.domain != settings.FREESWITCH_SIP_DOMAIN or not re.fullmatch(SIP_USER, question.user):
        return document.NOT_FOUND
    with system_access("a telephone signs in"):
        found = Extension.unscoped.filter(sip_user=question.user, is_active=True, tenant__status__in=OPEN).first()
    return _user(found) if found else document.NOT_FOUND


def _user(extension: Extension) -> bytes:
    """Write a user: the digest only, for there is no password to write; raises CannotOpen."""
    root, found = document.section("directory")
    domain = SubElement(found, "domain", {"name": settings.FREESWITCH_SIP_DOMAIN})
    user = SubElement(SubElement(SubElement(SubElement(domain, "groups"), "group", {"name": "irisx"}), "users"), "user")
    user.set("id", extension.sip_user)
    document.parameters(
        user,
        "params",
        "param",
        {"a1-hash": extension.a1_hash, "dial-string": DIAL_STRING, "allow-empty-password": "false"},
    )
    document.parameters(
        user,
        "variables",
        "variable",
        {
            "user_context": TELEPHONES,
            "effective_caller_id_number": extension.number,
            "irisx_tenant": str(extension.tenant_id),
        },
    )
    return document.write(root)
