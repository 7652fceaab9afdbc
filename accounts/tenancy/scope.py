"""Whose rows a transaction sees: one tenant's, or, by the named bypass, every row."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from common.rowlevel import SYSTEM_ROLE, transaction_settings

logger = logging.getLogger(__name__)


@contextmanager
def tenant_scope(tenant_id: UUID) -> Iterator[None]:
    """Run the block in a transaction that sees and writes this tenant's rows only. Nests; the former scope returns after it."""
    with transaction_settings(role="none", tenant=str(tenant_id)):
        yield


@contextmanager
def system_access(reason: str) -> Iterator[None]:
    """Run the block in a transaction that sees every tenant's rows. `reason` is logged: it names who and why."""
    logger.debug("system access: %s", reason)
    with transaction_settings(role=SYSTEM_ROLE):
        yield
