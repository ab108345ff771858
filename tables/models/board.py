from __future__ import annotations

from django.db import models

from sessions.models import Participant, Question, Session
from tables.models.table import Table

COLOURS = ("butter", "peach", "mint", "sky", "oat")


class Board(models.Model):
    """What one table wrote in one session: the tablecloth. `gallery_seq` is its exhibit's in the stream `gallery`."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="boards")
    table = models.ForeignKey(Table, on_delete=models.CASCADE, related_name="boards")
    locked = models.BooleanField(default=False)
    note_count = models.PositiveIntegerField(default=0)  # notes that are not gone
    gallery_seq = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["session__number", "table__number"]
        constraints = [models.UniqueConstraint(fields=["session", "table"], name="board_once")]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.table_id}"


class Note(models.Model):
    """A sticky note; its id is the id of the operation that wrote it. Times are ms since the epoch.

    `edited` counts on from `at`: it is the `base` an edit starts from. `hidden_seq` is the note's
    in its author's stream `me` (0: never hidden).
    """

    id = models.UUIDField(primary_key=True)
    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="notes")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="notes")
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
        indexes = [models.Index(fields=["board", "seq"], name="note_since")]

    def __str__(self) -> str:
        return self.text[:40]


class Takeaway(models.Model):
    """What one person takes home."""

    participant = models.OneToOneField(Participant, on_delete=models.CASCADE, related_name="takeaway")
    text = models.CharField(max_length=500)
    seq = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return self.text
