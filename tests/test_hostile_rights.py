"""Other people's things and the moderator's actions (A44, A53, A58 to A62, A64 to A66, A72, A73), by every way."""

import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.test import AsyncClient, Client
from pytest_django import Settings

from sessions import identity
from sessions.clock import now_ms
from sessions.live import threads
from sessions.live.kinds import KINDS
from sessions.models import Change, Event, Moderator, Participant, Stream
from sessions.phases import LATE_MS, Phase
from tables.live import cloth
from tables.models import Board, Note, Seat, Table
from tests.browsing import Browser, board_of, browser
from tests.cafe import Cafe, new_id
from tests.cast import MINUTE_MS, browser_of, put
from tests.transports import WAYS, client, everywhere

SHUT = "session_closed"
GO: dict[str, dict[str, Any]] = {"over": {"phase": "over", "session": 1}, "gallery": {"phase": "gallery"}}
transactional = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def running(transactional_db: None, settings: Settings) -> AsyncIterator[Cafe]:
    settings.LIMIT_OPS_BURST = 1_000
    cafe = await sync_to_async(lambda: Cafe().runs())()
    cafe.secrets[cafe.moderator.pk] = await sync_to_async(lambda: identity.new_device(cafe.moderator))()
    yield cafe
    await threads.close()
    await sync_to_async(connections.close_all)()


def facts(cafe: Cafe) -> list[Any]:
    """Everything an operation could have changed, but what is remembered of operations."""
    rows = [list(model.objects.order_by("pk").values()) for model in (Event, Table, Board, Seat, Note, Participant)]
    return [*rows, list(Stream.objects.order_by("pk").values_list("pk", "head"))]


def moderators_actions(cafe: Cafe, note: str) -> list[tuple[str, str, dict[str, Any]]]:
    table, board = cafe.table(2).pk, f"board:{cafe.board().pk}"
    return [
        ("stage", "phase.next", {}),
        ("stage", "phase.go", {"phase": "gallery"}),
        ("stage", "clock.pause", {}),
        ("stage", "clock.resume", {}),
        ("stage", "clock.add", {"minutes": 5}),
        ("stage", "word.say", {"text": "Hello"}),
        ("room", "seat.put", {"p": cafe.ben.pk, "table": table}),
        ("room", "table.set", {"table": table, "cap": 1}),
        ("room", "table.set", {"table": table, "open": False}),
        ("room", "table.set", {"table": table, "host": cafe.cem.pk}),
        ("room", "person.set", {"p": cafe.ben.pk, "removed": True}),
        ("room", "person.set", {"p": cafe.cem.pk, "name": "Boss"}),
        ("gallery", "closing.set", {"text": "Mine"}),
        (board, "note.hide", {"note": note}),
        (board, "note.show", {"note": note}),
    ]


@transactional
async def test_guests_carry_out_none_of_the_moderators_actions(running: Cafe) -> None:
    """A65; the same actions are known and the moderator may take them"""
    note = await sync_to_async(lambda: str(running.writes(running.ben, "Benches").op_id))()
    actions = await sync_to_async(moderators_actions)(running, note)
    before = await sync_to_async(facts)(running)
    for stream, kind, data in actions:
        assert (kind, await everywhere(running, running.cem, stream, kind, data)) == (kind, {"not_allowed"})
    assert await sync_to_async(facts)(running) == before
    said = await everywhere(running, running.moderator, "stage", "word.say", {"text": "Hello"})
    assert said == {None}


@transactional
async def test_every_action_of_the_protocol_that_guests_lack_is_in_the_list(running: Cafe) -> None:
    actions = await sync_to_async(moderators_actions)(running, str(new_id()))
    theirs = {"note.add", "note.edit", "note.move", "note.gone", "note.back", "takeaway.set"}
    theirs |= {"seat.take", "seat.any", "seat.leave"}
    assert {kind for found in KINDS.values() for kind in found.operations} == theirs | {
        kind for _s, kind, _d in actions
    }


