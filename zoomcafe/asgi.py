"""Where the server comes in: pages over HTTP, live streams over WebSockets."""

import gc
import os
from typing import Any, cast

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zoomcafe.settings")
django.setup()

from sessions.live.socket import application as live_socket  # noqa: E402
from zoomcafe.lanes import Lanes, Pages  # noqa: E402
from zoomcafe.origins import Application, Receive, Scope, Send, gate  # noqa: E402
from zoomcafe.proxies import seen_through  # noqa: E402
from zoomcafe.sqlite.base import checkpoint_here  # noqa: E402

COLLECTING = (10_000, 10, 10)  # what a note makes goes by itself; a look at all there is takes a tenth of a second

checkpoint_here()

entrances: dict[str, Any] = {"http": Pages(Lanes(settings.LANES)), "websocket": gate(cast("Application", live_socket))}

gc.collect()
gc.set_threshold(*COLLECTING)
gc.freeze()  # what start-up made stays, with any server; the collector need not walk it again and again


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    entrance = entrances.get(scope["type"])
    if entrance is None:
        raise ValueError(f"nothing here speaks {scope['type']}")
    await entrance(seen_through(scope), receive, send)
