"""HTTP Basic (RFC 7617) for `/freeswitch/`: the switch signs in with a password of FREESWITCH_WEB_PASSWORD."""

import base64
import binascii
import hmac
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

USER = "freeswitch"
View = Callable[[HttpRequest], HttpResponse]


def is_switch(request: HttpRequest) -> bool:
    """Tell whether the request carries the switch's user and one of its passwords. No query; without a password never."""
    given = _given(request.headers.get("Authorization", ""))
    if given is None:
        return False
    # Every password is compared, in constant time: how long it took tells neither which nor how much was right.
    found = [
        hmac.compare_digest(given, f"{USER}:{password}".encode()) for password in settings.FREESWITCH_WEB_PASSWORDS
    ]
    return any(found)


def refusal() -> HttpResponse:
    """Return the 401 that says how to sign in, and nothing else."""
    return HttpResponse(
        "Sign in as the switch.\n",
        status=401,
        content_type="text/plain",
        headers={"WWW-Authenticate": 'Basic realm="freeswitch", charset="UTF-8"'},
    )


def _given(header: str) -> bytes | None:
    """Return `user:password` as it was sent, None if the header is no Basic one."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
