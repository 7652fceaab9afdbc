"""What billing refuses."""

from common.errors import WrongState


class NotADraft(WrongState):
    title = "The invoice is no draft any more"
    default_code = "not-a-draft"
