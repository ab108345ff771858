from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from sessions.clock import now_ms
from sessions.live.ops import Refused
from sessions.phases import Facts, Phase, phase_at

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from sessions.models.event import Session

MINUTE_MS = 60_000
IN_SESSION = frozenset({Phase.SEATING, Phase.RUNNING, Phase.OVER})
COURSE = ("phase", "session_no", "ends_at", "paused_left")


class Course(models.Model):
    """How an event moves on. Every step stores facts; times are ms. Phases are suggestions, never a cage."""

    phase = models.CharField(max_length=8, choices=[(p.value, p.value) for p in Phase], default=Phase.DRAFT)
    session_no = models.PositiveSmallIntegerField(null=True)
    ends_at = models.BigIntegerField(null=True)
    paused_left = models.BigIntegerField(null=True)
    by_hand = models.BooleanField(default=False)

    if TYPE_CHECKING:
        sessions: RelatedManager[Session]

    class Meta:
        abstract = True

    def facts(self) -> Facts:
        """Where the event stands; one query unless `sessions` is prefetched."""
        return Facts(
            phase=Phase(self.phase),
            session=self.session_no,
            ends_at=self.ends_at,
            paused_left=self.paused_left,
            sessions=len(self.sessions.all()),
            by_hand=self.by_hand,
        )

    def phase_at(self, now: int | None = None) -> Phase:
        return phase_at(self.facts(), now_ms() if now is None else now)

    def current_session(self) -> Session | None:
        """The session people sit in: the one of the facts, the first one before that."""
        return next((s for s in self.sessions.all() if s.number == (self.session_no or 1)), None)

    def advance(self, now: int) -> None:
        """The next step of the way from draft to closed; `Refused` when there is none."""
        phase = self.phase_at(now)
        steps = {
            Phase.DRAFT: (Phase.LOBBY, None),
            Phase.LOBBY: (Phase.SEATING, 1),
            Phase.SEATING: (Phase.RUNNING, self.session_no),
            Phase.RUNNING: (Phase.OVER, self.session_no),
            Phase.OVER: self._after_session(),
            Phase.GALLERY: (Phase.CLOSED, self.session_no),
        }
        if phase not in steps:
            raise Refused("not_allowed_now")
        self.go_to(*steps[phase], now=now)

    def _after_session(self) -> tuple[Phase, int | None]:
        number = self.session_no or 0
        if number < len(self.sessions.all()):
            return Phase.SEATING, number + 1
        return Phase.GALLERY, number

    def go_to(self, phase: Phase, number: int | None, *, now: int) -> None:
        """Any phase, any session, forwards or back. What ran so far is over at `now`."""
        if phase is Phase.RUNNING and number == self.session_no and self.phase_at(now) is Phase.RUNNING:
            return  # it runs already; its clock goes on
        session = self.numbered(number) if phase in IN_SESSION else None
        if phase in {Phase.DRAFT, Phase.ARCHIVED} or (phase in IN_SESSION and session is None):
            raise Refused("bad_field")
        self._end_running(now)
        if phase is Phase.LOBBY:
            self.session_no = None
        elif session is not None:
            self.session_no = session.number
        self.phase, self.paused_left, self.ends_at = phase, None, None
        if session is not None and phase is Phase.RUNNING:
            session.ended_at = None
            self.ends_at = now + session.minutes * MINUTE_MS
        elif session is not None and phase is Phase.OVER and session.ended_at is None:
            session.ended_at = now

    def _end_running(self, now: int) -> None:
        session = self.numbered(self.session_no)
        if session is not None and self.phase == Phase.RUNNING and self.ends_at is not None:
            session.ended_at = now if self.paused_left is not None else min(now, self.ends_at)

    def numbered(self, number: int | None) -> Session | None:
        return next((session for session in self.sessions.all() if session.number == number), None)

    def pause(self, now: int) -> None:
        if self.phase_at(now) is not Phase.RUNNING or self.ends_at is None or self.paused_left is not None:
            raise Refused("not_allowed_now")
        self.paused_left = self.ends_at - now

    def resume(self, now: int) -> None:
        if self.paused_left is None:
            raise Refused("not_allowed_now")
        self.ends_at, self.paused_left = now + self.paused_left, None

    def add_minutes(self, minutes: int, now: int) -> None:
        """Extends or shortens; a session that has just run out runs on when it is extended."""
        if self.phase != Phase.RUNNING or self.ends_at is None or self.phase_at(now) is Phase.GALLERY:
            raise Refused("not_allowed_now")
        if self.paused_left is not None:
            self.paused_left = max(0, self.paused_left + minutes * MINUTE_MS)
        else:
            self.ends_at = max(now, max(now, self.ends_at) + minutes * MINUTE_MS)
