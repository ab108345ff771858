"""A browser's end of the socket, by ASGI or on the short way."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from sessions.live.line import NAME, Line
from tests.cafe import Cafe, new_id
from zoomcafe.asgi import application

SOON = 20.0  # seconds, on a machine that has other things to do


class ShortWay:
    """The end of it that a server holds."""

    def __init__(self, ends: WebsocketCommunicator) -> None:
        self.ends = ends
        self.take: Callable[[Any], bool] | None = None
        self.prepare: Callable[[Sequence[str]], Sequence[Any]] = list
        self.taken = 0

    def say(self, text: str) -> None:
        self.ends.output_queue.put_nowait({"type": "websocket.send", "text": text})

    def say_all(self, those: Sequence[tuple[str, Sequence[Line]]]) -> None:
        for text, lines in those:
            for line in lines:
                line.say(text)

    hold = say

    def listen(self, take: Callable[[Any], bool], prepare: Callable[[Sequence[str]], Sequence[Any]]) -> None:
        self.take, self.prepare = take, prepare

    def takes(self, text: str) -> bool:
        taken = self.take is not None and self.ends.input_queue.empty() and self.take(self.prepare([text])[0])
        self.taken += taken
        return taken


class Browser:
    """Speaks frames and keeps what it got."""

    short = False

    def __init__(self, code: str, cookie: str, *, query: str = "", origin: str = "http://testserver") -> None:
        headers = [(b"host", b"testserver"), (b"origin", origin.encode()), (b"accept-language", b"en")]
        headers += [(b"cookie", cookie.encode())] if cookie else []
        self.ends = WebsocketCommunicator(application, f"/live/{code}/{query}", headers=headers)
        self.line = ShortWay(self.ends)
        if self.short:
            self.ends.scope["extensions"] = {NAME: self.line}
        self.got: list[dict[str, Any]] = []
        self.close_code: int | None = None

    async def opens(self) -> bool:
        accepted, code = await self.ends.connect(timeout=SOON)
        self.close_code = None if accepted else code
        return bool(accepted)

    async def says(self, frame: dict[str, Any] | str) -> None:
        text = frame if isinstance(frame, str) else json.dumps(frame)
        if not self.line.takes(text):
            await self.ends.send_to(text_data=text)

    async def hello(self, **streams_: int) -> "Browser":
        assert await self.opens()
        await self.says(
            {"t": "hello", "v": 1, "streams": {name.replace("_", ":"): at for name, at in streams_.items()}}
        )
        return self

    async def hears(self, kind: str, **values: Any) -> dict[str, Any]:
        """The next frame of this kind with these values; everything on the way is kept in `got`."""
        async with asyncio.timeout(SOON):
            while True:
                frame = await self.hears_next()
                if frame["t"] == kind and all(frame.get(name) == value for name, value in values.items()):
                    return frame

    async def hears_next(self) -> dict[str, Any]:
        message = await self.ends.receive_output(timeout=SOON)
        if message["type"] == "websocket.close":
            self.close_code = message["code"]
            frame: dict[str, Any] = {"t": "close", "code": message["code"]}
        else:
            frame = json.loads(message["text"])
        self.got.append(frame)
        return frame

    async def posts(self, stream: str, kind: str, **data: Any) -> dict[str, Any]:
        op_id = data.pop("_id", str(new_id()))
        await self.says({"t": "op", "id": op_id, "s": stream, "k": kind, "d": data})
        async with asyncio.timeout(SOON):
            while True:
                frame = await self.hears_next()
                if frame.get("id") == op_id and frame["t"] in {"ack", "err"}:
                    return frame

    async def leaves(self) -> None:
        await self.ends.disconnect(timeout=SOON)


def browser(cafe: Cafe, who: str = "cem", **options: Any) -> Browser:
    return Browser(cafe.event.key, cafe.cookie(getattr(cafe, who)), **options)


async def board_of(cafe: Cafe, table: int = 1) -> tuple[str, int]:
    board, question = await sync_to_async(lambda: (cafe.board(table).pk, cafe.question().pk))()
    return f"board:{board}", question


async def everything(someone: Browser) -> list[dict[str, Any]]:
    while not await someone.ends.receive_nothing(timeout=0.1):
        await someone.hears_next()
    return list(someone.got)


def session_of(cafe: Cafe) -> str:
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(cafe.ada)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
