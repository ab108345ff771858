from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db import models

from sessions.live import course, rows
from sessions.live.limits import limits
from sessions.live.ops import Refused
from sessions.live.rows import Wish
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
    """`visible_to` for many at once: (participant id, board id) pairs, in one query."""
    *of_events, sat, laid = rows.gather(
        *course.wishes({viewer.event_id for viewer in viewers})[:2],
        Wish(SeatHistory, ("participant", "board__table", "board__session"), {"participant": {v.pk for v in viewers}}),
        Wish(Board, ("id", "table", "session"), {"id": boards}),
    )
    events = course.put_together(*of_events)
    sessions = {session.pk: session for event in events.values() for session in event.sessions.all()}
    everywhere = {viewer.pk for viewer in viewers if _reads_any(events[viewer.event_id], viewer)}
    last: dict[tuple[int, int], int] = defaultdict(int)
    for person, table, session in sat:
        if session in sessions:
            last[person, table] = max(sessions[session].number, last[person, table])
    return {
        (viewer.pk, board)
        for board, table, session in laid
        for viewer in viewers
        if session in sessions and sessions[session].event_id == viewer.event_id
        if viewer.pk in everywhere or last[viewer.pk, table] >= sessions[session].number
    }


def walkers(viewers: Collection[Participant]) -> set[int]:
    """The ids of those who may read every board now; one query."""
    events = course.events({viewer.event_id for viewer in viewers})
    return {viewer.pk for viewer in viewers if _reads_any(events[viewer.event_id], viewer)}


def _reads_any(event: Event, participant: Participant) -> bool:
    return may(Action.READ_ANY, Standing(Role(participant.role), event.phase_at()))


class Board(models.Model):
    """What one table wrote in one session: the tablecloth. `gallery_seq` is its exhibit's in the stream `gallery`.

    `newest` is the id of the note written last; null since that one was hidden or deleted, and nothing written since.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="boards")
    table = models.ForeignKey(Table, on_delete=models.CASCADE, related_name="boards")
    locked = models.BooleanField(default=False)
    note_count = models.PositiveIntegerField(default=0)  # those that everybody sees: neither deleted nor hidden
    newest = models.UUIDField(null=True)
    gallery_seq = models.PositiveBigIntegerField(default=0)

    objects = BoardQuerySet.as_manager()

    class Meta:
        ordering = ["session__number", "table__number"]
        constraints = [models.UniqueConstraint(fields=["session", "table"], name="board_once")]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.table_id}"

    def add_note(self, pk: UUID, by: Participant, data: dict[str, Any], *, now: int, written: int) -> Note:
        """A new note, not yet saved, to a question that is asked here. `written` counts what its author has."""
        self._refuse_if_full(written)
        self.note_count += 1
        self.newest = pk
        return rows.new(
            Note,
            id=pk,
            board_id=self.id,
            question_id=data["q"],
            author_id=by.id,
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
            self._goes(note)

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
            self._goes(note)

    def _goes(self, note: Note) -> None:
        if self.newest == note.id:
            self.newest = None

    def _refuse_if_full(self, written: int) -> None:
        if self.note_count >= limits.LIMIT_NOTES_PER_BOARD or written >= limits.LIMIT_NOTES_PER_PERSON:
            raise Refused("board_full")


class Note(models.Model):
    """A sticky note; its id is the id of the operation that wrote it. Times are ms since the epoch.

    `edited` is the `base` an edit starts from. It comes from the operations' ids and not from our clock: who writes and
    corrects a note gets the same values again when both are handed in once more after a restore. `hidden_seq` is the
    note's in its author's stream `me` (0: never hidden).

    As for changes, no constraint looks for board and question of each note: both are known to be there as long as the
    board's stream is locked.
    """

    id = models.UUIDField(primary_key=True)
    board = models.ForeignKey(  # found by `note_since`
        Board, on_delete=models.CASCADE, related_name="notes", db_index=False, db_constraint=False
    )
    question = models.ForeignKey(Question, on_delete=models.RESTRICT, related_name="notes", db_constraint=False)
    author = models.ForeignKey(  # looked after by `Authorship`: here it would take an index that each note makes larger
        Participant, on_delete=models.DO_NOTHING, related_name="notes", db_index=False, db_constraint=False
    )
    text = models.TextField(max_length=1000, blank=True)
    colour = models.CharField(max_length=8, choices=[(c, c) for c in COLOURS], default="butter")
    order = models.TextField()
    seq = models.PositiveBigIntegerField()
    at = models.BigIntegerField()
    edited = models.BigIntegerField()
    editor = models.ForeignKey(
        Participant, null=True, on_delete=models.SET_NULL, related_name="edited_notes", db_index=False
    )
    late = models.BooleanField(default=False)
    hidden = models.BooleanField(default=False)
    hidden_seq = models.PositiveBigIntegerField(default=0)
    gone_at = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["order", "id"]
        indexes = [
            models.Index(fields=["board", "seq"], name="note_since"),
            models.Index(fields=["author"], name="note_hidden", condition=models.Q(hidden_seq__gt=0)),
            models.Index(fields=["editor"], name="note_edited", condition=models.Q(editor__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.text[:40]

    def edit(self, by: Participant, text: str | None, colour: str | None, *, made: int) -> None:
        """New words count as an edit and give a new `edited`, always a higher one; another paper does not."""
        if text is not None:
            self.text, self.editor, self.edited = text, by, max(made, self.edited + 1)
        self.colour = colour or self.colour


class Authorship(models.Model):
    """How many notes a person has written at a board, without those that are gone.

    One row for each board: it is written while the board is locked, and so nobody waits for it.
    """

    participant = models.ForeignKey(  # found by `authorship_once`
        Participant, on_delete=models.RESTRICT, related_name="authorships", db_index=False
    )
    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="authorships")
    notes = models.IntegerField()  # with a check that it is never below 0, PostgreSQL would refuse the -1 of `count_on`

    class Meta:
        constraints = [models.UniqueConstraint(fields=["participant", "board"], name="authorship_once")]

    def __str__(self) -> str:
        return f"{self.participant_id} at {self.board_id}: {self.notes}"


class Takeaway(models.Model):
    """What one person takes home."""

    participant = models.OneToOneField(Participant, on_delete=models.CASCADE, related_name="takeaway")
    text = models.CharField(max_length=500)
    seq = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return self.text