@transactional
async def test_ids_of_another_event_are_not_found(running: Cafe) -> None:
    """A58: board, note, table and person, as an address and as a field"""
    other = await sync_to_async(Event.objects.exclude(pk=running.event.pk).get)()
    board = await sync_to_async(lambda: Board.objects.filter(session__event=other).first())()
    table = await sync_to_async(lambda: other.tables.first().pk)()
    own_table = await sync_to_async(lambda: running.table(1).pk)()
    own, question = await board_of(running)
    foreign_question = await sync_to_async(lambda: board.session.questions.first().pk)()
    note = await sync_to_async(lambda: str(running.writes(running.cem, "Benches").op_id))()
    cem, ada = running.cem, running.moderator
    for who, stream, kind, data in (
        (cem, f"board:{board.pk}", "note.add", {"q": question, "text": "x"}),
        (cem, own, "note.add", {"q": foreign_question, "text": "x"}),
        (cem, own, "note.edit", {"note": str(new_id()), "text": "x"}),
        (cem, own, "note.move", {"note": note, "after": "", "q": foreign_question}),
        (cem, "room", "seat.take", {"table": table}),
        (ada, "room", "seat.put", {"p": running.eve.pk, "table": table}),
        (ada, "room", "table.set", {"table": table, "cap": 3}),
        (ada, "room", "table.set", {"table": own_table, "host": running.eve.pk}),
        (ada, "room", "person.set", {"p": running.eve.pk, "removed": True}),
        (ada, f"board:{board.pk}", "note.hide", {"note": note}),
    ):
        ways = ("socket", "post") if data.get("after") == "" else WAYS
        sent = {**data, "after": None} if "after" in data else data
        assert (kind, await everywhere(running, who, stream, kind, sent, ways=ways)) == (kind, {"not_found"})
    assert await sync_to_async(Participant.objects.get)(pk=running.eve.pk, removed_at=None)


@transactional
async def test_notes_of_others_are_moved_and_nothing_else(running: Cafe) -> None:
    """A62"""
    board, _question = await board_of(running)
    note = await sync_to_async(lambda: str(running.writes(running.ben, "Benches").op_id))()
    for kind, data in (("note.edit", {"text": "Mine"}), ("note.gone", {}), ("note.back", {})):
        assert await everywhere(running, running.cem, board, kind, {"note": note, **data}) == {"not_owner"}
    assert (await sync_to_async(Note.objects.get)(pk=note)).text == "Benches"
    second = await sync_to_async(lambda: running.question(2).pk)()
    assert await everywhere(running, running.cem, board, "note.move", {"note": note, "after": None, "q": second}) == {
        None
    }


@transactional
async def test_nobody_writes_where_they_never_sat_or_after_the_end(running: Cafe) -> None:
    """A60, A61; the plain form gives the words back"""
    board, question = await board_of(running, table=2)
    data = {"q": question, "text": "From afar"}
    assert await everywhere(running, running.dana, board, "note.add", data) == {None}
    assert await everywhere(running, running.cem, board, "note.add", data) == {"no_seat"}
    await sync_to_async(lambda: running.does(running.moderator, "stage", "phase.go", phase="closed"))()
    assert await everywhere(running, running.dana, board, "note.add", data) == {"session_closed"}
    form = {"id": str(new_id()), "s": board, "k": "note.add", **data}
    answer = await client(running, running.dana).post(f"/live/{running.event.key}/ops", form)
    assert (answer.status_code, "From afar" in answer.content.decode()) == (422, True)


