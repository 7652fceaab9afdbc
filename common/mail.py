"""The one door of e-mail: templates in text and HTML, sent after commit."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

logger = logging.getLogger(__name__)


def send_on_commit(*, template: str, to: Sequence[str], context: dict[str, Any], language: str = "en") -> None:
    """Send `<template>.subject.txt`, `.txt` and `.html` rendered with `context`, once the transaction has committed."""
    message = render(template=template, to=to, context=context, language=language)
    transaction.on_commit(partial(_send, message), robust=True)


def render(
    *, template: str, to: Sequence[str], context: dict[str, Any], language: str = "en"
) -> EmailMultiAlternatives:
    """Return the message, not sent."""
    with translation.override(language):
        subject = " ".join(render_to_string(f"{template}.subject.txt", context).split())
        message = EmailMultiAlternatives(subject, render_to_string(f"{template}.txt", context), to=list(to))
        message.attach_alternative(render_to_string(f"{template}.html", context), "text/html")
    return message


def _send(message: EmailMultiAlternatives) -> None:
    try:
        message.send()
    except OSError:  # smtplib's errors are OSErrors: the fact is stored, only its announcement failed
        logger.exception("e-mail %r could not be sent", message.subject)
