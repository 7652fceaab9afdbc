"""Numbers and trunks, calls with their legs and events, the commands a switch is given; and the rooms' own models."""

from telephony.cdr.models import CallReport
from telephony.guards.models import DialingPolicy, DoNotCall
from telephony.inbound.models import Extension, NumberRoute
from telephony.ivr.models import IvrFlow, IvrFlowVersion, IvrSession
from telephony.models.calls import Call, CallLeg
from telephony.models.commands import CallCommand
from telephony.models.events import CallEvent
from telephony.models.lines import PhoneNumber, SipTrunk
from telephony.queues.models import AgentLine, Queue, QueueEntry, QueueMember

__all__ = [
    "AgentLine",
    "Call",
    "CallCommand",
    "CallEvent",
    "CallLeg",
    "CallReport",
    "DialingPolicy",
    "DoNotCall",
    "Extension",
    "IvrFlow",
    "IvrFlowVersion",
    "IvrSession",
    "NumberRoute",
    "PhoneNumber",
    "Queue",
    "QueueEntry",
    "QueueMember",
    "SipTrunk",
]