@transactional
@pytest.mark.parametrize("way", WAYS)
async def test_what_comes_after_the_end_is_late_then_closed(
    running: Cafe, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A60: some grace (here a minute), ten minutes for what was under way, then no more"""
    monkeypatch.setattr(cloth, "GRACE_MS", MINUTE_MS)
    board, question = await board_of(running)
    data = {"q": question, "text": "Benches"}
    for ago, code, late in ((0, None, False), (5 * MINUTE_MS, None, True), (LATE_MS + 1, SHUT, True)):
        await sync_to_async(put)(running.event, Phase.RUNNING, session=1, ends_at=now_ms() - ago)
        assert (ago, await WAYS[way](running, running.cem, board, "note.add", data)) == (ago, code)
        assert (await sync_to_async(Note.objects.latest)("seq")).late is late


@transactional
async def test_a_closed_tablecloth_and_an_archived_event_take_no_notes(running: Cafe) -> None:
    """A60; the plain form gives the words back"""
    board, question = await board_of(running)
    data = {"q": question, "text": "My own words"}
    assert await everywhere(running, running.cem, board, "note.add", data) == {None}
    await sync_to_async(lambda: Board.objects.update(locked=True))()
    assert await everywhere(running, running.cem, board, "note.add", data) == {"board_locked"}
    await sync_to_async(lambda: Board.objects.update(locked=False))()
    await sync_to_async(put)(running.event, Phase.ARCHIVED)
    assert await everywhere(running, running.cem, board, "note.add", data) == {SHUT}
    form = {"id": str(new_id()), "s": board, "k": "note.add", **data}
    answer = await client(running, running.cem).post(f"/live/{running.event.key}/ops", form)
    assert (answer.status_code, "My own words" in answer.content.decode()) == (422, True)


@transactional
async def test_votes_and_other_things_that_do_not_exist_are_refused(running: Cafe) -> None:
    """A72: there is nothing to stuff"""
    board, _question = await board_of(running)
    for kind in ("vote.add", "note.explode", "__class__", "note.add ", "x" * 5_000, ""):
        assert await everywhere(running, running.cem, board, kind, {}) == {"outdated"}


@transactional
async def test_the_same_id_a_week_later_is_the_same_note(running: Cafe) -> None:
    """A73"""
    board, question = await board_of(running)
    answer = await sync_to_async(lambda: running.writes(running.cem, "Benches"))()
    await sync_to_async(lambda: Change.objects.update(at=Change.objects.first().at - 7 * 86_400_000))()
    op = {"id": str(answer.op_id), "s": board, "k": "note.add", "q": question, "text": "Benches", "colour": "mint"}
    again = await client(running, running.cem).post(f"/live/{running.event.key}/ops", op)
    assert (again.status_code, await sync_to_async(Note.objects.count)()) == (303, 1)


@transactional
async def test_a_device_that_was_left_is_sent_away_and_the_other_stays(running: Cafe) -> None:
    """A44, A66"""
    secret = await sync_to_async(lambda: identity.new_device(running.cem))()
    here = await browser(running).hello()
    there = await Browser(running.event.key, f"{identity.cookie_name(running.event)}={secret}").hello()
    for each in (here, there):
        await each.hears("parts", s="me")
    await sync_to_async(lambda: identity.leave_elsewhere(running.cem, running.secrets[running.cem.pk]))()
    assert (await there.hears("err"))["code"] == "sign_in"
    assert (await there.hears("close"))["code"] == 4401
    assert (await here.posts("room", "seat.any"))["t"] == "ack"
    await here.leaves()


@transactional
async def test_the_board_of_another_table_waits_for_the_gallery_by_polling(running: Cafe) -> None:
    """A59"""
    board, _question = await board_of(running, table=2)
    await sync_to_async(lambda: running.writes(running.dana, "Theirs", table=2))()
    asking = client(running, running.cem), f"/live/{running.event.key}/parts", {"since": json.dumps({board: 0})}
    for phase, told in (("over", "end"), ("gallery", "parts")):
        await sync_to_async(lambda phase=phase: running.does(running.moderator, "stage", "phase.go", **GO[phase]))()
        answer = (await asking[0].get(*asking[1:])).json()
        (frame,) = [found for found in answer if found.get("s") == board]
        assert (phase, frame["t"], "Theirs" in json.dumps(answer)) == (phase, told, told == "parts")
        assert frame.get("code") in {None, "not_allowed_now"}


@transactional
async def test_what_hangs_in_the_gallery_waits_for_it(running: Cafe) -> None:
    """The sentence that is to be said at the end is drafted while people talk."""
    said = await sync_to_async(
        lambda: running.does(running.moderator, "gallery", "closing.set", text="What we leave with")
    )()
    assert said.code is None
    guest = await browser(running).hello(gallery=0)
    assert (await guest.hears("end", s="gallery"))["code"] == "not_allowed_now"
    await sync_to_async(lambda: running.does(running.moderator, "stage", "phase.go", phase="gallery"))()
    await guest.says({"t": "sub", "s": "gallery", "after": 0})
    assert "What we leave with" in json.dumps(await guest.hears("parts", s="gallery"))
    await sync_to_async(lambda: running.does(running.moderator, "stage", "phase.go", **GO["over"]))()
    assert (await guest.hears("end", s="gallery"))["code"] == "not_allowed_now"
    await guest.leaves()


@transactional
@pytest.mark.parametrize("how", ["sign-out", "new password"])
async def test_a_moderators_pages_end_with_the_sign_in(running: Cafe, how: str) -> None:
    """A66: who signs out ends those of this browser, who chooses a new password those of all."""
    lent, owner = await sync_to_async(lambda: [browser_of(running.ada) for _browser in range(2)])()
    console, own = [
        await Browser(running.event.key, cookie_of(one), query="?as=moderator").hello(room=0) for one in (lent, owner)
    ]
    for page in (console, own):
        await page.hears("parts", s="me")
    if how == "sign-out":
        ended = await sync_to_async(lent.post)("/sign-out/")
    else:
        ended = await sync_to_async(owner.post)("/password/", {"new": "four words that nobody would"})
    assert ended.status_code == 302
    assert (await console.hears("close"))["code"] == 4401
    assert console.got[-2]["code"] == "sign_in"
    if how == "sign-out":
        assert (await own.posts("stage", "phase.next"))["t"] == "ack"
    else:  # it has another cookie now, and comes back with it
        assert (await own.hears("close"))["code"] == 4401
        own = await Browser(running.event.key, cookie_of(owner), query="?as=moderator").hello(room=0)
        assert (await own.posts("stage", "phase.next"))["t"] == "ack"
    await own.leaves()


@transactional
@pytest.mark.parametrize("who", ["a device that was left", "a moderator who signs out"])
async def test_what_ends_before_the_hello_ends_the_socket(running: Cafe, who: str) -> None:
    """A44, A66: who they are was asked when the socket was opened."""
    if who == "a device that was left":
        secret = await sync_to_async(lambda: identity.new_device(running.cem))()
        page = Browser(running.event.key, f"{identity.cookie_name(running.event)}={secret}")
        end: Any = partial(identity.leave_elsewhere, running.cem, running.secrets[running.cem.pk])
    else:
        lent = await sync_to_async(lambda: browser_of(running.ada))()
        page, end = Browser(running.event.key, cookie_of(lent), query="?as=moderator"), partial(lent.post, "/sign-out/")
    assert await page.opens()
    await page.says({"t": "ping", "c": 1})  # before its hello: the answer says that they are known
    assert (await page.hears("err"))["code"] == "bad_frame"
    await sync_to_async(end)()
    await page.says({"t": "hello", "v": 1, "streams": {"room": 0}})
    assert (await page.hears("close"))["code"] == 4401
    assert "parts" not in {frame["t"] for frame in page.got}


def cookie_of(one: Client) -> str:
    return f"{settings.SESSION_COOKIE_NAME}={one.cookies[settings.SESSION_COOKIE_NAME].value}"


@transactional
@pytest.mark.parametrize("as_moderator", ["", "?as=moderator"], ids=["as a guest", "as the moderator"])
async def test_the_moderator_of_another_event_finds_no_live_stream(running: Cafe, as_moderator: str) -> None:
    """A64: to them it is as if there were no such event; who comes as a guest is asked to join, as anybody is"""
    zoe = await sync_to_async(lambda: browser_of(running.eve.event.owner).cookies[settings.SESSION_COOKIE_NAME].value)()
    before = await sync_to_async(facts)(running)
    asking = AsyncClient(headers={"accept-language": "en"})
    asking.cookies[settings.SESSION_COOKIE_NAME] = zoe
    frame = {"t": "op", "id": str(new_id()), "s": "stage", "k": "phase.next", "d": {}}
    key, nowhere = f"/live/{running.event.key}", "/live/ZZZZZZZZ"
    code, status, close = ("not_found", 404, 4404) if as_moderator else ("sign_in", 401, 4401)
    for place in (key, nowhere) if as_moderator else (key,):
        posted = await asking.post(f"{place}/ops{as_moderator}", frame, content_type="application/json")
        formed = await asking.post(f"{place}/ops{as_moderator}", {**frame, "d": ""})
        polled = await asking.get(f"{place}/parts{as_moderator}")
        assert [(a.status_code, a.json()["code"]) for a in (posted, formed, polled)] == [(status, code)] * 3
        socket = Browser(place[6:], f"{settings.SESSION_COOKIE_NAME}={zoe}", query=as_moderator)
        await socket.opens()
        assert ((await socket.hears("err"))["code"], (await socket.hears("close"))["code"]) == (code, close)
    assert await sync_to_async(facts)(running) == before


# ── pages ──
HERS = ("", "console/", "screen/", "desk", "qr.svg", "delete/")
ACTS = ("", "copies/", "delete/", "tables/", "code/", "doors/", "seats/")


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_moderator_of_another_event_finds_nothing(
    event: Event, elsewhere: Event, ada: Moderator, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A64: 404, whether the event exists or not, nothing changes, and the log tells of it"""
    mallory = browser_of(elsewhere.owner)
    before = Event.objects.order_by("pk").values()[::1]
    for page in HERS if method == "get" else ACTS:
        for key in (event.key, "ZZZZZZZZ"):
            caplog.clear()
            assert (page, getattr(mallory, method)(f"/events/{key}/{page}").status_code) == (page, 404)
            assert f"moderator {elsewhere.owner.pk} asked for event {key}, which is not theirs" in caplog.text
    assert Event.objects.order_by("pk").values()[::1] == before
    assert all(browser_of(ada).get(f"/events/{event.key}/{page}").status_code == 200 for page in HERS)


@pytest.mark.django_db
def test_guests_find_no_page_of_the_moderator(event: Event, cem: Participant) -> None:
    """A65"""
    for page in HERS:
        assert browser_of(cem).get(f"/events/{event.key}/{page}").status_code in {302, 404}
    for page in ACTS:
        assert browser_of(cem).post(f"/events/{event.key}/{page}").status_code in {302, 404}
    event.refresh_from_db()
    assert (event.doors_open, event.join_code) == (True, event.key)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "board",
    ["0", "-1", "1.5", "١٢", "²", "1e3", "", " ", "%00", "\x00", "9" * 18, "9" * 19, "9" * 5_000, "None", "1,2"],
)
def test_a_board_that_is_none_is_not_found(event: Event, cem: Participant, board: str) -> None:
    """A58, A59"""
    browser = browser_of(cem)
    own = Board.objects.get(session__event=event, session__number=1, table__number=1)
    assert browser.get(f"/e/{event.key}/table/", {"board": own.pk}).status_code == 200
    assert browser.get(f"/e/{event.key}/table/", {"board": board}).status_code == 404
    assert browser.get(f"/e/{event.key}/table/?board={own.pk}&board={board[:100]}").status_code in {400, 404}


@pytest.mark.django_db
def test_the_board_of_another_table_waits_for_the_gallery(event: Event, cem: Participant, dana: Participant) -> None:
    """A59, A67"""
    board = Board.objects.get(session__event=event, session__number=1, table__number=2)
    for path in (f"/e/{event.key}/table/?board={board.pk}", f"/e/{event.key}/gallery/{board.pk}"):
        assert browser_of(cem).get(path).status_code in {302, 404}
    answer = browser_of(dana).get(f"/e/{event.key}/table/?board={board.pk}")
    assert (answer.status_code, answer["X-Robots-Tag"]) == (200, "noindex, nofollow")
    assert "private" in answer["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "target", ["//evil.example", "https:/evil", "\\\\evil", "/\r\nSet-Cookie: a=b", "/" + "x" * 90_000]
)
def test_no_wish_leads_out_of_the_house_or_breaks_the_way_back(event: Event, target: str) -> None:
    """A35"""
    answer = Client().post("/language/", {"language": "de", "next": target})
    assert (answer.status_code, answer["Location"]) == (302, "/")
