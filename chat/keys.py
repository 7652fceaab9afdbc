"""Widget keys: public, in every page that embeds the widget."""

import secrets


def new_widget_key() -> str:
    """Return `cw_` and 32 hex digits."""
    return f"cw_{secrets.token_hex(16)}"
