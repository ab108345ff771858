"""The gate before every WebSocket: only pages of our own, by exact origin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from zoomcafe import logs

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def gate(application: Application) -> Application:
    """Refuses with HTTP 403, before accept, what `refusal` names."""

    async def gated(scope: Scope, receive: Receive, send: Send) -> None:
        if reason := refusal(scope):
            logs.logger.warning("socket refused: %s", reason)
            await receive()
            await send({"type": "websocket.close", "code": 4403})
            return
        await application(scope, receive, send)

    return gated


def refusal(scope: Scope) -> str | None:
    """Why this handshake is not one of our pages; null if it is."""
    sites = header(scope, b"sec-fetch-site")
    if header(scope, b"origin") not in [[origin] for origin in settings.ORIGINS]:
        return "origin"
    hosts = header(scope, b"host")
    if len(hosts) != 1 or not is_allowed(hosts[0]):
        return "host"
    if sites not in ([], ["same-origin"]):
        return "site"
    return None


def header(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def is_allowed(host: str) -> bool:
    return validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
