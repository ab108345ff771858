"""Frames nobody wrote by hand, by socket, POST and polling: each gets the answer the protocol promises, or none is due.

`TEST_MORE=10` sends ten times as many, other ones each time.
"""

from __future__ import annotations

import gc
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from sessions import identity
from sessions.live import threads, wire
from sessions.live.words import SENTENCES, say
from sessions.models import Change, Event, Participant, Session, Stream
from tables.models import Board, Note, Seat, SeatHistory, Table, Takeaway
from tests.browsing import Browser
from tests.cafe import Cafe, new_id
from tests.hostile import (
    FOLLOWED,
    OTHERS,
    SAID,
    Tree,
    faults_in,
    frames,
    operations,
    spoiled,
    thorough,
    written,
)
from tests.transports import client, post

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20.0
UNREADABLE = {"bad_json", "bad_frame", "unknown_type", "too_large"}
PUSHED = {"parts", "beat"}
FACTS = (Event, Session, Table, Board, Seat, SeatHistory, Note, Participant, Takeaway)
MAY_ANSWER = {  # a frame of this kind that could be read: how often, by what
    "op": (1, {"ack", "err"}),
    "ping": (1, {"pong", "err"}),
    "hello": (1, {"err"}),
    "sub": (0, {"end", "err"}),
    "unsub": (0, {"err"}),
    "seen": (0, {"err"}),
}
Answers = list[dict[str, Any]]


class Target:
    """A café in its first session, with ids of everything a frame can name."""

    def __init__(self) -> None:
        self.cafe = cafe = Cafe().runs()
        cafe.secrets[cafe.moderator.pk] = identity.new_device(cafe.moderator)
        cafe.secrets[cafe.eve.pk] = cafe.eves_secret
        note = cafe.note(cafe.writes(cafe.cem, "Shade"))
        self.bens = str(cafe.writes(cafe.ben, "Water").op_id)
        foreign = Board.objects.filter(session__event=cafe.eve.event).select_related("table")[0]
        self.ids: dict[str, Tree] = {
            "question": cafe.question().pk,
            "table": cafe.table(1).pk,
            "person": cafe.dana.pk,
            "board": f"board:{cafe.board().pk}",
            "note": str(note.pk),
            "edited": note.edited,
            "foreign board": f"board:{foreign.pk}",
            "foreign table": foreign.table.pk,
            "foreign person": cafe.eve.pk,
            "foreign note": str(new_id()),
        }

    def facts(self) -> list[Any]:
        """Everything an operation could change; not whose page is open, which the house notes once a minute."""
        rows = [[row | {"seen_at": 0} for row in model.objects.order_by("pk").values()] for model in FACTS]
        return [*rows, list(Stream.objects.order_by("pk").values_list("pk", "head"))]

    def bens_edit(self) -> str:
        wish = {"note": self.bens, "colour": "sky"}
        return json.dumps({"t": "op", "id": str(new_id()), "s": self.ids["board"], "k": "note.edit", "d": wish})

    def visitor(self, who: str) -> Visitor:
        return Visitor(self.cafe.event.key, self.cafe.cookie(getattr(self.cafe, who)))


class Fuzzed:
    """The target of many examples; another one when something allowed has changed the last one, or a test failed."""

    def __init__(self, log: pytest.LogCaptureFixture) -> None:
        self.log = log
        self.spare: Target | None = None
        self.taken: set[str] = set()

    async def target(self) -> Target:
        found, self.spare = self.spare or await sync_to_async(Target)(), None
        return found

    def is_done(self, target: Target, taken: set[str]) -> None:
        self.taken |= taken
        if not changed(taken):
            self.spare = target

    def complains_of_nothing(self) -> None:
        assert faults_in(self.log.records) == []
        self.log.clear()


@pytest.fixture
async def fuzzed(transactional_db: None, settings: Settings, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Fuzzed]:
    for limit in ("OPS", "POLLS", "HELLOS"):
        setattr(settings, f"LIMIT_{limit}_BURST", 100_000)
        setattr(settings, f"LIMIT_{limit}_PER_SECOND", 100_000)
    settings.LIMIT_NOTES_PER_PERSON = settings.LIMIT_NOTES_PER_BOARD = 100_000
    fuzzed = Fuzzed(caplog)
    yield fuzzed
    await threads.close()
    gc.collect()  # tasks whose error nobody asked for say so when they go
    fuzzed.complains_of_nothing()
    await sync_to_async(connections.close_all)()


def changed(taken: set[str]) -> bool:
    """Whether more than notes are other than before, so that what is asked next may get another answer."""
    return any(not kind.startswith("note.") for kind in taken)


def strictly(text: str | bytes) -> Any:
    """As browsers read JSON: there is no NaN in it."""
    return json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} on the wire"))


