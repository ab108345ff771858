from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from sessions.models import Event, Participant, Session

SEATS = (1, 50)
MOST_TABLES = 400


class Table(models.Model):
    """A numbered, named place that stays through the event. `seq` is its part's in the stream `room`."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="tables")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    cap = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(SEATS[0]), MaxValueValidator(SEATS[1])]
    )
    open = models.BooleanField(default=True)
    host = models.ForeignKey(Participant, null=True, on_delete=models.SET_NULL, related_name="hosted_tables")
    talk_link = models.URLField(blank=True, max_length=500)
    seq = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["event", "number"], name="table_number_once"),
            models.UniqueConstraint(fields=["host"], name="table_host_once"),
            models.CheckConstraint(name="table_cap", condition=Q(cap__range=SEATS)),
        ]

    def __str__(self) -> str:
        return self.name


class Seat(models.Model):
    """Who sits where in one session. `place` is the chair, counted from 0; written through `sessions.live.streams`."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="seats")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="seats")
    table = models.ForeignKey(Table, on_delete=models.CASCADE, related_name="seats")
    place = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["participant", "session"], name="seat_one_each"),
            models.UniqueConstraint(fields=["session", "table", "place"], name="seat_chair_once"),
        ]

    def __str__(self) -> str:
        return f"{self.table_id}/{self.place}"


class SeatHistory(models.Model):
    """That someone sat at a board, until when (ms; null: to the end): who did may hand in late notes."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="sat")
    board = models.ForeignKey("tables.Board", on_delete=models.CASCADE, related_name="sat")
    until = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["participant", "board"], name="sat_once")]

    def __str__(self) -> str:
        return f"{self.participant_id}@{self.board_id}"
