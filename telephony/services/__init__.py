"""What telephony does: each function one fact, in the caller's transaction unless it says otherwise."""

from telephony.services.finalizing import finalize_leg
from telephony.services.hanging_up import hangup_call
from telephony.services.lines import create_phone_number, create_trunk
from telephony.services.placing import CallPlan, CallWish, place_call, plan_call
from telephony.services.progress import apply_fact

__all__ = [
    "CallPlan",
    "CallWish",
    "apply_fact",
    "create_phone_number",
    "create_trunk",
    "finalize_leg",
    "hangup_call",
    "place_call",
    "plan_call",
]
