"""The stream `stage`: where the event stands, and the operations that lead through it."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sessions.live import course, rows
from sessions.live.fields import Fields, Number, OneOf, Text
from sessions.live.kinds import EVERY_STREAM, KINDS, Kind, Part, Read
from sessions.live.ops import Name, Op
from sessions.live.rows import Wish
from sessions.live.scene import Scene
from sessions.models import MOST_SESSIONS, Change, Event
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
        *of_events, of_changes = rows.gather(
            *course.wishes([read.stream.event_id for read in reads]),
            Wish(Change, DEED, {"stream": [read.stream.pk for read in reads], "kind": self.operations}, LATELY),
        )
        events, deeds = course.put_together(*of_events), sorted(map(Deed._make, of_changes), reverse=True)
        found = {}
        for read in reads:
            event = events[read.stream.event_id]
            done = [deed for deed in deeds if deed.stream == read.stream.pk and deed.seq <= event.stage_seq]
            found[read.stream.pk] = [now_part(event, done[:MOST_DEEDS])] if event.stage_seq > read.after else []
        return found


class Deed(NamedTuple):
    """What one operation did on the stage: named like the fields of its change, `name` is whose it was."""

    seq: int
    stream: int
    op_id: UUID
    kind: str
    at: int
    name: str | None

    def fields(self) -> dict[str, Any]:
        return {"op": str(self.op_id), "kind": self.kind, "name": self.name or "", "at": self.at}


MOST_DEEDS = 3
DEED = (*Deed._fields[:-1], "actor__name")
LATELY = "answers AND seq > (SELECT head - 100 FROM cafe_stream WHERE cafe_stream.id = stream_id)"


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


def now_part(event: Event, done: Sequence[Deed] = ()) -> Part:
    """The one part of the stage; `phase` is the stored one, readers apply `phase_at` themselves. Moderators read too
    what was `done` last, the newest first: one account may lead from several devices.
    """
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
    guests = {"id": "now", "seq": event.stage_seq, **fields}
    return Part("now", event.stage_seq, guests, {**guests, "done": [deed.fields() for deed in done]})
