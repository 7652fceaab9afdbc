"""Numbers and trunks, calls with their legs and events, and the commands a switch is given."""

from telephony.models.calls import Call, CallLeg
from telephony.models.commands import CallCommand
from telephony.models.events import CallEvent
from telephony.models.lines import PhoneNumber, SipTrunk

__all__ = ["Call", "CallCommand", "CallEvent", "CallLeg", "PhoneNumber", "SipTrunk"]