def read(raw: str) -> dict[str, Any] | None:
    """The frame as a lenient parser sees it, of a kind there is; else null."""
    try:
        frame = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    known = isinstance(frame, dict) and isinstance(frame.get("t"), str) and frame["t"] in wire.FRAMES
    return frame if known else None


def is_declared(frame: dict[str, Any]) -> bool:
    """Whether it has every field that it needs and none that is unknown, as far down as we declare them."""
    required, optional = wire.FRAMES[frame["t"]]
    known = required.keys() <= frame.keys() - {"t"} <= {**required, **optional}.keys()
    takes = [set(f.checks) for _s, kind, f in operations() if kind == frame.get("k")] if frame["t"] == "op" else []
    data = frame.get("d")
    return known and (frame["t"] != "op" or (isinstance(data, dict) and any(data.keys() <= those for those in takes)))


def assert_said_well(frame: dict[str, Any]) -> None:
    """A refusal has a code we know, its sentence, and says whether to try again."""
    assert frame["code"] in SENTENCES.keys() - {"internal"}, frame
    assert frame["text"].startswith(say(frame["code"], "en"))
    assert frame["retry"] is (frame["code"] in {"rate_limited", "busy", "storage_full"})


def assert_promised(raw: str, answers: Answers) -> None:
    frame = read(raw)
    for answer in answers:
        if answer["t"] == "err":
            assert_said_well(answer)
    if frame is None:
        assert [answer["code"] in UNREADABLE for answer in answers] == [True], answers
        return
    least, among = MAY_ANSWER[frame["t"]]
    if not is_declared(frame):
        least, among = 1, {"err"}
    assert least <= len(answers) <= 1, answers
    for answer in answers:
        assert answer["t"] in among
        assert answer.get("id") in {None, str(frame.get("id")).lower()}
        if answer["t"] == "pong":
            assert answer["c"] == frame["c"]


class Visitor(Browser):
    """Sends one frame at a time and hears everything that answers it."""

    async def arrives(self) -> Visitor:
        await self.hello()
        assert (await self.next_frame())["t"] == "welcome"
        return self

    async def next_frame(self) -> dict[str, Any]:
        message = await self.ends.receive_output(timeout=PATIENCE)
        if message["type"] == "websocket.close":
            self.close_code = message["code"]
            return {"t": "close", "code": message["code"]}
        found: dict[str, Any] = strictly(message["text"])
        return found

    async def answers(self, raw: str, board: str) -> Answers:
        """Until an operation that was sent after it, in vain, has its answer, or the socket is closed."""
        mark = str(new_id())
        vain = {"t": "op", "id": mark, "s": board, "k": "note.gone", "d": {"note": str(new_id())}}
        await self.says(raw)
        await self.says(json.dumps(vain))
        heard: Answers = []
        while (frame := await self.next_frame()).get("id") != mark:
            heard += [frame] if frame["t"] not in PUSHED else []
            if frame["t"] == "close":
                break
        return heard


CLOSED_BY: dict[int, set[str | None]] = {
    4400: {*UNREADABLE, "bad_field"},
    4401: {"sign_in", None},
    4403: {"removed", None},
    4413: {"too_large"},
    4426: {"outdated"},
}


def assert_closed_rightly(heard: Answers, strikes: int) -> None:
    """After its last words: too large, too old, no longer wanted, or three times wrong."""
    *answers, close = heard
    last = answers[-1]["code"] if answers else None
    cursor = last == "bad_field"  # of a hello or sub: what is no cursor closes at once
    assert (close["code"], last in CLOSED_BY[close["code"]]) == (close["code"], True), heard
    assert close["code"] != 4400 or cursor or strikes >= 3, heard


SESSION = st.lists(st.tuples(spoiled(frames()), SAID), min_size=1, max_size=5)
WHO = st.sampled_from(["cem", "cem", "cem", "moderator"])


@thorough(80)
@given(who=WHO, said=SESSION)
async def test_every_frame_by_socket_gets_what_is_promised(fuzzed: Fuzzed, who: str, said: list[Any]) -> None:
    target = await fuzzed.target()
    ben = await target.visitor("ben").arrives()
    visitor = await target.visitor(who).arrives()
    strikes, taken = 0, set()
    before = await sync_to_async(target.facts)()
    for tree, utter in said:
        raw = utter(written(tree, target.ids))
        heard = await visitor.answers(raw, target.ids["board"])
        strikes += sum(answer.get("code") in {*UNREADABLE, "bad_field"} for answer in heard)
        kept = {await kind_of(answer) for answer in heard if answer["t"] == "ack"}
        after = await sync_to_async(target.facts)()
        assert after == before or kept, raw[:500]
        before, taken = after, taken | kept
        if heard and heard[-1]["t"] == "close":
            assert_closed_rightly(heard, strikes)
            break
        assert_promised(raw, heard)
    else:
        await visitor.leaves()
    if not changed(taken):
        await ben.says(target.bens_edit())
        while (frame := await ben.next_frame())["t"] != "ack":
            assert frame["t"] in {*PUSHED, "end"}
    await ben.leaves()
    fuzzed.is_done(target, taken)
    fuzzed.complains_of_nothing()


