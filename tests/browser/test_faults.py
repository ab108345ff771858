"""What was acknowledged is never lost, nothing appears twice, and what was not is still there and says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from sessions.live.usual import usual
from tests.browser.outage import (
    HEARTBEAT,
    LONG,
    SOON,
    Outage,
    expect_break,
    expect_live,
    expect_once,
    expect_state,
    note,
    opens,
    outage_in,
    writes,
)
from tests.browser.wire_cutter import DOWN

OFFLINE = "You are offline."
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def outage(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    with outage_in(tmp_path_factory.mktemp("outage"), chromium) as found:
        yield found


@pytest.fixture
def cem(outage: Outage) -> Iterator[Page]:
    """Cem's only page, at Table 1, by the wire."""
    page = outage.cem.page
    opens(page, outage.address("table", through=outage.wire.url))
    yield page
    outage.cem.context.set_offline(False)
    outage.wire.let_through()
    outage.wire.end_dead()
    page.goto("about:blank")


@pytest.fixture
def dana(outage: Outage) -> Page:
    if not outage.dana.page.url.endswith("/table/"):
        outage.dana.page.goto(outage.address("table"))
    return outage.dana.page


def test_a_note_whose_server_was_killed_before_reading_it_arrives_once(outage: Outage, cem: Page, dana: Page) -> None:
    outage.house.freeze()
    writes(cem, "Sent to a dead server")
    expect_state(cem, "Sent to a dead server", "Sending")
    outage.house.kill()
    for page in (cem, dana):
        expect_break(page)
    writes(cem, "Written while nobody was there")
    outage.house.start()
    for text in ("Sent to a dead server", "Written while nobody was there"):
        expect_once(cem, dana, text=text)
        expect_state(cem, text, "Saved")
        assert outage.counts(text) == 1
    for page in (cem, dana):
        expect_live(page)


def test_a_note_whose_server_was_killed_after_the_commit_is_not_doubled(outage: Outage, cem: Page, dana: Page) -> None:
    outage.wire.clog(DOWN)
    writes(cem, "Committed, never acknowledged")
    expect_once(dana, text="Committed, never acknowledged")
    expect_state(cem, "Committed, never acknowledged", "Sending")
    outage.house.kill()
    outage.wire.let_through()
    outage.wire.end_dead()
    outage.house.start()
    expect_state(cem, "Committed, never acknowledged", "Saved")
    expect_once(cem, dana, text="Committed, never acknowledged")
    assert outage.counts("Committed, never acknowledged") == 1


def test_a_page_reloaded_while_the_server_is_down_still_has_its_note(outage: Outage, cem: Page, dana: Page) -> None:
    outage.house.freeze()
    writes(cem, "Held by the browser alone")
    expect_state(cem, "Held by the browser alone", "Sending")
    outage.house.kill()
    with pytest.raises(Exception, match="ERR_"):
        cem.reload()
    outage.house.start()
    outage.wire.clog(only_sockets=True)
    cem.goto(outage.address("table", through=outage.wire.url))
    expect(cem.get_by_text("1 note is being sent again.")).to_be_visible(timeout=SOON)
    expect_state(cem, "Held by the browser alone", "Sending", within=SOON)
    assert outage.counts("Held by the browser alone") == 0
    outage.wire.let_through()
    outage.wire.end_dead()
    expect_state(cem, "Held by the browser alone", "Saved")
    expect_once(cem, dana, text="Held by the browser alone")
    assert outage.counts("Held by the browser alone") == 1


def test_a_wire_that_falls_silent_is_noticed_within_a_heartbeat(outage: Outage, cem: Page, dana: Page) -> None:
    outage.wire.clog()
    expect(cem.get_by_text(OFFLINE)).to_be_visible(timeout=HEARTBEAT + 2_000)
    for text in ("Offline one", "Offline two"):
        writes(cem, text)
        expect_state(cem, text, "Not saved", within=SOON)
    writes(dana, "Meanwhile at the table")
    outage.wire.let_through()
    for text in ("Offline one", "Offline two", "Meanwhile at the table"):
        expect_once(cem, dana, text=text)
    for text in ("Offline one", "Offline two"):
        expect_state(cem, text, "Saved")
        assert outage.counts(text) == 1
    expect_live(cem)


def test_the_device_that_says_it_is_offline_is_believed_at_once(outage: Outage, cem: Page, dana: Page) -> None:
    outage.wire.clog()
    outage.cem.context.set_offline(True)
    expect(cem.get_by_text(OFFLINE)).to_be_visible(timeout=4_000)
    writes(cem, "In the tunnel")
    outage.wire.let_through()
    outage.cem.context.set_offline(False)
    expect_state(cem, "In the tunnel", "Saved", within=4_000)
    expect_once(cem, dana, text="In the tunnel")


