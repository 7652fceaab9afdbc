"""What happens to a call's legs. Receivers run inside the sender's transaction (`send`), the call's row locked."""

from django.dispatch import Signal

# The far end of a leg answered. Sent once, with call: Call, leg: CallLeg, now: datetime.
leg_answered = Signal()

# A leg is over; the call may be (`call.is_final`). Sent once, with call: Call, leg: CallLeg, now: datetime.
leg_ended = Signal()
