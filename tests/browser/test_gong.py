"""The gong and the lamp: who hears it, after which tap, how long the screen stays awake. Sound and lock are stubs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.everywhere import Everywhere
from tests.browser.test_journey import SOON

TONES = 5
NOTHING = {"tones": [], "asked": 0, "released": 0, "awake": False}
# As browsers do it: a context is silent until it is resumed in answer to a person, and takes a moment for that.
STUBS = """(() => {
  const heard = window.heard = { tones: [], asked: 0, released: 0, awake: false };
  window.AudioContext = class {
    constructor() { Object.assign(this, { state: 'suspended', currentTime: 0, destination: {} }); }
    resume() {
      if (!navigator.userActivation.isActive) return new Promise(() => {});
      return new Promise(done => setTimeout(() => {
        if (this.state !== 'closed') this.state = 'running';
        heard.awake = this.state === 'running';
        done(); }, 20));
    }
    close() { this.state = 'closed'; return Promise.resolve(); }
  };
  window.GainNode = class { constructor(context) { this.loudest = 0;
    this.gain = { linearRampToValueAtTime: gain => { this.loudest = gain; }, exponentialRampToValueAtTime() {} }; }
    connect(to) { return to; } };
  window.OscillatorNode = class { constructor(context) { this.context = context; }
    connect(fade) { this.fade = fade; return fade; }
    start() { if (this.context.state === 'running') heard.tones.push(this.fade.loudest); }
    stop() {} };
  const request = kind => { heard.asked += kind === 'screen';
    return Promise.resolve({ release() { heard.released += 1; return Promise.resolve(); } }); };
  Object.defineProperty(navigator, 'wakeLock', { value: { request } });
})()"""
GONE = "Object.defineProperty(window, 'AudioContext', {value: undefined})"
NO_LOCK = "Object.defineProperty(navigator, 'wakeLock', {value: undefined})"


@pytest.fixture
def visits(everywhere: Everywhere) -> Iterator[Callable[..., Page]]:
    """Somebody at a page of the running event, with stubs."""
    contexts: list[BrowserContext] = []

    def visit(who: str, address: str, *scripts: str, **options: Any) -> Page:
        context = everywhere.browser.new_context(locale="en-GB", **options)
        contexts.append(context)
        context.add_init_script(STUBS)
        for script in scripts:
            context.add_init_script(script)
        everywhere.introduce(context, who)
        page = context.new_page()
        if who == "moderator":
            everywhere.sign_in(page)
        page.goto(everywhere.house.url + address.format(**everywhere.scenes["running"]))
        page.wait_for_function("() => !document.querySelector('[data-parts]')")
        return page

    yield visit
    for context in contexts:
        context.close()


def heard(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("() => window.heard")
    return found


def hears(page: Page, strokes: int) -> list[float]:
    """Waits for so many strokes; how loud the first tone of each is."""
    page.wait_for_function("many => window.heard.tones.length === many", arg=strokes * TONES, timeout=SOON)
    tones: list[float] = heard(page)["tones"]
    return tones[::TONES]


def ends(everywhere: Everywhere, page: Page) -> None:
    """The moderator ends the session; the page says so."""
    lead(everywhere, phase="over", session=2)
    expect(page.locator("[data-notice=gong]")).to_be_visible(timeout=SOON)


def lead(everywhere: Everywhere, **to: object) -> None:
    everywhere.moderates("running", "stage", "phase.go", **to)


@pytest.fixture
def ring(visits: Callable[..., Page], everywhere: Everywhere) -> Page:
    lead(everywhere, phase="running", session=2)
    page = visits("guest", "/e/{key}/table/")
    page.get_by_role("button", name="Ring for me").click()
    return page


def test_one_tap_rings_softly_now_and_loudly_at_the_end(everywhere: Everywhere, ring: Page) -> None:
    expect(ring.get_by_role("button", name="Ring for me")).to_have_attribute("aria-pressed", "true")
    [soft] = hears(ring, 1)
    ends(everywhere, ring)
    [_soft, loud] = hears(ring, 2)
    assert loud > soft > 0


def test_who_does_not_ask_hears_nothing_and_reads_it(everywhere: Everywhere, visits: Callable[..., Page]) -> None:
    lead(everywhere, phase="running", session=2)
    page = visits("guest", "/e/{key}/table/")
    page.get_by_role("textbox", name="Your note").first.click()
    ends(everywhere, page)
    assert heard(page) == NOTHING


def test_the_screen_stays_awake_until_the_next_tap(everywhere: Everywhere, ring: Page) -> None:
    hears(ring, 1)
    assert (heard(ring)["asked"], heard(ring)["released"]) == (1, 0)
    ring.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    ring.wait_for_function("() => window.heard.asked === 2")
    ring.get_by_role("button", name="Ring for me").click()
    expect(ring.get_by_role("button", name="Ring for me")).to_have_attribute("aria-pressed", "false")
    ring.wait_for_function("() => window.heard.released === 1")
    ends(everywhere, ring)
    assert len(heard(ring)["tones"]) == TONES


def test_one_tap_is_enough_for_the_whole_event(everywhere: Everywhere, ring: Page) -> None:
    hears(ring, 1)
    ring.reload()
    ring.wait_for_function("() => window.heard.asked === 1")
    ring.get_by_role("textbox", name="Your note").first.click()
    expect(ring.get_by_role("button", name="Ring for me")).to_have_attribute("aria-pressed", "true", timeout=SOON)
    ends(everywhere, ring)
    assert len(hears(ring, 1)) == 1


def test_a_wish_of_the_page_before_is_taken_back_by_the_button(everywhere: Everywhere, ring: Page) -> None:
    hears(ring, 1)
    ring.get_by_role("button", name="Ring for me").click()
    ring.reload()
    ring.get_by_role("textbox", name="Your note").first.click()
    ends(everywhere, ring)
    assert heard(ring) == NOTHING


@pytest.mark.parametrize("how", ["tap", "click", "key"])
def test_the_console_rings_after_any_tap_and_stays_awake(
    everywhere: Everywhere, visits: Callable[..., Page], how: str
) -> None:
    lead(everywhere, phase="running", session=2)
    page = visits("moderator", "/events/{key}/console/", has_touch=how == "tap")
    page.wait_for_function("() => window.heard.asked === 1")
    heading = page.get_by_role("heading", name="Run sheet")
    {"tap": heading.tap, "click": heading.click, "key": lambda: page.keyboard.press("Tab")}[how]()
    page.wait_for_function("() => window.heard.awake")
    ends(everywhere, page)
    assert len(hears(page, 1)) == 1


def test_without_sound_there_is_no_button_and_without_a_lock_the_gong_still_rings(
    everywhere: Everywhere, visits: Callable[..., Page]
) -> None:
    lead(everywhere, phase="running", session=2)
    silent = visits("guest", "/e/{key}/table/", GONE)
    expect(silent.get_by_role("button", name="Ring for me")).to_have_count(0)
    page = visits("guest", "/e/{key}/table/", NO_LOCK)
    page.get_by_role("button", name="Ring for me").click()
    assert len(hears(page, 1)) == 1
    ends(everywhere, page)
    assert len(hears(page, 2)) == 2
