"""Without sockets: polling gets the same frames, POST and plain forms reach the same operations."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient

from sessions.live import desk, http, socket, threads
from sessions.live.ops import Answer, Name
from tables.models import Note, Seat
from tests.browsing import Browser, browser, everything
from tests.cafe import Cafe, new_id
from tests.forms_found import forms_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def running(transactional_db: None) -> AsyncIterator[Cafe]:
    yield await sync_to_async(lambda: Cafe().runs())()
    await threads.close()
    await sync_to_async(connections.close_all)()


def client(cafe: Cafe, who: str = "cem", **options: Any) -> AsyncClient:
    name, _, value = cafe.cookie(getattr(cafe, who)).partition("=")
    found = AsyncClient(headers={"accept-language": "en"}, **options)
    found.cookies[name] = value
    return found


async def here(cafe: Cafe) -> tuple[str, str, int]:
    return await sync_to_async(lambda: (f"/live/{cafe.event.key}/", f"board:{cafe.board().pk}", cafe.question().pk))()


def op(board: str, question: int, **values: Any) -> dict[str, Any]:
    data = {"q": question, "text": "Benches", "colour": "mint"}
    return {"t": "op", "id": str(new_id()), "s": board, "k": "note.add", "d": data, **values}


async def test_polling_gets_exactly_the_frames_a_socket_gets(running: Cafe) -> None:
    live, board, _question = await here(running)
    await sync_to_async(lambda: [running.writes(running.cem, text) for text in "abc"])()
    wishes = {"stage": 0, "me": 0, "room": 0, board: 1}
    polled = await client(running).get(f"{live}parts", {"since": json.dumps(wishes)})
    cem = browser(running)
    await cem.opens()
    await cem.says({"t": "hello", "v": 1, "streams": wishes})
    welcome, *heard = await everything(cem)
    first, *frames = polled.json()
    assert {**first, "now": 0} == {**welcome, "now": 0}
    assert {frame["s"]: frame for frame in frames} == {frame["s"]: frame for frame in heard}
    assert len(frames) == 4
    await cem.leaves()


async def test_polling_at_the_head_gets_nothing(running: Cafe) -> None:
    live, board, _question = await here(running)
    frames = (await client(running).get(f"{live}parts", {"since": json.dumps({board: 0})})).json()
    heads = {frame["s"]: frame["to"] for frame in frames if frame["t"] == "parts"}
    again = await client(running).get(f"{live}parts", {"since": json.dumps({**heads, board: 0})})
    assert [frame["t"] for frame in again.json()] == ["welcome"]


async def test_polling_from_the_beginning_gets_a_reset_of_an_empty_stream_too(running: Cafe) -> None:
    live, board, _question = await here(running)
    frames = (await client(running).get(f"{live}parts", {"since": json.dumps({board: -1})})).json()
    reset = next(frame for frame in frames if frame.get("s") == board)
    assert (reset["reset"], reset["to"], reset["head"], reset["parts"]) == (True, 0, 0, [])


@pytest.mark.parametrize("since", ["", "[]", '{"stage":"1"}', '{"stage":NaN}', "[" * 999, '{"board:1":true}'])
async def test_nonsense_is_no_cursor(running: Cafe, since: str) -> None:
    live, _board, _question = await here(running)
    assert (await client(running).get(f"{live}parts", {"since": '{"stage":1}'})).status_code == 200
    answer = await client(running).get(f"{live}parts", {"since": since})
    assert (answer.status_code, answer.json()["code"] in {"bad_json", "bad_field"}) == (422, True)


async def test_the_same_id_by_socket_and_by_post_twice_is_one_note(running: Cafe) -> None:
    live, board, question = await here(running)
    frame = op(board, question)
    cem = await browser(running).hello()
    answers = [await cem.posts(board, "note.add", _id=frame["id"], **frame["d"]) for _twice in range(2)]
    posted = [
        (await client(running).post(f"{live}ops", json.dumps(frame), content_type="application/json")).json()
        for _twice in range(2)
    ]
    assert [(a["t"], a["seq"], a.get("dup")) for a in [*answers, *posted]] == [
        ("ack", 1, None),
        ("ack", 1, True),
        ("ack", 1, True),
        ("ack", 1, True),
    ]
    assert await sync_to_async(Note.objects.count)() == 1
    await cem.leaves()


async def test_a_plain_form_posts_a_note_and_goes_back(running: Cafe) -> None:
    live, board, question = await here(running)
    form = {"id": str(new_id()), "s": board, "k": "note.add", "q": question, "text": "By form", "next": "/e/x/"}
    answer = await client(running).post(f"{live}ops", form)
    assert (answer.status_code, answer["Location"]) == (303, "/e/x/")
    again = await client(running).post(f"{live}ops", form)
    assert (again.status_code, await sync_to_async(Note.objects.count)()) == (303, 1)


async def test_a_refused_form_keeps_what_was_typed(running: Cafe) -> None:
    live, board, question = await here(running)
    form = {"id": str(new_id()), "s": board, "k": "note.add", "q": question, "text": "<b>long</b> " * 200}
    answer = await client(running).post(f"{live}ops", form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The text is too long. Please shorten it." in page
    assert "&lt;b&gt;long&lt;/b&gt; &lt;b&gt;" in page


async def test_a_refused_form_keeps_the_empty_line_it_began_with(running: Cafe) -> None:
    """Browsers drop the first line end behind `<textarea>`."""
    live, board, question = await here(running)
    form = {"id": str(new_id()), "s": board, "k": "note.add", "q": question, "text": "\n\nlong " * 300}
    page = (await client(running).post(f"{live}ops", form)).content.decode()
    assert [found.typed()["text"] for found in forms_in(page) if "text" in found.typed()] == [form["text"]]


async def test_a_refused_form_speaks_the_readers_language(running: Cafe) -> None:
    live, board, question = await here(running)
    form = {"id": str(new_id()), "s": board, "k": "note.add", "q": question, "text": "zu lang " * 200}
    answer = await client(running).post(f"{live}ops", form, headers={"accept-language": "de"})
    page = answer.content.decode()
    assert '<html lang="de"' in page
    assert "Nicht gespeichert" in page
    assert "Der Text ist zu lang. Bitte kürzen Sie ihn." in page


async def test_a_guest_sits_down_by_plain_form(running: Cafe) -> None:
    live, _board, _question = await here(running)
    table = await sync_to_async(lambda: running.table(2).pk)()
    form = {"id": str(new_id()), "s": "room", "k": "seat.take", "table": table}
    assert (await client(running).post(f"{live}ops", form)).status_code == 303
    seat = await sync_to_async(lambda: Seat.objects.get(participant=running.cem).table_id)()
    assert seat == table


@pytest.mark.parametrize(
    "target", ["//evil.example", "https:/evil", "\\\\evil", "/\r\nSet-Cookie: a=b", "javascript:x"]
)
async def test_next_never_leads_elsewhere(running: Cafe, target: str) -> None:
    live, _board, _question = await here(running)
    form = {"id": str(new_id()), "s": "room", "k": "seat.any", "next": target}
    answer = await client(running).post(f"{live}ops", form)
    assert (answer.status_code, answer["Location"]) == (303, f"/e/{running.event.key}/")


async def test_a_post_without_token_is_refused(running: Cafe) -> None:
    live, board, question = await here(running)
    strict = client(running, enforce_csrf_checks=True)
    answer = await strict.post(f"{live}ops", json.dumps(op(board, question)), content_type="application/json")
    assert answer.status_code == 403
    assert await sync_to_async(Note.objects.count)() == 0


async def test_strangers_get_401_removed_people_403_unknown_events_404(running: Cafe) -> None:
    live, board, question = await here(running)
    body = json.dumps(op(board, question))
    stranger = AsyncClient()
    assert (await stranger.post(f"{live}ops", body, content_type="application/json")).status_code == 401
    assert (await client(running).get("/live/NOSUCHEV/parts")).status_code == 404
    await sync_to_async(lambda: running.does(running.moderator, "room", "person.set", p=running.cem.pk, removed=True))()
    assert (await client(running).post(f"{live}ops", body, content_type="application/json")).status_code == 403


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"d": {"q": 1, "text": "x", "role": "moderator"}}, 422, "bad_field"),
        ({"k": "note.explode"}, 422, "outdated"),
        ({"s": "board:999999"}, 404, "not_found"),
        ({"s": "me"}, 422, "outdated"),
        ({"id": "7"}, 422, "bad_field"),
        ({"t": "hello"}, 422, "bad_field"),
        ({"k": "phase.next", "s": "stage", "d": {}}, 403, "not_allowed"),
    ],
)
async def test_bad_operations_get_their_status_and_code(
    running: Cafe, change: dict[str, Any], status: int, code: str
) -> None:
    live, board, question = await here(running)
    good = await client(running).post(f"{live}ops", json.dumps(op(board, question)), content_type="application/json")
    bad = await client(running).post(
        f"{live}ops", json.dumps(op(board, question, **change)), content_type="application/json"
    )
    assert (good.status_code, bad.status_code, bad.json()["code"]) == (200, status, code)


async def test_a_socket_a_post_and_a_form_reach_the_same_function(
    running: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, board, question = await here(running)
    reached: list[str] = []
    real = desk.operate

    def watched(viewer: Any, said: desk.Draft, tell: desk.Tell, **how: Any) -> None:
        reached.append(said.kind)
        real(viewer, said, tell, **how)

    assert http.desk is socket.desk is desk
    monkeypatch.setattr(desk, "operate", watched)
    cem: Browser = await browser(running).hello()
    await cem.posts(board, "note.add", q=question, text="By socket")
    await client(running).post(f"{live}ops", json.dumps(op(board, question)), content_type="application/json")
    await client(running).post(
        f"{live}ops", {"id": str(new_id()), "s": board, "k": "note.add", "q": question, "text": "By form"}
    )
    assert (reached, await sync_to_async(Note.objects.count)()) == (["note.add"] * 3, 3)
    await cem.leaves()


@pytest.mark.parametrize(
    ("code", "same"), [("busy", True), ("internal", True), ("storage_full", True), ("empty", False)]
)
async def test_a_form_that_nobody_sends_again_by_itself_says_so(
    running: Cafe, monkeypatch: pytest.MonkeyPatch, code: str, same: bool
) -> None:
    """What may have been done after all keeps its id, so that it is done once."""
    live, board, question = await here(running)
    op_id = new_id()

    def refuses(_viewer: Any, _said: desk.Draft, tell: desk.Tell) -> None:
        tell(Answer(op_id, Name("me"), code=code))

    monkeypatch.setattr(desk, "operate", refuses)
    form = {"id": str(op_id), "s": board, "k": "note.add", "q": question, "text": "Kept words"}
    page = (await client(running).post(f"{live}ops", form)).content.decode()
    assert "Kept words" in page
    assert "It is tried again" not in page
    assert (f'name="id" value="{op_id}"' in page) is same
    assert ("Please send it again" in page) is same
