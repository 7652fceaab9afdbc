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
