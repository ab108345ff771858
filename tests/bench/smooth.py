"""How pages with many notes feel in a browser: the screen of a phone, and a processor half as fast."""

from __future__ import annotations

import asyncio
import shutil
import statistics
from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import CDPSession, Page, async_playwright

from tests.bench.cafe import TEXT, Figures
from tests.bench.crowd import Person, op
from tests.bench.moderator import Moderator
from tests.bench.pages import at_full_board, before_full_gallery
from tests.bench.site import Site
from tests.browser.house import FLAGS
from tests.machine import BROWSERS

SLOWER = 2
SCREEN = {"width": 360, "height": 800}
NOTES, EVERY_S = 20, 0.2
SETTLED_MS, PATIENCE_MS = 3_000, 180_000
WATCH = """window.longTasks = [];
  new PerformanceObserver(list => longTasks.push(...list.getEntries().map(entry => entry.duration)))
    .observe({type: 'longtask', buffered: true});"""
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
TASKS = "() => { const found = window.longTasks; window.longTasks = []; return found; }"
SCROLL = """async () => { const gaps = []; let before = await new Promise(requestAnimationFrame);
  for (let y = -1; scrollY !== y && gaps.length < 100;) { y = scrollY; scrollBy({top: 240, behavior: 'instant'});
    const now = await new Promise(requestAnimationFrame); gaps.push(now - before); before = now; }
  return gaps; }"""


def smooth(site: Site) -> Figures:
    """For each page: ms until something is painted, long tasks (above 50 ms) of its start, frames while somebody
    scrolls for a hundred of them, and long tasks while 20 notes arrive, five a second.
    """
    return asyncio.run(measure(site))


async def measure(site: Site) -> Figures:
    async with async_playwright() as playwright:
        program = next(filter(None, map(shutil.which, BROWSERS)))
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        context = await browser.new_context(viewport=SCREEN, locale="en")  # type: ignore[arg-type]
        await context.add_init_script(WATCH)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        slow = await context.new_cdp_session(page)
        found = {
            "table, 1,000 notes": await table(site, page, slow),
            "gallery, 5,000 notes": await gallery(site, page, slow),
        }
        await browser.close()
    return found


async def table(site: Site, page: Page, slow: CDPSession) -> Figures:
    crowd, moderator = await at_full_board(site)
    [guest] = crowd.people
    found = await look(site, page, slow, guest, f"/e/{crowd.event['key']}/table/")
    found |= await arriving(page, notes_on(moderator, crowd.board(guest), crowd.event["question"]))
    moderator.close()
    crowd.leave()
    return found


async def gallery(site: Site, page: Page, slow: CDPSession) -> Figures:
    crowd, moderator = await before_full_gallery(site)
    [guest] = crowd.people
    await moderator.does(op("stage", "phase.go", {"phase": "gallery"}))
    found = await look(site, page, slow, guest, f"/e/{crowd.event['key']}/gallery/")
    found |= await arriving(page, notes_on(moderator, crowd.board(guest), crowd.event["question"]))
    moderator.close()
    return found


async def look(site: Site, page: Page, slow: CDPSession, guest: Person, path: str) -> Figures:
    await slow.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    await page.context.clear_cookies()
    pairs = (pair.partition("=") for pair in guest.cookies.split("; "))
    await page.context.add_cookies([{"name": name, "value": value, "url": site.house.url} for name, _, value in pairs])
    await page.goto(site.house.url + path)
    await page.wait_for_timeout(SETTLED_MS)
    begun, painted = await page.evaluate(TASKS), await page.evaluate(PAINTED)
    gaps: list[float] = await page.evaluate(SCROLL)
    return {
        "painted_ms": round(painted),
        "begin_long_ms": round(sum(begun)),
        "begin_longest_ms": round(max(begun, default=0)),
        "frames": len(gaps),
        "frame_p50_ms": round(statistics.median(gaps), 1),
        "frame_p95_ms": round(statistics.quantiles(gaps, n=20)[-1], 1),
        "frame_longest_ms": round(max(gaps), 1),
    }


async def arriving(page: Page, write: Callable[[int], Awaitable[None]]) -> Figures:
    await page.evaluate(TASKS)
    for number in range(NOTES):
        await write(number)
        await asyncio.sleep(EVERY_S)
    tasks: list[Any] = await page.evaluate(TASKS)
    return {"news_long": len(tasks), "news_longest_ms": round(max(tasks, default=0))}


def notes_on(moderator: Moderator, board: str, question: int) -> Callable[[int], Awaitable[None]]:
    async def write(number: int) -> None:
        data = {"q": question, "text": TEXT.format(number), "colour": "mint"}
        await moderator.does(op(board, "note.add", data))

    return write
