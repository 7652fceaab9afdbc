"""Whose rows a transaction sees: one tenant's, or, by the named bypass, every row."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from common.rowlevel import SETTING, SYSTEM_ROLE, Turn, transaction_settings

logger = logging.getLogger(__name__)


@contextmanager
def tenant_scope(tenant_id: UUID) -> Iterator[Turn]:
    """Run the block in a transaction that sees and writes this tenant's rows only. Nests; the former scope returns after it."""
    with transaction_settings(role="none", tenant=str(tenant_id)) as turn:
        yield turn


@contextmanager
def system_access(reason: str) -> Iterator[Turn]:
    """Run the block in a transaction that sees every tenant's rows. `reason` is logged: it names who and why."""
    logger.debug("system access: %s", reason)
    with transaction_settings(role=SYSTEM_ROLE) as turn:
        yield turn


def stay_in(turn: Turn, tenant_id: UUID) -> bool:
    """Let a request's transaction go on in this tenant's scope to its end; False where it is not the request's own."""
    return turn.settle(**{"role": "none", SETTING: str(tenant_id)})
