from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from sessions.models.event import Event
from sessions.models.moderator import Moderator


class Participant(models.Model):
    """A person in one event. The moderator is one too, so that every operation has an actor."""

    class Role(models.TextChoices):
        GUEST = "guest"
        HOST = "host"
        MODERATOR = "moderator"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="participants")
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=10, choices=Role, default=Role.GUEST)
    moderator = models.ForeignKey(Moderator, null=True, on_delete=models.CASCADE, related_name="participations")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    seen_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True)
    me_seq = models.PositiveBigIntegerField(default=1)  # of the parts `person` and `seat` in this person's stream `me`

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["event", "moderator"], name="participant_moderator_once"),
            models.CheckConstraint(
                name="participant_moderator_role",
                condition=Q(role="moderator", moderator__isnull=False)
                | (~Q(role="moderator") & Q(moderator__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Device(models.Model):
    """A browser that is this person: the cookie holds the secret, the row its digest."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="devices")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.participant_id}"


class HandOver(models.Model):
    """A one-time link that makes a second device the same person (five minutes)."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="hand_overs")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.participant_id}"

    def is_good(self) -> bool:
        return self.used_at is None and self.expires_at > timezone.now()
