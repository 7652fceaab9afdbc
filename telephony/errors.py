"""What can go wrong with a call, in words."""

from common.errors import Invalid, TooMany, WrongState


class NotYourNumber(Invalid):
    """The caller id is no number of this tenant."""

    default_code = "not-your-number"


class NoTrunk(WrongState):
    """The tenant has no active trunk."""

    default_code = "no-trunk"


class CallEnded(WrongState):
    """The call is over."""

    default_code = "call-ended"


class EmergencyNumber(Invalid):
    """Help answers this number: it can't be called from here."""

    default_code = "emergency-number"


class OnDoNotCallList(Invalid):
    """The company must not call this number."""

    default_code = "do-not-call"


class PremiumNumber(Invalid):
    """Whoever answers would earn by the call."""

    default_code = "premium-number"


class CountryNotAllowed(Invalid):
    """The company may not call this country."""

    default_code = "country-not-allowed"


class OutboundPaused(WrongState):
    """An operator stopped the company's outbound calls."""

    default_code = "outbound-paused"


class AllLinesBusy(TooMany):
    """As many calls as the plan or the trunks allow are under way."""

    default_code = "all-lines-busy"
