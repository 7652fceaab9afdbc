"""What billing refuses."""

from common.errors import Conflict, Invalid, WrongState


class NotADraft(WrongState):
    title = "The invoice is no draft any more"
    default_code = "not-a-draft"


class NotFinal(WrongState):
    title = "The invoice is not finalized"
    default_code = "not-final"


class PeriodNotClosed(WrongState):
    title = "The billing period is not closed"
    default_code = "period-not-closed"


class NothingToBill(WrongState):
    title = "The invoice has no lines"
    default_code = "nothing-to-bill"


class NothingToCredit(WrongState):
    title = "Nothing of the invoice is left to credit"
    default_code = "nothing-to-credit"


class TooMuchCredited(Invalid):
    title = "More than the invoice has left"
    default_code = "too-much-credited"


class TooMuchRefunded(Invalid):
    title = "More than was paid"
    default_code = "too-much-refunded"


class KeyUsed(Conflict):
    title = "The key names something else already"
    default_code = "key-used"


class NoEInvoice(WrongState):
    title = "There is no e-invoice of it"
    default_code = "no-e-invoice"


class NothingToExport(WrongState):
    title = "Nothing matches"
    default_code = "nothing-to-export"


class NoAddress(WrongState):
    title = "There is no address to send to"
    default_code = "no-address"


class NotOpen(WrongState):
    title = "The top-up is not open"
    default_code = "not-open"


class NoSeller(WrongState):
    title = "Nobody sells yet"
    default_code = "no-seller"
