"""What can go wrong with a call, in words."""

from common.errors import Invalid, WrongState


class NotYourNumber(Invalid):
    """The caller id is no number of this tenant."""

    default_code = "not-your-number"


class NoTrunk(WrongState):
    """The tenant has no active trunk."""

    default_code = "no-trunk"


class CallEnded(WrongState):
    """The call is over."""

    default_code = "call-ended"
