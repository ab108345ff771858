"""The live socket's ASGI application."""

from collections.abc import Awaitable, Callable
from typing import Any


async def application(
    scope: dict[str, Any],  # noqa: ARG001
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 1013})
