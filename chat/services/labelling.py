"""Labels on a conversation: for agents' eyes; the log keeps who put which on and took which off."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chat import log
from chat.actors import Actor
from chat.ledgers import ChatEvent
from chat.models import Label
from chat.services import catalogue
from chat.services.recording import lock_conversation, tell
from common.errors import FieldProblem, Invalid, WrongState

MOST_LABELS = 20
MOST_CHARACTERS = 40


def label_conversation(
    *, tenant_id: UUID, conversation_id: UUID, actor: Actor, labels: Sequence[str], now: datetime
) -> bool:
    """Put exactly these labels on a conversation, open or closed; unknown names join the catalogue. False: no change."""
    wanted = checked(labels)
    # Before the conversation is locked: renaming a label holds the label and waits for conversations.
    _make_known(tenant_id, wanted)
    conversation = lock_conversation(tenant_id=tenant_id, conversation_id=conversation_id)
    before = conversation.labels
    if before == wanted:
        return False
    conversation.labels = wanted
    conversation.save(update_fields=["labels"])
    by = {"id": actor.public_id, "name": actor.name}
    added, removed = [n for n in wanted if n not in before], [n for n in before if n not in wanted]
    event = log.append(
        tenant_id=tenant_id,
        conversation_id=conversation_id,
        type=ChatEvent.Type.LABEL,
        payload={"labels": wanted, "added": added, "removed": removed, "by": by},
        now=now,
        is_public=False,
    )
    tell(event)
    return True


def checked(labels: Sequence[str]) -> list[str]:
    """Return the names trimmed, each once, in order; raise Invalid with a pointer to each wrong one."""
    names = [name.strip() for name in labels]
    problems = [
        FieldProblem(f"/labels/{index}", "invalid", f"A label has 1 to {MOST_CHARACTERS} characters.")
        for index, name in enumerate(names)
        if not 1 <= len(name) <= MOST_CHARACTERS or "\x00" in name
    ]
    if problems:
        raise Invalid.many(problems)
    once = list(dict.fromkeys(names))
    if len(once) > MOST_LABELS:
        raise Invalid(f"A conversation takes at most {MOST_LABELS} labels.", code="too-many", pointer="/labels")
    return once


def _make_known(tenant_id: UUID, names: list[str]) -> None:
    rows = Label.objects.for_tenant(tenant_id)
    unknown = sorted(set(names) - set(rows.filter(name__in=names).values_list("name", flat=True)))
    if not unknown:
        return
    catalogue.lock_tenant(tenant_id)
    if rows.count() + len(unknown) > catalogue.MOST:
        raise WrongState(f"There are {catalogue.MOST} labels already.", code="limit-reached")
    Label.objects.bulk_create([Label(tenant_id=tenant_id, name=name) for name in unknown], ignore_conflicts=True)
