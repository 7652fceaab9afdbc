"""Migration operations of tenant tables."""

from common.rowlevel import CompositeKey, EnableRowLevelSecurity

__all__ = ["EnableRowLevelSecurity", "LedgerPrimaryKey"]


class LedgerPrimaryKey(CompositeKey):
    """Give a ledger the database key (tenant_id, id)."""

    def __init__(self, table: str) -> None:
        super().__init__(table, ("tenant_id", "id"))

    def deconstruct(self) -> tuple[str, list[str], dict[str, str]]:
        return (type(self).__name__, [self.table], {})
