"""The stream `stage`: where the event stands, and the operations that lead through it."""

from collections.abc import Sequence
from typing import Any

from sessions.live import course
from sessions.live.fields import Fields, Number, OneOf, Text
from sessions.live.kinds import EVERY_STREAM, KINDS, Kind, Part, Read
from sessions.live.ops import Name, Op
from sessions.live.scene import Scene
from sessions.models import MOST_SESSIONS, Event
from sessions.models.course import COURSE
from sessions.permissions import Action, Role
from sessions.phases import Phase

STAGE = Name("stage")
MOST_MINUTES = 240


class StageKind(Kind):
    name = "stage"
    keeps = True
    operations = {
        "phase.next": Fields(),
        "phase.go": Fields({"phase": OneOf(*Phase)}, {"session": Number(1, MOST_SESSIONS)}),
        "clock.pause": Fields(),
        "clock.resume": Fields(),
        "clock.add": Fields({"minutes": Number(-MOST_MINUTES, MOST_MINUTES)}),
        "word.say": Fields({"text": Text(1000, empty=True)}),
    }

    def locks(self, op: Op) -> Sequence[Name] | str:
        """The phase and the clock govern everything; a word only the stage."""
        return [STAGE] if op.kind == "word.say" else EVERY_STREAM

    def judge(self, scene: Scene, state: Any, op: Op) -> None:  # noqa: ARG002
        event = scene.event_of(op)
        scene.ask(Action.LEAD, Role(scene.actor(op).role), event)
        before = event.current_session()
        carry_out(event, op, scene.now)
        event.stage_seq = scene.raise_head(event, STAGE, "now")
        scene.saves.update(event, "stage_seq", "word", *COURSE)
        for session in event.sessions.all():
            scene.saves.update(session, "ended_at")
        for kind in KINDS.values():
            if event.current_session() != before:
                kind.new_session(scene, event)
            if event.phase == Phase.CLOSED:
                kind.closed(scene, event)

    def parts(self, reads: Sequence[Read]) -> dict[int, list[Part]]:
        events = course.events_with_questions([read.stream.event_id for read in reads])
        found = {}
        for read in reads:
            event = events[read.stream.event_id]
            found[read.stream.pk] = [now_part(event)] if event.stage_seq > read.after else []
        return found


def carry_out(event: Event, op: Op, now: int) -> None:
    match op.kind:
        case "phase.next":
            event.advance(now)
        case "phase.go":
            event.go_to(Phase(op.data["phase"]), op.data.get("session"), now=now)
        case "clock.pause":
            event.pause(now)
        case "clock.resume":
            event.resume(now)
        case "clock.add":
            event.add_minutes(op.data["minutes"], now)
        case "word.say":
            event.word = op.data["text"]


def now_part(event: Event) -> Part:
    """The one part of the stage; `phase` is the stored one, readers apply `phase_at` themselves."""
    session = event.numbered(event.session_no)
    questions = [q for q in session.questions.all() if q.table_no is None] if session else []
    clocked = session or event.current_session()  # in the lobby people see how long the first one will be
    fields = {
        "title": event.title,
        "phase": event.phase,
        "session": event.session_no,
        "ends_at": event.ends_at,
        "paused_left": event.paused_left,
        "word": event.word,
        "questions": [{"id": question.pk, "text": question.text} for question in questions],
        "sessions": len(event.sessions.all()),
        "by_hand": event.by_hand,
        "minutes": clocked.minutes if clocked else None,
    }
    return Part.same("now", event.stage_seq, fields)
