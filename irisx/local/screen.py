"""What `.irisx/demo.json` says, and the screen of addresses and sign-ins made from it."""

from collections.abc import Mapping
from typing import Any

PATHS = {
    "admin": "/admin/",
    "desk": "/desk/",
    "portal": "/portal/",
    "inbox": "/inbox/",
    "finance": "/portal/finance/",
    "docs": "/v1/docs",
}
ROWS = (
    ("customer", "A customer's site with the chat widget", None),
    ("desk", "Agent desk", "agent"),
    ("portal", "Tenant portal", "owner"),
    ("finance", "Usage and invoices", "finance"),
    ("admin", "Operator admin", "operator"),
    ("inbox", "Mail that would have been sent", None),
    ("docs", "API documentation", None),
)


def demo_document(*, base_url: str, customer_url: str, seed: Mapping[str, Any], esl_url: str) -> dict[str, Any]:
    """Put together everything a person or a script needs to use the running demo, but the pids."""
    pages = {name: f"{base_url}{path}" for name, path in PATHS.items()}
    return {
        "base_url": base_url,
        "pages": pages | {"customer": customer_url},
        "users": seed["users"],
        "tenant_id": seed["tenant_id"],
        "api_key": seed["api_key"],
        "widget_key": seed["widget_key"],
        "esl_url": esl_url,
    }


def ready_screen(document: Mapping[str, Any], *, seconds: float, reasons: tuple[str, ...] = ()) -> str:
    """Lay the addresses and sign-ins out for the terminal."""
    lines = ["", f"IRISX is ready after {seconds:.0f} s: {document['base_url']}", ""]
    if reasons:
        lines[1] = f"IRISX runs, but degraded ({'; '.join(reasons)}): {document['base_url']}"
    for page, title, user in ROWS:
        lines.append(f"  {title:<40}{document['pages'][page]}")
        if user:
            lines.append(f"  {'':<40}{document['users'][user]['email']}  {document['users'][user]['password']}")
    lines += ["", f"  {'API key':<40}{document['api_key']}"]
    lines += ["", "  Ctrl-C stops it. The data stays in .irisx/; `make demo-reset` forgets it.", ""]
    return "\n".join(lines)
