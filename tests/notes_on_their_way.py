"""The way of notes through the server without sockets and threads: read, judged, committed, told, made frames."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.test import TestCase

from sessions.live import desk, news, streams, wire
from sessions.live.compact import compact
from sessions.live.news import News
from sessions.live.ops import Answer, Name, Op
from sessions.live.prepared import prepare
from sessions.live.wire import Encoded
from sessions.models import Participant, Stream
from tests.cafe import Cafe, new_id

Said = tuple[Participant, str]


def said(cafe: Cafe, count: int) -> list[Said]:
    """So many notes as their authors' pages send them: Cem and Ben at table 1, Dana at table 2, in turn."""
    boards = [f"board:{cafe.board(number).pk}" for number in (1, 2)]
    seats = [(cafe.cem, boards[0]), (cafe.ben, boards[0]), (cafe.dana, boards[1])]
    question = cafe.question().pk
    found = []
    for number in range(count):
        who, board = seats[number % len(seats)]
        data = {"q": question, "text": f"What helps is shade, number {number:04d}", "colour": "mint"}
        op = {"t": "op", "id": str(new_id()), "s": board, "k": "note.add", "d": data}
        found.append((who, compact(op)))
    return found


def heads(cafe: Cafe) -> dict[int, int]:
    return dict(cafe.event.streams.filter(kind="board").values_list("pk", "head"))


def go(messages: list[Said], cursors: dict[int, int]) -> list[str]:
    """One batch; the frames that guests get, without a reading."""
    ops = []
    for who, raw in messages:
        [draft] = prepare([raw])
        assert isinstance(draft, desk.Draft)
        ops.append(desk.op_of(who, draft))
    answers, told = heard(ops)
    assert not [answer.code for answer in answers if answer.code]
    return [text for one in told for text in frames_of(one.stream, one.parts, cursors[one.stream.pk], "guests")]


def heard(ops: Sequence[Op]) -> tuple[list[Answer], list[News]]:
    """The answers, and the news that the hub of this process gets after the commit."""
    found: list[News] = []

    def hear(_ids: Collection[int], told: Sequence[News]) -> None:
        found.extend(told)

    news.listeners.append(hear)
    try:
        with TestCase.captureOnCommitCallbacks(execute=True):
            answers = streams.attempt(ops)
    finally:
        news.listeners.remove(hear)
    return answers, found


def frames_of(stream: Stream, parts: Sequence[Encoded], start: int, audience: str) -> list[str]:
    name = Name(stream.kind, stream.ref)
    return [text for _to, text in wire.parts_frames(name, start, stream.head, parts, audience=audience)]
