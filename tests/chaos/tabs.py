"""Real browsers with a guest in each: they type and post, crash and come back; we read what stands on their pages."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import BrowserContext, Error, Page, Request, Response, WebSocket, async_playwright

from tests.browser.house import FLAGS
from tests.chaos.evidence import Paper, Screen
from tests.chaos.history import History

SOON_MS = 15_000
PATIENCE_S = 120.0
LOOK_S = 0.2
PACE_S = 4.0
STORED = """async () => {
  const opened = await new Promise((done, failed) => {
    const asked = indexedDB.open('zoomcafe');
    asked.onupgradeneeded = () => asked.result.createObjectStore('ops', { keyPath: 'id' });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  const all = await new Promise((done, failed) => {
    const asked = opened.transaction('ops').objectStore('ops').getAll();
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  opened.close();
  return all.map((entry) => entry.op);
}"""
PAPERS = """() => [...document.querySelectorAll('ul.notes[data-stream^="board:"] > [data-part]')].map((note) => ({
  id: note.dataset.part.replace('note:', ''),
  seq: Number(note.dataset.seq),
  q: Number(note.parentElement.dataset.where.replace('q=', '')),
  text: note.querySelector('.note-text').textContent,
  colour: note.dataset.paper,
  state: note.dataset.state ?? '',
}))"""
UNSETTLED = {"sending": "Sending", "unsaved": "Not saved"}


class Tab:
    """A guest at a browser. `url` is where it finds the server."""

    def __init__(self, name: str, context: BrowserContext, *, url: str, key: str, history: History, seed: int) -> None:
        self.name, self.context, self.url, self.key, self.history = name, context, url, key, history
        self.dice = random.Random(f"{seed}/{name}")
        self.id = 0
        self.pages, self.sockets, self.said = 0, 0, 0
        self.typed: list[str] = []
        self.page: Page | None = None
        self.is_quiet = False
        self.hands = asyncio.Lock()  # one thing at a time: posting, crashing
        self.life: asyncio.Task[None] | None = None
        self.reading: set[asyncio.Task[None]] = set()

    async def joins(self, code: str) -> None:
        """By the join page, as everybody; then a seat."""
        page = await self._opens(f"/j/{code}/")
        await page.get_by_role("textbox", name="Your name").fill(f"Browser {self.name}")
        await page.get_by_role("button", name="Come in").click()
        await page.wait_for_url("**/lobby/", timeout=SOON_MS)
        me = json.loads(await page.locator("#main").get_attribute("data-me") or "{}")
        self.id = self.history.people[self.name] = me["id"]
        await page.get_by_role("button", name="Seat me").click()
        await page.wait_for_url("**/table/", timeout=SOON_MS)

    def talks(self) -> None:
        self.life = asyncio.create_task(self._talks())

    async def ends(self) -> None:
        if self.life is not None:
            self.life.cancel()
            await asyncio.gather(self.life, *self.reading, return_exceptions=True)

    async def dies(self) -> None:
        """The renderer crashes, as when memory is short; what the browser stores stays."""
        async with self.hands:
            self.history.note(self.name, self.pages, self.sockets, "dies")
            page, self.page = self.page, None
            if page is not None:
                with contextlib.suppress(Error, TimeoutError):
                    crashing = await self.context.new_cdp_session(page)
                    async with asyncio.timeout(1):
                        await crashing.send("Page.crash")
                with contextlib.suppress(Error):
                    await page.close()

    async def comes(self) -> None:
        """Opens the event's address again; while nobody answers the browser shows its error page."""
        with contextlib.suppress(Error):
            await self._opens(f"/e/{self.key}/")

    async def _opens(self, address: str) -> Page:
        self.pages += 1
        page = await self.context.new_page()
        page.on("websocket", self._listens)
        page.on("request", self._posts)
        page.on("response", self._hears_answer)
        self.page = page
        await page.goto(self.url + address, timeout=SOON_MS)
        return page

    async def _talks(self) -> None:
        while True:
            await asyncio.sleep(min(4 * PACE_S, self.dice.expovariate(1 / PACE_S)))
            with contextlib.suppress(Error, TimeoutError):
                async with self.hands:
                    await (self._is_there() if self.is_quiet else self._writes())

    async def _is_there(self) -> bool:
        """Whether a board is open; opens it where there is none."""
        page = self.page
        if page is None:
            return False
        if await page.locator("ul.notes[data-stream]").count() and page.url.endswith("/table/"):
            return True
        await page.goto(f"{self.url}/e/{self.key}/", timeout=SOON_MS)
        return False

    async def _writes(self) -> None:
        if self.page is None or not await self._is_there():
            return
        self.said += 1
        text = f"By hand #{self.name}-{self.said}#"
        question = self.page.locator("form[data-composer]").nth(self.dice.randrange(2))
        await question.locator("textarea").fill(text, timeout=SOON_MS)
        await question.get_by_role("button", name="Post note").click(timeout=SOON_MS)
        self.typed.append(text)
        await self._is_kept(self.page, text)

    async def _is_kept(self, page: Page, text: str) -> None:
        """Until the browser has stored what was typed, or it was answered already."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(op["d"].get("text") == text for op in await page.evaluate(STORED)) and not self._said(text):
                await asyncio.sleep(LOOK_S)

    def _said(self, text: str) -> bool:
        """Whether an operation with these words has gone out."""
        lines = self.history.lines
        return any(line.what == "sends" and line.said["d"].get("text") == text for line in lines[-2_000:])

    def _listens(self, socket: WebSocket) -> None:
        self.sockets += 1
        page, number = self.pages, self.sockets
        socket.on("framesent", lambda said: self._notes(page, number, said, {"op": "sends"}))
        socket.on("framereceived", lambda said: self._notes(page, number, said, {"ack": "ack", "err": "err"}))

    def _notes(self, page: int, number: int, said: str | bytes, kinds: dict[str, str]) -> None:
        frame = json.loads(said)
        if frame["t"] in kinds and "id" in frame:
            self.history.note(self.name, page, number, kinds[frame["t"]], frame)

    def _posts(self, request: Request) -> None:
        """Without a socket the page posts its operations."""
        if request.method == "POST" and request.url.endswith("/ops") and request.post_data:
            self._notes(self.pages, self.sockets, request.post_data, {"op": "sends"})

    def _hears_answer(self, response: Response) -> None:
        if response.request.method == "POST" and response.url.endswith("/ops"):
            reading = asyncio.create_task(self._reads(response))
            self.reading.add(reading)
            reading.add_done_callback(self.reading.discard)

    async def _reads(self, response: Response) -> None:
        with contextlib.suppress(Error, ValueError):
            self._notes(self.pages, self.sockets, await response.text(), {"ack": "ack", "err": "err"})

    async def outbox(self) -> tuple[str, ...]:
        """The ids of what the browser still has to send."""
        if self.page is None:
            return ()
        return tuple(op["id"] for op in await self.page.evaluate(STORED))

    async def screen(self) -> Screen | None:
        """What stands on the page; null while there is no board."""
        page = self.page
        with contextlib.suppress(Error):
            if page is None or not page.url.endswith("/table/"):
                return None
            stream = await page.locator("#main").get_attribute("data-own-stream", timeout=SOON_MS) or ""
            shown: list[dict[str, Any]] = await page.evaluate(PAPERS)
            states = tuple(UNSETTLED[paper["state"]] for paper in shown if paper["state"] in UNSETTLED)
            papers = tuple(Paper(**{name: p[name] for name in Paper.__slots__}) for p in shown)
            return Screen(self.name, int(stream.removeprefix("board:")), papers, states)
        return None


@contextlib.asynccontextmanager
async def browsers(chromium: str, count: int) -> AsyncIterator[list[BrowserContext]]:
    """As many browsers, each a program of its own."""
    async with async_playwright() as playwright, contextlib.AsyncExitStack() as stack:
        contexts = []
        for _number in range(count):
            browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            stack.push_async_callback(browser.close)
            contexts.append(await browser.new_context(locale="en-GB", reduced_motion="reduce"))
        yield contexts
