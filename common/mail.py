"""The one door of e-mail: templates in text and HTML, sent after commit, or at once where the caller keeps the outcome."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from smtplib import SMTPNotSupportedError, SMTPRecipientsRefused, SMTPResponseException
from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

logger = logging.getLogger(__name__)
Message = EmailMultiAlternatives
__all__ = ["Attachment", "Message", "NotSent", "Unclear", "render", "send", "send_on_commit"]
REFUSALS = (SMTPResponseException, SMTPRecipientsRefused, SMTPNotSupportedError)


class NotSent(Exception):
    """The mail server did not take the message: sending it again is safe."""


class Unclear(Exception):
    """The connection broke while the message was on its way: nobody can tell whether it arrives."""


@dataclass(frozen=True)
class Attachment:
    filename: str
    content: bytes
    media_type: str


def send_on_commit(*, template: str, to: Sequence[str], context: dict[str, Any], language: str = "en") -> None:
    """Send `<template>.subject.txt`, `.txt` and `.html` rendered with `context`, once the transaction has committed."""
    message = render(template=template, to=to, context=context, language=language)
    transaction.on_commit(partial(_send, message), robust=True)


def render(
    *,
    template: str,
    to: Sequence[str],
    context: dict[str, Any],
    language: str = "en",
    attachments: Sequence[Attachment] = (),
    headers: Mapping[str, str] | None = None,
) -> Message:
    """Return the message, not sent."""
    with translation.override(language):
        subject = " ".join(render_to_string(f"{template}.subject.txt", context).split())
        text = render_to_string(f"{template}.txt", context)
        message = EmailMultiAlternatives(subject, text, to=list(to), headers=dict(headers or {}))
        message.attach_alternative(render_to_string(f"{template}.html", context), "text/html")
    for one in attachments:
        message.attach(one.filename, one.content, one.media_type)
    return message


def send(message: Message) -> None:
    """Send a message now, over a connection of its own; raise NotSent or Unclear."""
    connection = get_connection()
    try:
        connection.open()
    except OSError as error:  # smtplib's errors are OSErrors
        raise NotSent(str(error)) from error
    try:
        connection.send_messages([message])
    except (*REFUSALS, ValueError) as error:  # ValueError: no address, before anything was said
        raise NotSent(str(error)) from error
    except OSError as error:
        raise Unclear(str(error)) from error
    finally:
        connection.close()


def _send(message: Message) -> None:
    try:
        message.send()
    except OSError:  # smtplib's errors are OSErrors: the fact is stored, only its announcement failed
        logger.exception("e-mail %r could not be sent", message.subject)
