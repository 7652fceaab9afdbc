"""The words of the invitation's mail and page, in the languages companies write in."""

from typing import Final

LANGUAGES: Final[dict[str, dict[str, str]]] = {
    "en": {
        "subject": "invites you to IRISX",
        "hello": "Hello",
        "invites": "invites you to join",
        "as": "on IRISX as",
        "join": "Join",
        "until": "The link works once, until",
        "unknown": "If you do not know why you get this, you need do nothing.",
    },
    "de": {
        "subject": "lädt Sie zu IRISX ein",
        "hello": "Guten Tag",
        "invites": "lädt Sie ein zu",
        "as": "auf IRISX, als",
        "join": "Beitreten",
        "until": "Der Link gilt einmal, bis zum",
        "unknown": "Wenn Sie damit nichts anfangen können, brauchen Sie nichts zu tun.",
    },
}
ROLES: Final = {
    "en": {
        "owner": "owner",
        "admin": "admin",
        "supervisor": "supervisor",
        "agent": "agent",
        "finance": "finance",
        "read_only": "reader",
    },
    "de": {
        "owner": "Inhaber",
        "admin": "Administrator",
        "supervisor": "Teamleitung",
        "agent": "Agent",
        "finance": "Finanzen",
        "read_only": "Leser",
    },
}


def role_name(role: str, language: str) -> str:
    """Return what a role is called."""
    return ROLES[language][role]