async def kind_of(ack: dict[str, Any]) -> str:
    """What was acknowledged, as it is remembered."""
    remembered = Change.objects.filter(op_id=UUID(ack["id"]), seq=ack["seq"]).values_list("kind", flat=True)
    return str(await sync_to_async(lambda: remembered[0])())


@thorough(40)
@given(who=WHO, hello=spoiled(OTHERS["hello"]), utter=SAID)
async def test_every_first_frame_is_welcomed_or_refused(fuzzed: Fuzzed, who: str, hello: Tree, utter: Any) -> None:
    target = await fuzzed.target()
    visitor = target.visitor(who)
    await visitor.opens()
    await visitor.says(utter(written(hello, target.ids)))
    await visitor.says({"t": "hello", "v": wire.VERSION, "streams": {}})
    first = await visitor.next_frame()
    if first["t"] == "err":
        assert_said_well(first)
        then = await visitor.next_frame()
        if then["t"] == "close":
            assert_closed_rightly([first, then], strikes=1)
        else:
            assert (first["code"] in {*UNREADABLE, "bad_field"}, then["t"]) == (True, "welcome")
    else:
        assert first["t"] == "welcome"
    await visitor.leaves()
    fuzzed.is_done(target, set())
    fuzzed.complains_of_nothing()


def as_bytes(raw: str) -> bytes:
    return raw.encode("utf-8", "surrogatepass")


BODIES = st.sampled_from(
    [*[as_bytes] * 6, lambda raw: as_bytes(raw) + b"\xff", lambda raw: raw.encode("utf-16", "surrogatepass")]
)
TYPES = st.sampled_from([*["application/json"] * 4, "application/json; charset=utf-16", "Application/JSON;charset=x"])
STATUS = {"too_large": 413, "not_found": 404, "not_allowed": 403, "not_owner": 403, "removed": 403}


@thorough(110)
@given(who=WHO, frame=spoiled(frames()), utter=SAID, body=BODIES, kind=TYPES)
async def test_every_post_gets_what_is_promised(
    fuzzed: Fuzzed, who: str, frame: Tree, utter: Any, body: Any, kind: str
) -> None:
    target, taken = await fuzzed.target(), set()
    before = await sync_to_async(target.facts)()
    raw = body(utter(written(frame, target.ids)))
    answer = await post(target.cafe, getattr(target.cafe, who), raw, content_type=kind)
    found = strictly(answer.content)
    if answer.status_code == 200:
        assert found["t"] == "ack"
        taken.add(await kind_of(found))
    else:
        assert_said_well(found)
        assert (found["t"], answer.status_code) == ("err", STATUS.get(found["code"], 422))
        assert await sync_to_async(target.facts)() == before, raw[:500]
    if not changed(taken):
        assert (await post(target.cafe, target.cafe.ben, target.bens_edit())).status_code == 200
    fuzzed.is_done(target, taken)
    fuzzed.complains_of_nothing()


QUESTIONS = st.fixed_dictionaries(
    {"since": st.tuples(spoiled(FOLLOWED), SAID)},
    optional={"epoch": st.sampled_from(["", "\0", "\ud800", "0" * 9_000]), "as": st.sampled_from(["moderator", "\0"])},
)


@thorough(100)
@given(who=WHO, asked=QUESTIONS)
async def test_every_question_for_news_gets_frames_or_a_refusal(
    fuzzed: Fuzzed, who: str, asked: dict[str, Any]
) -> None:
    target = await fuzzed.target()
    tree, utter = asked["since"]
    query = urlencode(asked | {"since": utter(written(tree, target.ids))}, errors="surrogatepass")
    before = await sync_to_async(target.facts)()
    asking = client(target.cafe, getattr(target.cafe, who))
    answer = await asking.get(f"/live/{target.cafe.event.key}/parts?{query}")
    found = strictly(answer.content)
    if answer.status_code == 200:
        assert found[0]["t"] == "welcome"
        assert {frame["t"] for frame in found} <= {"welcome", "parts", "end"}
    else:
        assert_said_well(found)
        assert answer.status_code == (401 if found["code"] == "sign_in" else 422)
    assert await sync_to_async(target.facts)() == before
    fuzzed.is_done(target, set())
    fuzzed.complains_of_nothing()
