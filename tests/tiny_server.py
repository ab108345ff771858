"""A small application on the café's server, for its tests. Arguments: port, most connections, seconds for a body,
and how many bytes the system takes at once of what is sent (0: as many as it likes).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sessions.live.line import Line, line_of
from zoomcafe.serving import CafeServer, Limits, gathering, listening_socket

BURST = [f"{number}{'x' * (60_000 + number * 7_919 % 40_000)}" for number in range(7)]  # more than fits into a piece
woken = asyncio.Event()
counted = itertools.count(1)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["path"].startswith("/short"):
        await short(scope, receive, send)
    else:
        await (page if scope["type"] == "http" else echo)(scope, receive, send)


async def page(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers how much it got and below which root; `/slow` takes a second, `/broken` breaks, `/stuck` stops
    the loop until somebody complains, `/wake` wakes who is deaf.
    """
    size, more = 0, True
    while more:
        event = await receive()
        size, more = size + len(event.get("body", b"")), event.get("more_body", False)
    if scope["path"] == "/broken":
        raise ValueError("broken")
    if scope["path"] == "/wake":
        woken.set()
    if scope["path"] == "/stuck":
        wait_for_a_complaint()
    if scope["path"] == "/slow":
        say("working")
        await asyncio.sleep(1)
    body = f"{size} bytes below {scope['root_path'] or '/'}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers the length of a text, at `/count` how many texts there were; a number is the code to close with. At
    `/deaf` it takes nothing until it is told by a request to `/wake`; at `/burst` it sends 0.5 MB at once; at `/flood`
    it sends without end and says when it is cut off; at `/refused` it refuses, and is counted out
    before the connection is lost.
    """
    await receive()
    if scope["path"] == "/refused":
        await send({"type": "websocket.close"})
        asyncio.get_running_loop().call_soon(server.application_checker)
        return
    await send({"type": "websocket.accept"})
    if scope["path"] == "/deaf":
        await woken.wait()
    if scope["path"] == "/burst":
        await receive()
        for text in BURST:
            await send({"type": "websocket.send", "text": text})
    if scope["path"] == "/flood":
        await flood(receive, send)
    while (event := await receive())["type"] == "websocket.receive":
        if event["text"].isdigit():
            await send({"type": "websocket.close", "code": int(event["text"])})
        else:
            answer = next(counted) if scope["path"] == "/count" else len(event["text"])
            await send({"type": "websocket.send", "text": str(answer)})


everybody: list[Line] = []


async def short(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers every text with itself: what begins with "+" on the short way, with "~" held, the rest by ASGI, "slowly"
    after a moment; at `/short/asgi` all by ASGI, and at `/short/patient` what is held never goes alone. "*" is said
    twice to everybody on the short way, of whom "#" stumbles over it. "burst" gets 0.5 MB, with "burst!" all at once,
    "flood" texts without end, "!" breaks, "." ends.
    """
    await receive()
    await send({"type": "websocket.accept"})
    line, busy = line_of(scope), False
    if scope["path"] == "/short/patient":
        gathering.HELD_S = 3_600.0

    def take(text: str) -> bool:
        if busy or text[0] not in "+~!*#":
            return False
        answer_at_once(line, text)
        return True

    assert line is not None
    everybody.append(line)
    if scope["path"] != "/short/asgi":
        line.listen(take, prepare)
    while (event := await receive())["type"] == "websocket.receive":
        if event["text"] == ".":
            await send({"type": "websocket.close", "code": 1012})
            continue
        busy = True
        await long_answer(event["text"], line, receive)
        await send({"type": "websocket.send", "text": event["text"]})
        busy = False
    line.say("to nobody")
    say("gone")


def prepare(texts: Sequence[str]) -> list[str]:
    """Breaks at "?"."""
    if "?" in texts:
        raise ValueError("not prepared")
    return [*texts]


def answer_at_once(line: Any, text: str) -> None:
    if text == "!":
        raise ValueError("broken")
    if text[0] == "*":
        line.say_all([(told, everybody) for told in (text, f"{text} again")])
    else:
        (line.hold if text[0] == "~" else line.say)(text)
    if text == "#":
        line.clear, line.framed = False, None


async def long_answer(asked: str, line: Line, receive: Any) -> None:
    if asked == "slowly":
        await asyncio.sleep(0.1)
    if asked == "burst":
        for text in BURST:
            line.say(text)
    if asked == "burst!":
        line.say_all([(text, [line]) for text in BURST])
    if asked == "flood":
        await flood(receive, lambda message: at_once(line.say(message["text"])))


async def at_once(_said: None) -> None:
    """What was said is on its way."""


async def flood(receive: Any, send: Any) -> None:
    gone = asyncio.ensure_future(receive())
    while not gone.done():
        await send({"type": "websocket.send", "text": "a" * 60_000})
        await asyncio.sleep(0)
    say("cut off")


def wait_for_a_complaint() -> None:
    complained = threading.Event()
    ears = logging.Handler()
    ears.emit = lambda _record: complained.set()  # type: ignore[method-assign]
    logging.getLogger("zoomcafe.serving").addHandler(ears)
    complained.wait(20)


async def farewell() -> None:
    say("farewell")


async def settle() -> None:
    say("settled")


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    listener = listening_socket("127.0.0.1", int(sys.argv[1]))
    if int(sys.argv[4]):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, int(sys.argv[4]))
    server = CafeServer(
        application,
        listener=listener,
        farewell=farewell,
        settle=settle,
        limits=Limits(header_seconds=0.5, body_seconds=float(sys.argv[3]), connections=int(sys.argv[2])),
    )
    server.run(ready=lambda: say("ready"))
    say("ended")
