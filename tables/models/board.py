from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import models

from sessions.live import course, rows
from sessions.live.ops import Refused
from sessions.live.uuid7 import made_at
from sessions.models import Event, Participant, Question, Session
from sessions.permissions import Action, Role, Standing, may
from tables.models.table import SeatHistory, Table

COLOURS = ("butter", "peach", "mint", "sky", "oat")


class BoardQuerySet(models.QuerySet["Board"]):
    def visible_to(self, participant: Participant) -> BoardQuerySet:
        """The boards this person may read now: in the gallery all, before that those of their own tables."""
        own = self.filter(session__event_id=participant.event_id)
        if _reads_any(participant.event, participant):
            return own
        sat = SeatHistory.objects.filter(
            participant=participant,
            board__table=models.OuterRef("table"),
            board__session__number__gte=models.OuterRef("session__number"),
        )
        return own.filter(models.Exists(sat))


def readable(viewers: Sequence[Participant], boards: Collection[int]) -> set[tuple[int, int]]:
    """`visible_to` for many at once: (participant id, board id) pairs, in four queries."""
    events = course.events({viewer.event_id for viewer in viewers})
    everywhere = {viewer.pk for viewer in viewers if _reads_any(events[viewer.event_id], viewer)}
    sat = rows.find(SeatHistory, ("participant", "board"), {"participant": {v.pk for v in viewers} - everywhere})
    wanted = {*boards, *(board for _person, board in sat)}
    laid = rows.find(Board, ("id", "table", "session__number", "session__event"), {"id": wanted})
    places = {board: Place(*place) for board, *place in laid}
    last: dict[tuple[int, int], int] = defaultdict(int)
    for person, at in ((person, places[board]) for person, board in sat if board in places):
        last[person, at.table] = max(at.session, last[person, at.table])
    return {
        (viewer.pk, board)
        for board in places.keys() & set(boards)
        for viewer in viewers
        if places[board].event == viewer.event_id
        if viewer.pk in everywhere or last[viewer.pk, places[board].table] >= places[board].session
    }


class Place(NamedTuple):
    """Where a board lies, `session` by its number."""

    table: int
    session: int
    event: int


def _reads_any(event: Event, participant: Participant) -> bool:
    return may(Action.READ_ANY, Standing(Role(participant.role), event.phase_at()))


class Board(models.Model):
    """What one table wrote in one session: the tablecloth. `gallery_seq` is its exhibit's in the stream `gallery`."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="boards")
    table = models.ForeignKey(Table, on_delete=models.CASCADE, related_name="boards")
    locked = models.BooleanField(default=False)
    note_count = models.PositiveIntegerField(default=0)  # notes that are not gone
    gallery_seq = models.PositiveBigIntegerField(default=0)

    objects = BoardQuerySet.as_manager()

    class Meta:
        ordering = ["session__number", "table__number"]
        constraints = [models.UniqueConstraint(fields=["session", "table"], name="board_once")]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.table_id}"

    def add_note(
        self, pk: UUID, by: Participant, question: Question, data: dict[str, Any], *, now: int, written: int
    ) -> Note:
        """A new note, not yet saved. `written` counts what the author wrote in the event so far."""
        self._refuse_if_full(written)
        self.note_count += 1
        return rows.new(
            Note,
            {"author": by},
            id=pk,
            board_id=self.id,
            question_id=question.id,
            text=data["text"],
            colour=data.get("colour", COLOURS[0]),
            at=now,
            edited=made_at(pk),
        )

    def take_away(self, note: Note, *, now: int) -> None:
        """Makes a note a tombstone; one that is gone already stays as it is."""
        if note.gone_at is None:
            note.gone_at = now
            self.note_count -= 0 if note.hidden else 1

    def bring_back(self, note: Note, *, written: int) -> None:
        if note.gone_at is not None:
            if not note.text:  # the event was closed in between
                raise Refused("not_found")
            self._refuse_if_full(written)
            note.gone_at = None
            self.note_count += 0 if note.hidden else 1

    def hide(self, note: Note, *, hidden: bool) -> None:
        """Takes a note from everybody's sight, or shows it again."""
        if note.hidden is not hidden:
            note.hidden = hidden
            self.note_count += -1 if hidden else 1

    def _refuse_if_full(self, written: int) -> None:
        if self.note_count >= settings.LIMIT_NOTES_PER_BOARD or written >= settings.LIMIT_NOTES_PER_PERSON:
            raise Refused("board_full")


class Note(models.Model):
    """A sticky note; its id is the id of the operation that wrote it. Times are ms since the epoch.

    `edited` is the `base` an edit starts from. It comes from the operations' ids and not from our clock: who writes and
    corrects a note gets the same values again when both are handed in once more after a restore. `hidden_seq` is the
    note's in its author's stream `me` (0: never hidden).
    """

    id = models.UUIDField(primary_key=True)
    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="notes", db_index=False)
    question = models.ForeignKey(Question, on_delete=models.RESTRICT, related_name="notes")
    author = models.ForeignKey(Participant, on_delete=models.RESTRICT, related_name="notes", db_index=False)
    text = models.TextField(max_length=1000, blank=True)
    colour = models.CharField(max_length=8, choices=[(c, c) for c in COLOURS], default="butter")
    order = models.TextField()
    seq = models.PositiveBigIntegerField()
    at = models.BigIntegerField()
    edited = models.BigIntegerField()
    editor = models.ForeignKey(Participant, null=True, on_delete=models.SET_NULL, related_name="edited_notes")
    late = models.BooleanField(default=False)
    hidden = models.BooleanField(default=False)
    hidden_seq = models.PositiveBigIntegerField(default=0)
    gone_at = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["order", "id"]
        indexes = [
            models.Index(fields=["board", "seq"], name="note_since"),
            models.Index(fields=["board", "at"], name="note_newest"),
            models.Index(fields=["author", "gone_at"], name="note_count"),
        ]

    def __str__(self) -> str:
        return self.text[:40]

    def edit(self, by: Participant, text: str | None, colour: str | None, *, made: int) -> None:
        """New words count as an edit and give a new `edited`, always a higher one; another paper does not."""
        if text is not None:
            self.text, self.editor, self.edited = text, by, max(made, self.edited + 1)
        self.colour = colour or self.colour


class Takeaway(models.Model):
    """What one person takes home."""

    participant = models.OneToOneField(Participant, on_delete=models.CASCADE, related_name="takeaway")
    text = models.CharField(max_length=500)
    seq = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return self.text
