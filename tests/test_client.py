"""Our Python client follows the live protocol as a page does: by the vectors that hold the page's core to it."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from sessions.live import client as clients
from sessions.live.client import Client, Frame, Refusal

VECTORS = json.loads((Path(__file__).parent / "vectors" / "core.json").read_text(encoding="utf-8"))["steps"]


class Wire(Client):
    """A client whose frames are collected instead of sent, at a time that is told."""

    def __init__(
        self,
        streams: dict[str, int],
        epoch: str | None = None,
        parts: dict[str, list[Frame]] | None = None,
    ) -> None:
        super().__init__("http://cafe", "/live/K/", cookies="", streams=streams, parts=parts, epoch=epoch)
        self.time = 0.0
        self.sent: list[Frame] = []

    def _clock(self) -> float:
        return self.time

    async def _say(self, frame: Frame) -> None:
        self.sent.append(frame)

    async def takes(self, event: dict[str, Any]) -> list[Frame]:
        """What a socket or the page does to it; the frames it answers with."""
        self.sent = []
        self.time = event.get("now", 0)
        match event["t"]:
            case "frame":
                await self._hear(event["frame"])
            case "follow":
                await self.follow(event["s"], after=event["after"])
            case "leave":
                await self.leave(event["s"])
            case "open":
                await self._take(event)
        return self.sent


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["says"] for vector in VECTORS])
async def test_client_goes_by_the_vectors_of_the_page(vector: dict[str, Any]) -> None:
    client = Wire(**vector["start"])

    for step in vector["steps"]:
        sent = await client.takes(step["input"])

        assert sent == [effect["frame"] for effect in step["effects"] if effect["do"] == "send"]
        if "streams" in step:
            assert client.cursors == {name: stream["cursor"] for name, stream in step["streams"].items()}
        if "parts" in step:
            assert {name: sorted(parts) for name, parts in client.parts.items()} == step["parts"]


async def test_further_streams_are_asked_for_and_left_in_mid_socket() -> None:
    client = Wire({"stage": 4})

    assert await client.takes({"t": "follow", "s": "room", "after": 0}) == [{"t": "sub", "s": "room", "after": 0}]
    assert (client.cursors, client.parts) == ({"stage": 4, "room": 0}, {"stage": {}, "room": {}})
    assert await client.takes({"t": "leave", "s": "room"}) == [{"t": "unsub", "s": "room"}]
    assert (client.cursors, client.parts) == ({"stage": 4}, {"stage": {}})


async def test_a_complaint_without_an_id_is_about_the_only_operation_on_its_way() -> None:
    client = Wire({"stage": 4})
    asking = asyncio.ensure_future(client.do("room", "seat.any", {}))
    await asyncio.sleep(0)
    client.queue.take(0)

    await client.takes({"t": "frame", "frame": {"t": "err", "code": "too_large", "text": "T", "retry": False}})

    with pytest.raises(Refusal, match="too_large"):
        await asking


async def test_why_a_visit_ends_is_no_word_about_the_operation_on_its_way() -> None:
    client = Wire({"stage": 4})
    asking = asyncio.ensure_future(client.do("room", "seat.any", {}))
    await asyncio.sleep(0)
    client.queue.take(0)

    await client.takes({"t": "frame", "frame": {"t": "err", "code": "removed", "text": "T", "retry": False}})
    [waits] = client.queue.pending()
    await client.takes({"t": "frame", "frame": {"t": "ack", "id": waits["id"], "s": "room", "seq": 5}})

    assert (await asking)["seq"] == 5


class Server:
    """One stream whose frames get lost or come twice."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.client = Wire({"board:1": 0})
        self.parts: dict[str, Frame] = {}
        self.head = 0

    def changes(self) -> None:
        self.head += 1
        gone = {"gone": True} if self.dice.random() < 0.2 else {"text": str(self.head)}
        part_id = f"note:{self.dice.randrange(12)}"
        self.parts[part_id] = {"id": part_id, "seq": self.head, **gone}

    def frame(self, after: int, *, reset: bool = False) -> Frame:
        news = sorted((part for part in self.parts.values() if part["seq"] > after), key=lambda part: part["seq"])
        made = {"t": "parts", "s": "board:1", "from": after, "to": self.head, "head": self.head, "parts": news}
        return {**made, "reset": True} if reset else made

    async def perhaps(self, chance: float, given: Frame) -> None:
        """Gives the client a frame, or loses it; most of what the client asks for is answered."""
        if self.dice.random() < chance:
            for asked in await self.client.takes({"t": "frame", "frame": given}):
                if asked["t"] == "sub":
                    await self.perhaps(0.7, self.frame(asked["after"]))


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_is_lost_or_doubled_the_client_converges(seed: int) -> None:
    server = Server(seed)

    for _change in range(80):
        server.changes()
        await server.perhaps(0.6, server.frame(server.head - 1))
        await server.perhaps(0.1, server.frame(0, reset=True))
        await server.perhaps(0.2, server.frame(max(0, server.head - 4)))
    for _beat in range(20):
        await server.perhaps(1, {"t": "beat", "heads": {"board:1": server.head}, "now": 0})

    assert server.client.cursors == {"board:1": server.head}
    there = {part_id: part for part_id, part in server.parts.items() if "gone" not in part}
    assert server.client.parts["board:1"] == there


async def test_client_leaves_a_connection_that_has_fallen_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "SILENCE", 0.1)
    monkeypatch.setattr(clients, "comeback", lambda *_, **__: {"in": 0})
    greeted = asyncio.Semaphore(0)

    async def says_nothing(socket: ServerConnection) -> None:
        assert json.loads(await socket.recv())["t"] == "hello"
        greeted.release()
        await socket.wait_closed()

    async with serve(says_nothing, "127.0.0.1", 0) as server:
        client = Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "/live/K/", cookies="")
        running = asyncio.create_task(client._run())
        async with asyncio.timeout(30):
            for _connection in range(3):
                await greeted.acquire()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert client.closes[:2] == [1006, 1006]


async def test_client_with_nothing_to_say_says_that_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "PING", 0.0)
    heard: list[str] = []

    async def beats(socket: ServerConnection) -> None:
        for _frame in range(3):
            heard.append(json.loads(await socket.recv())["t"])
            await socket.send(json.dumps({"t": "beat", "heads": {}, "now": 0}))
        await socket.wait_closed()

    async with serve(beats, "127.0.0.1", 0) as server:
        client = Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "/live/K/", cookies="")
        running = asyncio.create_task(client._run())
        async with asyncio.timeout(30):
            while len(heard) < 3:
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert heard == ["hello", "ping", "ping"]
