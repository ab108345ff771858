from __future__ import annotations

from django.db import models

from sessions.models.event import Event
from sessions.models.participant import Participant


class Stream(models.Model):
    """Anything whose parts change while people look at it. Written in `sessions.live.streams` only.

    `ref` is 0 for `stage`, `room` and `gallery`, the board's id for `board`, the participant's id for `me`.
    """

    event = models.ForeignKey(  # found by `stream_once`
        Event, on_delete=models.CASCADE, related_name="streams", db_index=False
    )
    kind = models.CharField(max_length=10)
    ref = models.BigIntegerField(default=0)
    head = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "kind", "ref"], name="stream_once")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.ref}" if self.kind == "board" else self.kind


class Change(models.Model):
    """What was done, without its words. `seq` is null for a final refusal, whose `code` is remembered.

    Nothing is checked by constraints that is written with every operation: who writes has locked the stream, and who
    deletes an event has locked them all (`streams.governing`).
    """

    stream = models.ForeignKey(  # found by `change_seq_once`
        Stream, on_delete=models.CASCADE, related_name="changes", db_index=False, db_constraint=False
    )
    event = models.ForeignKey(  # its changes go with their streams
        Event, on_delete=models.DO_NOTHING, related_name="changes", db_index=False, db_constraint=False
    )
    seq = models.PositiveBigIntegerField(null=True)
    op_id = models.UUIDField()
    answers = models.BooleanField()  # the row an operation's answer comes from; others record what it raised besides
    actor = models.ForeignKey(  # people go with their event, and so do its changes: nobody looks for theirs
        Participant, null=True, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=20)
    part = models.CharField(max_length=60, blank=True)
    code = models.CharField(max_length=20, blank=True)
    at = models.BigIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [  # the id first: PostgreSQL would read a whole event by an index that begins with it
            models.UniqueConstraint(fields=["op_id", "event"], condition=models.Q(answers=True), name="change_op_once"),
            models.UniqueConstraint(fields=["stream", "seq"], name="change_seq_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.seq}"
