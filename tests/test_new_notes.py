"""New notes judged together are the notes that judging them one by one makes, to the row and to the byte."""

from __future__ import annotations

import hmac
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from sessions.clock import now_ms
from sessions.live import memory, scene
from sessions.live.ops import JUDGED_WITHIN_MS, Answer, Op
from sessions.models import Change, Event, Participant, Question, Stream
from tables.live import new_notes
from tables.live.board import BoardKind
from tables.models import COLOURS, Authorship, Board, Note
from tests.cafe import Cafe
from tests.notes_on_their_way import frames_of, heard

NOW = now_ms()
BATCHES, MOST = 25, 9
TEXTS = ("Shade", "Bänke & Bäume", 'a "b" \\ c', "zwei\nZeilen", "🌳 \u200f", "日本", "1")
Outcome = tuple[list[Answer], dict[str, list[Any]], list[Any]]
Breaks = Callable[["Writers", list[Op]], None]


@pytest.fixture(autouse=True)
def one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "now_ms", lambda: NOW)


@pytest.fixture
def declined(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each batch of notes in turn, whether it went one by one."""
    found: list[bool] = []

    def judge(*batch: Any) -> list[Answer] | None:
        answers = usual(*batch)
        found.append(answers is None)
        return answers

    usual = new_notes.judge
    monkeypatch.setattr(new_notes, "judge", judge)
    return found


class Writers:
    """Cem and Ben write at table 1, Dana at table 2."""

    def __init__(self, cafe: Cafe, seed: int = 0) -> None:
        self.cafe, self.dice = cafe, random.Random(seed)
        self.boards = {number: cafe.board(number) for number in (1, 2)}
        self.questions = [cafe.question(number).pk for number in (1, 2)]

    def writes(self, who: Participant | None = None, table: int | None = None, **more: Any) -> Op:
        cafe, dice = self.cafe, self.dice
        someone, there = dice.choice([(cafe.cem, 1), (cafe.ben, 1), (cafe.dana, 2)])
        data = {"q": dice.choice(self.questions), "text": f"{dice.choice(TEXTS)} {dice.randint(0, 99)}"}
        if dice.random() < 0.8:
            data["colour"] = dice.choice(COLOURS)
        board = self.boards[table or there].pk
        return cafe.op(who or someone, f"board:{board}", "note.add", **{"_arrived": NOW, **data, **more})

    def batch(self) -> list[Op]:
        return [self.writes() for _note in range(self.dice.randint(1, MOST))]


def stored() -> dict[str, list[Any]]:
    """All rows that a note touches, but for the keys that databases make."""
    return {
        "notes": sorted(Note.objects.values_list(), key=str),
        "changes": sorted(Change.objects.filter(stream__kind="board").values_list(*told_of_changes()), key=str),
        "heads": sorted(Stream.objects.values_list("pk", "head")),
        "boards": sorted(Board.objects.values_list(), key=str),
        "authors": sorted(Authorship.objects.values_list("participant", "board", "notes")),
    }


def told_of_changes() -> list[str]:
    return [field.name for field in Change._meta.concrete_fields if not field.primary_key]


def outcome(ops: Sequence[Op]) -> Outcome:
    answers, told = heard(ops)
    frames = [
        [frames_of(one.stream, one.parts, one.start, audience) for audience in ("guests", "moderators")]
        for one in sorted(told, key=lambda one: one.stream.pk)
    ]
    return answers, stored(), frames


def tried(ops: Sequence[Op]) -> Outcome:
    """And undone, from what is read."""
    forget()
    with transaction.atomic():
        found = outcome(ops)
        transaction.set_rollback(True)
    forget()
    return found


def forget() -> None:
    memory._here.__dict__.clear()


def one_by_one(ops: Sequence[Op], monkeypatch: pytest.MonkeyPatch) -> Outcome:
    with monkeypatch.context() as without:
        without.setattr(BoardKind, "judge_together", lambda *_batch: None)
        return tried(ops)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_notes_judged_together_are_what_one_by_one_makes_of_them(
    running: Cafe, seed: int, monkeypatch: pytest.MonkeyPatch, declined: list[bool]
) -> None:
    """From what is read, and then from what is remembered of the batch before."""
    writers = Writers(running, seed)
    heard(writers.batch())
    declined.clear()
    for _batch in range(BATCHES):
        ops = writers.batch()
        kept = dict(memory._here.__dict__)
        usual = one_by_one(ops, monkeypatch)
        assert tried(ops) == usual
        memory._here.__dict__.update(kept)
        assert outcome(ops) == usual
        assert [answer.code for answer in usual[0]] == [None] * len(ops)
    assert declined == [False] * 2 * BATCHES


def locks(writers: Writers, _ops: list[Op]) -> None:
    Board.objects.filter(pk=writers.boards[1].pk).update(locked=True)


def removes(writers: Writers, _ops: list[Op]) -> None:
    Participant.objects.filter(pk=writers.cafe.cem.pk).update(removed_at=timezone.now())


def ends(writers: Writers, _ops: list[Op]) -> None:
    Event.objects.filter(pk=writers.cafe.event.pk).update(ends_at=NOW - 5_000)


def asks_elsewhere(writers: Writers, _ops: list[Op]) -> None:
    Question.objects.filter(pk=writers.questions[0]).update(table_no=2)


def goes_over(writers: Writers, _ops: list[Op]) -> None:
    running = writers.cafe
    assert running.does(running.moderator, "stage", "phase.go", phase="gallery").code is None


def edits(writers: Writers, ops: list[Op]) -> None:
    note = writers.cafe.note(writers.cafe.writes(writers.cafe.cem, "Benches"))
    board = f"board:{note.board_id}"
    ops.append(writers.cafe.op(writers.cafe.cem, board, "note.edit", note=note.pk, text="Trees", _base=note.edited))


def has_its_id(writers: Writers, ops: list[Op]) -> None:
    by_hand = {"author": writers.cafe.ben, "text": "Before", "seq": 0, "at": 1, "edited": 1}
    Note.objects.create(id=ops[1].id, board=writers.boards[1], question_id=writers.questions[0], **by_hand)


def adds(make: Callable[[Writers, list[Op]], Op]) -> Breaks:
    def does(writers: Writers, ops: list[Op]) -> None:
        ops.append(make(writers, ops))

    return does


UNUSUAL: dict[str, Breaks] = {
    "an edit among them": edits,
    "an id that a note has": has_its_id,
    "a locked board": locks,
    "who was removed": removes,
    "a session that has ended": ends,
    "a gallery": goes_over,
    "a question that is asked elsewhere": asks_elsewhere,
    "one that comes twice": adds(lambda _writers, ops: ops[0]),
    "its id with other words": adds(lambda _writers, ops: ops[0]._replace(data={**ops[0].data, "text": "Other"})),
    "one that waited for too long": adds(lambda writers, _ops: writers.writes(_arrived=NOW - JUDGED_WITHIN_MS - 1)),
    "who sits elsewhere": adds(lambda writers, _ops: writers.writes(writers.cafe.dana, 1)),
    "who has no seat": adds(lambda writers, _ops: writers.writes(writers.cafe.comes("Gil"), 1)),
    "the moderator": adds(lambda writers, _ops: writers.writes(writers.cafe.moderator, 1)),
    "somebody of another event": adds(lambda writers, _ops: writers.writes(writers.cafe.eve, 1)),
    "a question that there is not": adds(lambda writers, _ops: writers.writes(q=10**9)),
    "another event": adds(lambda writers, _ops: writers.writes()._replace(event_id=writers.cafe.eve.event_id)),
}


@pytest.mark.parametrize("what", UNUSUAL)
def test_a_batch_with_anything_unusual_goes_one_by_one(
    running: Cafe, what: str, monkeypatch: pytest.MonkeyPatch, declined: list[bool]
) -> None:
    """Declined before anything has changed; or else both outcomes would differ."""
    writers = Writers(running)
    ops = [writers.writes(running.cem, 1, q=writers.questions[0]), *writers.batch()]
    UNUSUAL[what](writers, ops)
    declined.clear()
    usual = one_by_one(ops, monkeypatch)
    assert tried(ops) == usual
    assert all(declined)


@pytest.mark.parametrize("limit", ["LIMIT_NOTES_PER_BOARD", "LIMIT_NOTES_PER_PERSON"])
def test_the_limits_hold_in_the_midst_of_a_batch(
    running: Cafe, limit: str, monkeypatch: pytest.MonkeyPatch, declined: list[bool]
) -> None:
    writers = Writers(running)
    ops = [writers.writes(running.cem, 1) for _note in range(3)]
    running.writes(running.cem, "Benches")
    for room, refused in ((3, 1), (4, 0)):
        declined.clear()
        with override_settings(**{limit: room}):
            usual = one_by_one(ops, monkeypatch)
            assert tried(ops) == usual
        assert [answer.code for answer in usual[0]].count("board_full") == refused
        assert declined == [bool(refused)]


def test_an_operation_that_was_heard_before_is_answered_as_before(
    running: Cafe, monkeypatch: pytest.MonkeyPatch, declined: list[bool]
) -> None:
    writers = Writers(running)
    ops = writers.batch()
    heard(ops)
    more = [writers.writes(), ops[0]]
    usual = one_by_one(more, monkeypatch)
    assert tried(more) == usual
    assert [answer.dup for answer in usual[0]] == [False, True]


def test_the_digest_of_an_operation_is_the_hmac_of_what_it_says() -> None:
    """Digests are stored: they must stay what they are."""
    for secret in ("short", "s" * 64, "longer than a block " * 5):
        with override_settings(SECRET_KEY=secret):
            op = Op(*(None, 1, 7, scene.Name("board", 4), "note.add", {"text": "Bänke", "q": 2}, None, 0))  # type: ignore[arg-type]
            said = b'[7, ["board", 4], "note.add", {"q": 2, "text": "B\\u00e4nke"}, null]'
            assert scene.digest_of(op) == hmac.new(secret.encode(), said, "sha256").hexdigest()
    assert settings.SECRET_KEY


def test_what_a_new_note_says_is_written_as_for_any_operation(running: Cafe) -> None:
    writers = Writers(running)
    for base in (None, 0, 7):
        for op in [writers.writes() for _note in range(100)]:
            said = new_notes.said_by(op._replace(base=base))
            assert said in {scene.said_by(op._replace(base=base)), ""}
            assert bool(said) == ("colour" in op.data)
