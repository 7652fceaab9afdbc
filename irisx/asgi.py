"""The ASGI application: pages and API by Django, sockets by `accounts.sockets`, a goodbye to them before the server stops."""

import os
from typing import Any, cast

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "irisx.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - consumers need Django set up first

from accounts.sockets.farewell import lifespan  # noqa: E402
from chat.routing import websocket_urlpatterns  # noqa: E402
from common.bodylimit import BodyLimit  # noqa: E402
from common.charset import Utf8Alone  # noqa: E402
from common.http import BODY_LIMIT_BYTES  # noqa: E402
from irisx.handler import SynchronousChainHandler  # noqa: E402
from usage.ingest_api import CSV_BYTES  # noqa: E402

MEGABYTE = 1024 * 1024


def body_limit(path: str) -> int:
    """Return how many bytes a request to a path may carry: a file where files are taken, 6 MiB anywhere else."""
    if path == "/v1/chat/attachments":
        return (int(settings.IRISX_UPLOAD_MOST_MB) + 1) * MEGABYTE  # and the form around the file
    if path == "/v1/usage/events":
        return CSV_BYTES + MEGABYTE
    return BODY_LIMIT_BYTES + MEGABYTE


application = ProtocolTypeRouter(
    {
        "http": cast(Any, BodyLimit(Utf8Alone(cast(Any, SynchronousChainHandler())), body_limit)),
        "websocket": URLRouter(cast(Any, websocket_urlpatterns)),
        "lifespan": cast(Any, lifespan),
    }
)