def test_a_cut_wire_is_mended_without_a_loss(outage: Outage, cem: Page, dana: Page) -> None:
    outage.wire.cut()
    writes(cem, "Written at the break")
    expect_break(cem)
    writes(dana, "Missed by Cem")
    outage.wire.let_through()
    expect_once(cem, dana, text="Written at the break")
    expect_once(cem, text="Missed by Cem")
    expect_state(cem, "Written at the break", "Saved")
    expect_live(cem)


def test_over_a_slow_wire_a_note_shows_at_once(outage: Outage, cem: Page, dana: Page) -> None:
    outage.wire.delay_s = 0.4
    writes(cem, "By slow post")
    expect_state(cem, "By slow post", "Sending", within=300)
    expect_state(cem, "By slow post", "Saved", within=SOON)
    expect_once(cem, dana, text="By slow post")


def test_where_a_proxy_refuses_sockets_the_page_polls(outage: Outage, cem: Page, dana: Page) -> None:
    outage.wire.refuse_sockets()
    tried = outage.wire.sockets_tried
    writes(dana, "Fetched by polling")
    expect_once(cem, text="Fetched by polling")
    writes(cem, "Posted without a socket")
    expect_once(dana, text="Posted without a socket")
    expect_state(cem, "Posted without a socket", "Saved")
    assert outage.counts("Posted without a socket") == 1
    assert outage.wire.sockets_tried > tried  # how often within the ten seconds is left to chance


def test_a_polling_page_tries_a_socket_again_every_minute(outage: Outage, cem: Page, dana: Page) -> None:
    cem.clock.install()
    outage.wire.refuse_sockets()
    cem.reload()
    writes(dana, "Polled for now")
    expect_once(cem, text="Polled for now")
    tried = outage.wire.sockets_tried
    outage.wire.let_through()
    tries: list[str] = []
    cem.on("websocket", lambda one: tries.append(one.url))
    for _second in range(63):  # and not much longer: the page is patient with a socket for so long by the same clock
        if not tries:
            cem.clock.run_for(1_000)
    for _moment in range(LONG // 50):  # the page has asked for it; the wire hears of it soon
        if outage.wire.sockets_tried == tried:
            cem.wait_for_timeout(50)
    assert outage.wire.sockets_tried > tried


def test_the_frame_that_a_page_sends_for_a_note_is_the_usual_one(outage: Outage, cem: Page) -> None:
    """Or all of them would go the long way, and nobody would see it."""
    sent: list[str] = []
    cem.on("websocket", lambda one: one.on("framesent", lambda said: sent.append(str(said))))
    cem.reload()
    expect_live(cem)
    writes(cem, "Bänke – für alle")
    expect_state(cem, "Bänke – für alle", "Saved")
    [frame] = [each for each in sent if '"op"' in each]
    [one] = usual()
    draft = one.draft(frame)
    assert draft is not None
    assert draft.data["text"] == "Bänke – für alle"


def test_a_captive_portal_is_no_server(outage: Outage, cem: Page, dana: Page) -> None:
    outage.wire.portal()
    writes(cem, "In the hotel lobby")
    expect(cem.get_by_text(OFFLINE)).to_be_visible(timeout=LONG)
    expect_state(cem, "In the hotel lobby", "Not saved")
    assert outage.counts("In the hotel lobby") == 0
    outage.wire.let_through()
    expect_state(cem, "In the hotel lobby", "Saved")
    expect_once(cem, dana, text="In the hotel lobby")


def test_a_laptop_that_slept_for_an_hour_catches_up_in_two_seconds(outage: Outage, cem: Page, dana: Page) -> None:
    cem.clock.install()
    cem.reload()
    expect_live(cem)
    outage.wire.clog()
    writes(dana, "Written while Cem slept")
    expect_once(dana, text="Written while Cem slept")
    outage.wire.let_through()
    cem.clock.fast_forward(HOUR_MS)
    expect(note(cem, "Written while Cem slept")).to_have_count(1, timeout=3_000)
    expect_live(cem)


def test_a_page_that_missed_everything_for_a_minute_converges(outage: Outage, cem: Page, dana: Page) -> None:
    """Frames with parts are lost one by one; the socket stays, the beats arrive."""
    lost: list[str] = []
    deaf = True

    def pass_on(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def hear(said: str | bytes) -> None:
            if deaf and '"t":"parts"' in str(said):
                lost.append(str(said))
            else:
                socket.send(said)

        server.on_message(hear)

    cem.route_web_socket("**/live/**", pass_on)
    cem.reload()
    writes(cem, "Saved, its part unheard")
    writes(dana, "Unheard one")
    expect_once(dana, text="Saved, its part unheard")
    expect(note(cem, "Unheard one")).to_have_count(0)
    assert lost
    deaf = False
    expect_once(cem, text="Unheard one")
    expect_once(cem, text="Saved, its part unheard")
    expect_state(cem, "Saved, its part unheard", "Saved")
