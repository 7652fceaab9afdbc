"""The ASGI application: pages and API by Django, sockets by `accounts.sockets`, a goodbye to them before the server stops."""

import os
from typing import Any, cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "irisx.settings")
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - consumers need Django set up first

from accounts.sockets.farewell import lifespan  # noqa: E402
from chat.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter(cast(Any, websocket_urlpatterns)),
        "lifespan": cast(Any, lifespan),
    }
)
