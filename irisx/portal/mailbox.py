"""The demo's mailbox: what IRISX would have sent, one `.eml` file each, the newest first."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedMessage
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from common.errors import NotFound

MOST = 200
STAMP = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True)
class Mail:
    """One mail; `key` is its file's name without `.eml`."""

    key: str
    sent_at: datetime
    subject: str
    sender: str
    recipients: str
    text: str
    html: str


class MailboxBackend(BaseEmailBackend):
    """Store mails instead of sending them (Django's EMAIL_BACKEND where IRISX_MAIL_DIR is set)."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write each message whole or not at all; return how many."""
        folder = Path(settings.IRISX_MAIL_DIR)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{datetime.now(UTC).strftime(STAMP)}-{secrets.token_hex(4)}"
            unfinished = folder / f"{name}.part"
            unfinished.write_bytes(message.message().as_bytes())
            unfinished.rename(folder / f"{name}.eml")
        return len(email_messages)


def mails(folder: Path) -> list[Mail]:
    """Return the newest mails, at most 200."""
    paths = sorted(folder.glob("*.eml"), reverse=True)[:MOST] if folder.is_dir() else []
    return [_read(path) for path in paths]


def mail(folder: Path, key: str) -> Mail:
    """Return one mail; raise NotFound. The key is compared with what is there, never joined to a path."""
    for path in folder.glob("*.eml") if folder.is_dir() else ():
        if path.stem == key:
            return _read(path)
    raise NotFound("There is no such mail.")


def _read(path: Path) -> Mail:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    stamp = path.stem.partition("-")[0]
    return Mail(
        key=path.stem,
        sent_at=datetime.strptime(stamp, STAMP).replace(tzinfo=UTC),
        subject=str(message["Subject"] or ""),
        sender=str(message["From"] or ""),
        recipients=str(message["To"] or ""),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: ParsedMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""
