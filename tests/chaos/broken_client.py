"""Our Python client without one of its rules; see `mutants`."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager

from sessions.live.client import Client, Ended, Frame
from tests.chaos.mutants import swapped


def cursor() -> AbstractContextManager[None]:
    """Takes every frame as it comes, also one that begins beyond the cursor."""

    async def received(client: Client, frame: Frame) -> None:
        client._handled += 1
        if frame["s"] in client.cursors:
            if frame.get("reset"):
                client._begin_anew(frame["s"], frame["from"])
            client._apply(frame["s"], frame)

    return swapped(Client, "_received", received)


def outbox() -> AbstractContextManager[None]:
    """Forgets an operation once it is sent: neither another socket nor patience brings it again."""

    async def once(client: Client, op: Frame) -> Frame:
        if client.closed is not None:
            raise Ended(client.closed)
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        client._waiting[op["id"]] = answer
        await client._say(op)
        return await answer

    return swapped(Client, "_once", once)
