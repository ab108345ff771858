from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions.clock import now_ms
from sessions.codes import new_code
from sessions.models.course import Course
from sessions.models.moderator import Moderator
from sessions.phases import Phase

MOST_SESSIONS = 6
MOST_QUESTIONS = 4
MINUTES = (1, 240)
PRESENT = timedelta(minutes=5)
QUIET = (Phase.DRAFT, Phase.CLOSED, Phase.ARCHIVED)


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, moderator: Moderator) -> EventQuerySet:
        """A moderator's own events."""
        return self.filter(owner=moderator)

    def live(self) -> EventQuerySet:
        """Those that people are in just now: a session runs, or somebody's page was open in the last minutes."""
        runs = Q(phase=Phase.RUNNING, paused_left=None, ends_at__gt=now_ms())
        here = Q(participants__seen_at__gte=timezone.now() - PRESENT) & ~Q(phase__in=QUIET)
        return self.filter(runs | here).distinct()


class Event(Course):
    """One World Café from start to end. Times of live facts are ms since the epoch (see `sessions.phases`)."""

    class TableModel(models.TextChoices):
        SAME = "same", _("Same questions at every table")
        OWN = "own", _("A question for each table")

    key = models.CharField(max_length=8, unique=True, default=new_code, editable=False)
    join_code = models.CharField(max_length=8, unique=True)
    epoch = models.UUIDField(default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(Moderator, on_delete=models.CASCADE, related_name="events")
    title = models.CharField(max_length=200)
    purpose = models.TextField(blank=True, max_length=2000)
    language = models.CharField(max_length=8, choices=settings.LANGUAGES, default="de")
    time_zone = models.CharField(max_length=64, default="Europe/Berlin")
    starts_at = models.DateTimeField()
    table_model = models.CharField(max_length=8, choices=TableModel, default=TableModel.SAME)
    talk_link = models.URLField(blank=True, max_length=500)
    sample = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    restored_at = models.BigIntegerField(null=True, editable=False)  # ms; when it last came back from an older copy

    doors_open = models.BooleanField(default=True)
    word = models.TextField(blank=True, max_length=1000)
    closing = models.TextField(blank=True, max_length=1000)
    closing_seq = models.PositiveBigIntegerField(default=0)
    stage_seq = models.PositiveBigIntegerField(default=0)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="event_running_has_an_end",
                condition=~Q(phase=Phase.RUNNING) | Q(ends_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: object, **kwargs: object) -> None:
        self.join_code = self.join_code or self.key
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def renew_code(self) -> None:
        """Gives out another join code; the one before leads nowhere from then on, the key stays."""
        self.join_code = new_code()
        while Event.objects.filter(Q(join_code=self.join_code) | Q(key=self.join_code)).exists():
            self.join_code = new_code()


class Session(models.Model):
    """One timed round of table talk with its own questions."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="sessions")
    number = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(MOST_SESSIONS)])
    title = models.CharField(max_length=200, blank=True)
    minutes = models.PositiveSmallIntegerField(
        default=20, validators=[MinValueValidator(MINUTES[0]), MaxValueValidator(MINUTES[1])]
    )
    ended_at = models.BigIntegerField(null=True)  # ms; null until it is over

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["event", "number"], name="session_number_once"),
            models.CheckConstraint(name="session_minutes", condition=Q(minutes__range=MINUTES)),
        ]

    def __str__(self) -> str:
        return f"{self.number}"


class Question(models.Model):
    """What a session, or with `table_no` one table in it, talks about."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="questions")
    number = models.PositiveSmallIntegerField()
    table_no = models.PositiveSmallIntegerField(null=True)
    text = models.CharField(max_length=500)

    class Meta:
        ordering = ["table_no", "number"]

    def __str__(self) -> str:
        return self.text
