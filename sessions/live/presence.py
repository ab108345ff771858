"""Who was here lately."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from sessions.models import Participant


@transaction.atomic
def saw(people: Collection[int]) -> None:
    """Presence, for all at once: these people were here a moment ago. Whoever is being written just now can wait."""
    free = Participant.objects.filter(pk__in=people).select_for_update(skip_locked=True, no_key=True)
    Participant.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(seen_at=timezone.now())
