"""What is kept of a company that is erased. Everything else that bears its id goes."""

_kept: dict[str, str] = {}


def keep(*tables: str, reason: str) -> None:
    """Say, once while the apps start, which tables are kept and by what right."""
    _kept.update(dict.fromkeys(tables, reason))


def kept_tables() -> dict[str, str]:
    """Return table → why it is kept."""
    return dict(_kept)
