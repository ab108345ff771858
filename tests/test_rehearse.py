"""Simulated guests at a server of their own: everything here goes over the network."""

import asyncio
import os
import random
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from sessions.live.client import Client, Ended, Refusal
from sessions.live.visitor import Form, Visitor
from tables.samples.content import content
from tables.samples.names import invented
from tables.samples.rehearsal import Rehearsal, ShutOut

ROOT = Path(__file__).resolve().parent.parent
WITHIN = 90.0


class Demo:
    """`manage.py demo` with a folder of its own. Ada leads through the sample event that waits for people."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        ours = {
            "DJANGO_SETTINGS_MODULE",
            "DATABASE_URL",
            "BASE_URL",
            "SECRET_KEY",
            "REDIS_URL",
            "ALLOWED_HOSTS",
            "LC_ALL",
        }
        self.env = {name: value for name, value in os.environ.items() if name not in ours}
        self.env |= {"VAR_DIR": str(folder), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
        with (folder / "log").open("w") as log:
            self.process = self.start("demo", "--port", str(self.port), log=log)
        assert self.process.stdout is not None
        self.lines = dict(line.rstrip().split(": ", 1) for line in self.says() if ": " in line)
        assert "Moderator" in self.lines, (folder / "log").read_text()

    def start(self, *arguments: str, log: int | IO[str] = subprocess.PIPE) -> "subprocess.Popen[str]":
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE, stderr=log, text=True)

    def says(self) -> Iterator[str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield line
            if line.startswith("Ctrl-C"):
                return

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)


class Ada:
    """The moderator at her console."""

    def __init__(self, client: Client, code: str) -> None:
        self.client, self.code = client, code

    async def goes(self, phase: str, session: int | None = None) -> None:
        where = {"phase": phase} | ({"session": session} if session else {})
        await self.client.do("stage", "phase.go", where)
        await self.looks_again()

    async def looks_again(self) -> None:
        """The room as the database has it now: what came before the last step must not pass for what follows it."""
        await self.client.leave("room")
        await self.client.follow("room")
        await self.sees(lambda: bool(self.client.parts["room"]))

    def boards(self) -> set[int]:
        return {table["board"] for table in self.client.parts["room"].values()}

    def taken(self) -> int:
        return sum(table["taken"] for table in self.client.parts["room"].values())

    async def sees(self, holds: Any) -> None:
        await self.client.until(holds, within=WITHIN)

    def notes(self) -> int:
        return sum(len(parts) for name, parts in self.client.parts.items() if name.startswith("board:"))

    async def watches_boards(self) -> None:
        for name in [name for name in self.client.cursors if name.startswith("board:")]:
            await self.client.leave(name)
        for board in sorted(self.boards())[:4]:
            await self.client.follow(f"board:{board}")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"))
    yield demo
    demo.stop()


@pytest.fixture
async def ada(demo: Demo) -> AsyncIterator[Ada]:
    """Signed in by her link the first time, by her cookies after that."""
    visitor: Visitor = getattr(demo, "ada", None) or await signed_in(demo)
    demo.ada = visitor  # type: ignore[attr-defined]
    events = (await visitor.get("/events/")).text
    key = events.split("/console/")[0].rpartition("/")[2]
    console = await visitor.get(f"/events/{key}/console/")
    code = console.text.split(f"{demo.url}/j/")[1][:8]
    client = Client.of_page(demo.url, console.main, cookies=visitor.cookie_header)
    async with client:
        for stream in {"stage", "room"} - client.cursors.keys():
            await client.follow(stream)
        await client.until(lambda: bool(client.parts["room"] and client.parts["stage"]))
        yield Ada(client, code)


async def signed_in(demo: Demo) -> Visitor:
    visitor = Visitor(demo.url)
    link = await visitor.get(demo.lines["Moderator"])
    own = next(form for form in link.forms if not form.action)
    page = await visitor.submit(link, {}, form=Form(link.address, own.fields))
    assert page.status == 200
    return visitor


def rehearsal(demo: Demo, code: str, *, seed: int = 1, pace: float = 40.0) -> Rehearsal:
    words = content("en")
    return Rehearsal(
        base_url=demo.url,
        code=code,
        content=words,
        names=invented("en", seed=seed),
        dice=random.Random(seed),
        pace=pace,
    )


async def test_guests_live_through_a_whole_event(demo: Demo, ada: Ada) -> None:
    guests = rehearsal(demo, ada.code)
    await ada.goes("seating", 1)

    playing = asyncio.create_task(guests.run(12))
    await ada.sees(lambda: ada.taken() == 12)
    await ada.goes("running", 1)
    await ada.watches_boards()
    await ada.sees(lambda: ada.notes() >= 10 and guests.tally["second thoughts"] >= 1)
    await ada.goes("seating", 2)
    await ada.sees(lambda: ada.taken() == 12)
    await ada.goes("running", 2)
    await ada.watches_boards()
    await ada.sees(lambda: ada.notes() >= 5)
    await ada.client.follow("gallery")
    await ada.goes("gallery")
    await ada.sees(lambda: sum(id_.startswith("takeaway:") for id_ in ada.client.parts["gallery"]) >= 4)
    await ada.goes("closed")
    async with asyncio.timeout(WITHIN):
        await playing

    tally = guests.tally
    assert (tally["came in"], tally["seats"]) == (12, 24)
    assert tally["notes"] >= 15
    assert tally["takeaways"] >= 4
    assert tally["second thoughts"] >= 1
    assert not {what for what in tally if what.startswith(("sent away", "gave up", "lost connections"))}


async def test_command_ends_at_sigterm_with_one_line(demo: Demo, ada: Ada) -> None:
    await ada.goes("running", 1)
    before = ada.taken()

    with demo.start("rehearse", ada.code, "--guests", "3", "--seed", "7", "--pace", "20", "--at", demo.url) as command:
        try:
            await ada.sees(lambda: ada.taken() == before + 3)
        finally:
            command.send_signal(signal.SIGTERM)
        out, err = await asyncio.to_thread(command.communicate, timeout=30)

    assert (command.returncode, err) == (0, "")
    assert out.count("\n") == 1
    assert out.startswith("3 came in, ")
    assert re.search("[23] seats", out)  # Ada may see the third one before its guest has heard of it


async def test_command_ends_after_its_minutes(demo: Demo, ada: Ada) -> None:
    await ada.goes("running", 1)

    minutes = ("--minutes", "0.05", "--pace", "50")
    with demo.start("rehearse", ada.code, "--guests", "2", *minutes, "--at", demo.url) as command:
        out, err = await asyncio.to_thread(command.communicate, timeout=60)

    assert (command.returncode, err) == (0, "")
    assert out.startswith("2 came in, ")
    assert out.rstrip().endswith("in 3 s")


async def test_guests_come_back_after_losing_the_connection(demo: Demo, ada: Ada) -> None:
    await ada.goes("seating", 2)
    eve = Visitor(demo.url)
    page = await eve.submit(await eve.get(f"/j/{ada.code}/"), {"name": "Eve of the train"})
    async with Client.of_page(demo.url, page.main, cookies=eve.cookie_header) as client:
        await client.follow("room")
        await client.drop()
        await ada.client.do("stage", "word.say", {"text": "Mind the gap"})

        await client.until(lambda: client.parts["stage"]["now"]["word"] == "Mind the gap")
        ack = await client.do("room", "seat.any", {})
        await client.until(lambda: client.parts["me"].get("seat", {}).get("table") is not None)

    assert client.welcomes == 2
    assert ack["t"] == "ack"


async def test_final_refusals_and_ends_come_through(demo: Demo, ada: Ada) -> None:
    await ada.goes("lobby")
    eve = Visitor(demo.url)
    page = await eve.submit(await eve.get(f"/j/{ada.code}/"), {"name": "Eve"})
    async with Client.of_page(demo.url, page.main, cookies=eve.cookie_header) as client:
        with pytest.raises(Refusal, match="not_allowed_now"):
            await client.do("room", "seat.any", {})
        await ada.client.do("room", "person.set", {"p": client.me["id"], "removed": True})
        with pytest.raises(Ended, match="4403"):
            await client.until(lambda: False)


async def test_nobody_comes_in_where_no_event_is(demo: Demo) -> None:
    guests = rehearsal(demo, "N0WHERE0")

    with pytest.raises(ShutOut, match="answered 404"):
        await guests.run(2)

    assert guests.tally == {"shut out": 2}
