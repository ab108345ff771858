"""The socket as a browser meets it, by ASGI and on the short way: admission, hello, operations, catching up, being
sent away.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from pytest_django import Settings

from sessions.live import hub as hubs
from sessions.live import news, threads
from sessions.live.house import house
from sessions.live.hub import Hub
from sessions.live.kinds import KINDS
from sessions.live.socket import MOST_UNANSWERED
from sessions.models import Event
from tables.models import Note
from tests.browsing import Browser, board_of, browser, everything, session_of
from tests.cafe import Cafe, new_id

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True, params=["ASGI", "short"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Browser, "short", request.param == "short")


@pytest.fixture
async def running(transactional_db: None) -> AsyncIterator[Cafe]:
    yield await sync_to_async(lambda: Cafe().runs())()
    await threads.close()
    await sync_to_async(connections.close_all)()


async def test_a_note_is_seen_by_everybody_at_the_table_and_nobody_else(running: Cafe) -> None:
    board, question = await board_of(running)
    name = {board.replace(":", "_"): 0}
    ben, cem = await browser(running, "ben").hello(**name), await browser(running, "cem").hello(**name)
    dana = await browser(running, "dana").hello(**name)
    assert (await dana.hears("end"))["code"] == "not_allowed_now"
    ack = await cem.posts(board, "note.add", q=question, text="Benches", colour="mint")
    heard = await ben.hears("parts", s=board)
    own = await everything(cem)
    assert (ack["t"], ack["seq"]) == ("ack", 1)
    assert [part["text"] for part in heard["parts"]] == ["Benches"]
    assert [frame["parts"] for frame in own if frame.get("s") == board and frame["t"] == "parts"] == [heard["parts"]]
    await everything(dana)
    assert not [frame for frame in dana.got if frame.get("s") == board and frame["t"] == "parts"]
    for someone in (ben, cem, dana):
        await someone.leaves()


async def test_hello_is_answered_with_who_and_where_one_is(running: Cafe) -> None:
    cem = await browser(running).hello()
    welcome = await cem.hears("welcome")
    board, question = await board_of(running)
    assert (welcome["me"]["name"], welcome["me"]["role"]) == ("Cem", "guest")
    assert f"board:{welcome['me']['seat']['board']}" == board
    assert question in welcome["me"]["seat"]["questions"]
    assert welcome["limits"] == {"window": 256, "note": 1000, "rate": 10}
    await cem.leaves()


async def test_a_cursor_at_the_head_gets_nothing_one_behind_gets_the_rest(running: Cafe) -> None:
    board, _question = await board_of(running)
    await sync_to_async(lambda: [running.writes(running.cem, text) for text in ("a", "b")])()
    late = await browser(running).hello(**{board.replace(":", "_"): 1})
    frame = await late.hears("parts", s=board)
    assert (frame["from"], frame["to"], [part["text"] for part in frame["parts"]]) == (1, 2, ["b"])
    await late.leaves()


@pytest.mark.parametrize("after", [-1, 10**18])
async def test_a_cursor_that_cannot_be_gets_a_reset(running: Cafe, after: int) -> None:
    board, _question = await board_of(running)
    await sync_to_async(lambda: running.writes(running.cem, "a"))()
    cem = await browser(running).hello(**{board.replace(":", "_"): after})
    frame = await cem.hears("parts", s=board)
    assert (frame.get("reset"), frame["to"], len(frame["parts"])) == (True, 1, 1)
    await cem.leaves()


async def test_from_the_beginning_an_empty_stream_gets_a_reset_too(running: Cafe) -> None:
    board, _question = await board_of(running)
    cem = await browser(running).hello(**{board.replace(":", "_"): -1})
    frame = await cem.hears("parts", s=board)
    assert (frame.get("reset"), frame["to"], frame["head"], frame["parts"]) == (True, 0, 0, [])
    await cem.leaves()


async def test_another_epoch_gets_a_reset(running: Cafe) -> None:
    cem = browser(running)
    await cem.opens()
    await cem.says({"t": "hello", "v": 1, "epoch": str(new_id()), "streams": {"room": 1}})
    assert (await cem.hears("parts", s="room"))["reset"] is True
    await cem.leaves()


async def test_the_same_id_by_socket_twice_is_one_note(running: Cafe) -> None:
    board, question = await board_of(running)
    cem = await browser(running).hello()
    op_id = str(new_id())
    answers = [await cem.posts(board, "note.add", _id=op_id, q=question, text="Benches") for _twice in range(2)]
    assert [(answer["seq"], answer.get("dup")) for answer in answers] == [(1, None), (1, True)]
    assert await sync_to_async(Note.objects.count)() == 1
    await cem.leaves()


async def test_strangers_are_told_and_closed(running: Cafe) -> None:
    for code, cookie, close in (
        (running.event.key, "", 4401),
        (running.event.key, f"zc-{running.event.key}=forged", 4401),
        (running.event.key, f"{running.cookie(running.cem)}; {running.cookie(running.ben)}", 4401),
        (running.event.key, f"zc-{running.event.key}={running.eves_secret}", 4401),
        ("NOSUCHEV", running.cookie(running.cem), 4404),
    ):
        somebody = Browser(code, cookie)
        assert await somebody.opens()
        assert (await somebody.hears("err"))["retry"] is False
        assert (await somebody.hears("close"))["code"] == close


@pytest.mark.parametrize("origin", ["http://evil.example", "https://testserver", "http://testserver:81", "null"])
async def test_another_origin_is_refused_before_accept(running: Cafe, origin: str) -> None:
    assert await browser(running).opens()
    assert not await browser(running, origin=origin).opens()


async def test_removed_people_are_told_and_closed_and_do_not_come_back(running: Cafe) -> None:
    cem = await browser(running).hello()
    await cem.hears("parts", s="me")
    await sync_to_async(lambda: running.does(running.moderator, "room", "person.set", p=running.cem.pk, removed=True))()
    assert (await cem.hears("close"))["code"] == 4403
    again = browser(running)
    await again.opens()
    assert (await again.hears("close"))["code"] == 4403


async def test_a_subscription_ends_when_the_right_to_see_it_does(running: Cafe) -> None:
    await sync_to_async(lambda: running.does(running.moderator, "stage", "phase.go", phase="gallery"))()
    board, _question = await board_of(running, table=2)
    cem = await browser(running).hello(**{board.replace(":", "_"): 0})
    await cem.hears("welcome")
    await sync_to_async(lambda: running.does(running.moderator, "stage", "phase.go", phase="running", session=1))()
    assert (await cem.hears("end"))["s"] == board
    await cem.leaves()


async def test_three_bad_frames_close_the_socket_and_say_why(running: Cafe) -> None:
    cem = await browser(running).hello()
    for raw in ('{"t":', '{"t":"nonsense"}', "[]"):
        await cem.says(raw)
    assert [frame["code"] for frame in [await cem.hears("err") for _thrice in range(3)]] == [
        "bad_json",
        "unknown_type",
        "bad_frame",
    ]
    assert (await cem.hears("close"))["code"] == 4400


async def test_an_operation_that_cannot_be_read_is_answered_by_its_id(running: Cafe) -> None:
    cem = await browser(running).hello()
    op_id = str(new_id())
    await cem.says({"t": "op", "id": op_id, "s": "room", "k": "seat.any", "d": {}, "role": "moderator"})
    assert (await cem.hears("err"))["id"] == op_id
    await cem.leaves()


async def test_too_large_a_frame_closes_at_once(running: Cafe) -> None:
    cem = await browser(running).hello()
    await cem.says('{"t":"ping","c":"' + "x" * 16_384 + '"}')
    assert (await cem.hears("err"))["code"] == "too_large"
    assert (await cem.hears("close"))["code"] == 4413


async def test_who_is_too_fast_is_slowed_and_then_closed(running: Cafe, settings: Any) -> None:
    settings.LIMIT_OPS_BURST, settings.LIMIT_OPS_PER_SECOND = 1, 0.01
    cem = await browser(running).hello()
    answers = [await cem.posts("room", "seat.any") for _four in range(4)]
    assert [answer.get("code") for answer in answers] == [None, "rate_limited", "rate_limited", "rate_limited"]
    assert answers[1]["after_ms"] > 1_000
    assert (await cem.hears("close"))["code"] == 4429


async def test_a_sixth_tab_closes_the_oldest(running: Cafe) -> None:
    tabs = []
    for _six in range(6):
        tabs.append(await browser(running).hello())
        await tabs[-1].hears("welcome")
    assert (await tabs[0].hears("close"))["code"] == 4409
    assert len(house.of_person[running.cem.pk]) == 5
    for tab in tabs[1:]:
        await tab.leaves()


async def test_a_console_stays_however_many_boards_its_moderator_reads(running: Cafe) -> None:
    """The screen stands in the hall with nobody before it."""
    board, _question = await board_of(running)
    cookie = await sync_to_async(session_of)(running)
    pages = [Browser(running.event.key, cookie, query="?as=moderator") for _six in range(6)]
    screen = await pages[0].hello(room=0)
    await screen.hears("parts", s="room")
    boards = [await page.hello(room=0, **{board.replace(":", "_"): 0}) for page in pages[1:]]
    assert (await boards[0].hears("close"))["code"] == 4409
    assert (await screen.posts("stage", "phase.next"))["t"] == "ack"
    for page in (screen, *boards[1:]):
        await page.leaves()


async def test_an_older_page_is_told_to_reload(running: Cafe) -> None:
    cem = browser(running)
    await cem.opens()
    await cem.says({"t": "hello", "v": 0, "streams": {}})
    assert (await cem.hears("close"))["code"] == 4426


async def test_who_never_says_hello_is_closed(running: Cafe, settings: Any) -> None:
    settings.LIMIT_HELLO_SECONDS = 0.1
    cem = browser(running)
    await cem.opens()
    assert (await cem.hears("close"))["code"] == 4401


async def test_nothing_more_is_sent_to_who_does_not_read_and_all_of_it_when_they_do(
    running: Cafe, settings: Any
) -> None:
    settings.LIMIT_WINDOW_FRAMES = 5
    board, _question = await board_of(running)
    cem = await browser(running).hello(**{board.replace(":", "_"): 0})
    await cem.hears("parts", s="me")
    for text in "abcdefgh":
        await sync_to_async(lambda text=text: running.writes(running.ben, text))()
        await asyncio.sleep(0.05)
    got = await everything(cem)
    assert len([frame for frame in got if frame["t"] == "parts"]) == 5
    await cem.says({"t": "seen", "n": 5})
    rest = await cem.hears("parts", s=board)
    texts = [part["text"] for frame in [*got, rest] if frame.get("s") == board for part in frame.get("parts", [])]
    assert (texts, rest["to"]) == (list("abcdefgh"), 8)
    await cem.leaves()


async def test_pages_converge_when_every_hint_is_dropped(running: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "BEAT_S", 0.2)
    board, _question = await board_of(running)
    cem = await browser(running).hello(**{board.replace(":", "_"): 0})
    await cem.hears("parts", s="me")
    Hub.here().next_look = 0.0
    news.listeners.clear()
    await sync_to_async(lambda: running.writes(running.ben, "Unheard of"))()
    assert [part["text"] for part in (await cem.hears("parts", s=board))["parts"]] == ["Unheard of"]
    news.listeners.append(Hub.here().touch)
    await cem.leaves()


async def test_the_hub_comes_back_when_its_task_dies(running: Cafe) -> None:
    board, _question = await board_of(running)
    cem = await browser(running).hello(**{board.replace(":", "_"): 0})
    await cem.hears("parts", s="me")
    task = Hub.here().task
    assert task is not None
    task.cancel()
    await asyncio.wait({task})
    await sync_to_async(lambda: running.writes(running.ben, "After the fall"))()
    assert [part["text"] for part in (await cem.hears("parts", s=board))["parts"]] == ["After the fall"]
    await cem.leaves()


async def test_one_socket_that_breaks_in_the_middle_harms_nobody_else(running: Cafe) -> None:
    board, _question = await board_of(running)
    ben, cem = [await browser(running, who).hello(**{board.replace(":", "_"): 0}) for who in ("ben", "cem")]
    for someone in (ben, cem):
        await someone.hears("parts", s="me")
    [broken] = house.of_person[running.ben.pk]

    async def breaks(_text: str) -> None:
        raise RuntimeError("Attempt to send on a closed protocol")

    broken.say.__self__.send = breaks  # type: ignore[attr-defined]
    await sync_to_async(lambda: running.writes(running.cem, "Still here"))()
    assert [part["text"] for part in (await cem.hears("parts", s=board))["parts"]] == ["Still here"]
    await cem.leaves()


async def test_only_what_need_not_wait_takes_the_short_way(running: Cafe, settings: Settings) -> None:
    settings.LIMIT_OPS_BURST = 100
    board, question = await board_of(running)
    cem = await browser(running).hello(**{board.replace(":", "_"): 0})
    await cem.hears("parts", s="me")
    note = {"q": question, "text": "Benches", "colour": "mint"}
    await cem.says({"t": "ping", "c": 1})
    await cem.hears("pong")
    await cem.says({"t": "seen", "n": 1})
    await cem.posts(board, "note.add", **note)
    many = [str(new_id()) for _ in range(MOST_UNANSWERED + 8)]
    for op_id in many:
        await cem.says({"t": "op", "id": op_id, "s": board, "k": "note.add", "d": note})
    told = []
    while len(told) < len(many):
        frame = await cem.hears_next()
        told += [frame["id"]] if frame["t"] in {"ack", "err"} else []
    assert sorted(told) == sorted(many)
    assert (cem.line.taken >= 2 + MOST_UNANSWERED) if cem.short else not cem.line.taken
    assert len(many) + 2 > cem.line.taken
    await cem.leaves()


async def test_a_socket_of_a_deleted_event_is_closed(running: Cafe) -> None:
    cem = await browser(running).hello()
    await cem.hears("parts", s="me")
    await sync_to_async(lambda: Event.objects.filter(pk=running.event.pk).delete())()
    Hub.here().next_look = 0.0
    Hub.here().wake.set()
    assert (await cem.hears("close"))["code"] == 4404


async def test_the_moderator_sees_a_glance_and_hidden_notes(running: Cafe) -> None:
    board, _question = await board_of(running)
    answer = await sync_to_async(lambda: running.writes(running.cem, "Rude"))()
    await sync_to_async(lambda: running.does(running.moderator, board, "note.hide", note=answer.op_id))()
    cookie = await sync_to_async(lambda: session_of(running))()
    ada = Browser(running.event.key, cookie, query="?as=moderator")
    await ada.hello(**{board.replace(":", "_"): 0, "room": 0})
    assert [part["hidden"] for part in (await ada.hears("parts", s=board))["parts"]] == [True]
    glance = await ada.hears("glance")
    assert (glance["people"], glance["seated"], glance["lobby"]) == (3, 3, [])
    await ada.leaves()


async def test_no_note_waits_for_the_consoles_numbers(running: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading of the numbers takes until the note is there."""
    begun, there, usual = threading.Event(), threading.Event(), KINDS["room"].glance

    def held(events: Sequence[int]) -> dict[int, dict[str, Any]]:
        begun.set()
        assert there.wait(20)
        return usual(events)

    board, question = await board_of(running)
    cem = await browser(running, "cem").hello(**{board.replace(":", "_"): 0})
    monkeypatch.setattr(KINDS["room"], "glance", held)
    ada = Browser(running.event.key, await sync_to_async(lambda: session_of(running))(), query="?as=moderator")
    await ada.hello(room=0)
    assert await asyncio.to_thread(begun.wait, 20)

    await cem.posts(board, "note.add", q=question, text="Benches")
    assert [part["text"] for part in (await cem.hears("parts", s=board))["parts"]] == ["Benches"]
    there.set()
    assert (await ada.hears("glance"))["people"] == 3
    for page in (cem, ada):
        await page.leaves()
