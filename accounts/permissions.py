"""Who may do what: one table, held on HTTP, sockets, pages and tasks."""

from typing import Final

from django.db.models import TextChoices


class Role(TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    AGENT = "agent"
    FINANCE = "finance"
    READ_ONLY = "read_only"


READS: Final = frozenset({"chat.read", "calls.read", "usage.read", "billing.read", "members.read", "numbers.read"})
AGENT: Final = frozenset({"chat.read", "chat.reply", "calls.read", "calls.place", "presence"})
FINANCE: Final = frozenset({"usage.read", "billing.read", "billing.draft", "billing.top_up"})
SUPERVISOR: Final = AGENT | {"usage.read", "members.read", "numbers.read"}
ADMIN: Final = (
    READS
    | AGENT
    | FINANCE
    | {
        "usage.write",
        "billing.manage",
        "chat.manage",
        "members.manage",
        "numbers.manage",
        "webhooks.manage",
        "events.read",
        "api_keys.manage",
        "settings.manage",
        "audit.read",
    }
)

ROLE_PERMISSIONS: Final = {
    Role.OWNER: ADMIN | {"tenant.close", "tenant.export"},
    Role.ADMIN: ADMIN,
    Role.SUPERVISOR: SUPERVISOR,
    Role.AGENT: AGENT,
    Role.FINANCE: FINANCE,
    Role.READ_ONLY: READS,
}
VISITOR: Final = frozenset({"chat.visit"})
# What an API key may be given: everything an admin may do except being an agent at the desk.
SCOPES: Final = ADMIN - {"presence"}

# What an operator may do in a company they name by `?tenant=`, by the Django permission that a group of theirs holds. Nobody
# sits down at a company's desk or speaks for it that way: for that there is impersonation.
OPERATORS: Final = {
    "accounts.operate_support": READS
    | {"members.manage", "chat.manage", "settings.manage", "webhooks.manage", "api_keys.manage"},
    "accounts.operate_finance": FINANCE | {"usage.write", "billing.manage", "members.read"},
    "accounts.operate_telephony": frozenset(
        {"calls.read", "calls.place", "numbers.read", "numbers.manage", "members.read"}
    ),
}
