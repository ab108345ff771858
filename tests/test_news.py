"""What the writer tells is what a reading would have found, to the byte."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from sessions.live import shown, streams
from sessions.live.hub import encoded_since
from sessions.live.news import News
from sessions.live.ops import Op
from sessions.live.wire import Encoded
from sessions.models import Stream
from tables.models import COLOURS, Note
from tests.cafe import Cafe
from tests.notes_on_their_way import frames_of, heard

AUDIENCES = ("guests", "moderators")
BATCHES, MOST_OPS = 40, 6
KINDS = ("add", "add", "edit", "paper", "move", "gone", "back", "hide", "show")


def frames(stream: Stream, parts: Sequence[Encoded], start: int) -> list[list[str]]:
    return [frames_of(stream, parts, start, audience) for audience in AUDIENCES]


def read(one: News) -> list[list[str]]:
    stream, parts = encoded_since([(one.stream.pk, one.start)])[one.stream.pk]
    return frames(stream, parts, one.start)


class Writers:
    """Cem and Ben at table 1, Dana at table 2, and the moderator do whatever can be done with notes."""

    def __init__(self, cafe: Cafe, seed: int) -> None:
        self.cafe, self.dice = cafe, random.Random(seed)
        self.boards = {number: cafe.board(number).pk for number in (1, 2)}
        self.question = cafe.question().pk

    def does(self) -> Op:
        table = self.dice.choice((1, 1, 2))
        who = self.cafe.dana if table == 2 else self.dice.choice((self.cafe.cem, self.cafe.ben))
        board, kind = self.boards[table], self.dice.choice(KINDS)
        notes = list(Note.objects.filter(board=board).order_by("pk"))
        note = self.dice.choice(notes) if notes else None
        if note is None or kind == "add":
            text = f'Shade & “{self.dice.randint(0, 9)}” \\n\n\t"\u2028\u200f" 🌳'
            return self.op(who, board, "note.add", q=self.question, text=text, colour=self.dice.choice(COLOURS))
        if kind in {"hide", "show"}:
            return self.op(self.cafe.moderator, board, f"note.{kind}", note=note.pk)
        return self.op(who, board, *self.change(kind, note, notes))

    def change(self, kind: str, note: Note, notes: Sequence[Note]) -> tuple[str, dict[str, Any]]:
        named = {"note": note.pk}
        if kind == "edit":
            return "note.edit", {**named, "text": f"Trees {self.dice.randint(0, 9)}", "_base": note.edited}
        if kind == "paper":
            return "note.edit", {**named, "colour": self.dice.choice(COLOURS)}
        if kind == "move":
            return "note.move", {**named, "after": self.dice.choice([None, *(one.pk for one in notes)])}
        return f"note.{kind}", named

    def op(self, who: Any, board: int, kind: str, data: dict[str, Any] | None = None, **more: Any) -> Op:
        found: Op = self.cafe.op(who, f"board:{board}", kind, **(data or {}), **more)
        return found


@pytest.mark.parametrize("phase", ["running", "gallery"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_told_is_what_a_reading_finds(running: Cafe, seed: int, phase: str) -> None:
    writers = Writers(running, seed)
    for text in ("Benches", "Trees"):
        running.writes(running.cem, text)
    if phase == "gallery":
        assert running.does(running.moderator, "stage", "phase.go", phase="gallery").code is None
    boards = Stream.objects.filter(event=running.event, kind="board")
    seen = 0
    for _batch in range(BATCHES):
        before = dict(boards.values_list("pk", "head"))
        ops = [writers.does() for _op in range(writers.dice.randint(1, MOST_OPS))]
        _answers, told = heard(ops)
        after = dict(boards.values_list("pk", "head"))
        assert {one.stream.pk for one in told} == {pk for pk in after if after[pk] > before[pk]}
        for one in told:
            assert (one.start, one.stream.head) == (before[one.stream.pk], after[one.stream.pk])
            assert frames(one.stream, one.parts, one.start) == read(one)
            seen += len(one.parts)
    assert seen > BATCHES


def test_pages_keep_of_boards_what_a_reading_finds(running: Cafe) -> None:
    writers = Writers(running, 5)
    for _batch in range(BATCHES):
        heard([writers.does() for _op in range(writers.dice.randint(1, MOST_OPS))])
        for stream in Stream.objects.filter(event=running.event, kind="board"):
            fresh = streams.since([(stream.pk, -1)])[stream.pk][1]
            for audience in AUDIENCES:
                seen = [part for part in (getattr(part, audience) for part in fresh) if "gone" not in part]
                assert shown.kept(running.event, stream, audience) == shown.in_order("board", seen)


def test_two_batches_told_as_one_are_what_a_reading_of_both_finds(running: Cafe) -> None:
    writers = Writers(running, 4)
    _answers, [first] = heard(
        [running.op(running.cem, f"board:{writers.boards[1]}", "note.add", q=writers.question, text="A")]
    )
    note = Note.objects.get()
    edit = writers.op(running.cem, writers.boards[1], "note.edit", note=note.pk, text="B", _base=note.edited)
    _answers, [second] = heard([edit])
    both = first.then(second)
    assert both is not None
    assert frames(both.stream, both.parts, both.start) == read(both)
    assert len(both.parts) == 1
    assert second.then(first) is None


def test_what_else_is_judged_with_notes_is_read(running: Cafe) -> None:
    board, question = f"board:{running.board().pk}", running.question().pk
    writes = running.op(running.cem, board, "note.add", q=question, text="Benches")
    sits = running.op(running.dana, "room", "seat.take", table=running.table(1).pk)
    answers, told = heard([writes, sits])
    assert ([answer.code for answer in answers], told) == ([None, None], [])
