"""What usage refuses."""

from common.errors import Conflict, Invalid, Unavailable, WrongState


class UnknownMeter(Invalid):
    title = "No such meter"
    default_code = "unknown-meter"


class NoRate(Invalid):
    title = "No price is set for this"
    default_code = "no-rate"


class NoSubscription(WrongState):
    title = "There is no subscription"
    default_code = "no-subscription"


class UsageConflict(Conflict):
    title = "The key was used for something else"
    default_code = "idempotency-conflict"


class PeriodBusy(Unavailable):
    title = "The billing period is in use"
    default_code = "period-busy"


class CreditGranted(Conflict):
    title = "The credit was granted already"
    default_code = "credit-granted"


class NotEnoughCredit(WrongState):
    title = "There is not enough credit"
    default_code = "not-enough-credit"


class HoldEnded(WrongState):
    title = "The hold has ended"
    default_code = "hold-ended"


class HoldConflict(Conflict):
    title = "The key holds something else"
    default_code = "hold-conflict"


class LimitReached(WrongState):
    title = "The limit is reached"
    default_code = "limit-reached"


class UnknownFeature(Invalid):
    title = "No such feature"
    default_code = "unknown-feature"
