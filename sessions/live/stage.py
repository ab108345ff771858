"""The stream `stage`: where the event stands, and the operations that lead through it."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast
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
WORD = "word.say"


class StageKind(Kind):
    name = "stage"
    keeps = True
    operations = {
        "phase.next": Fields(),
        "phase.go": Fields({"phase": OneOf(*Phase)}, {"session": Number(1, MOST_SESSIONS)}),
        "clock.pause": Fields(),
        "clock.resume": Fields(),
        "clock.add": Fields({"minutes": Number(-MOST_MINUTES, MOST_MINUTES)}),
        WORD: Fields({"text": Text(1000, empty=True)}),
    }

    def locks(self, op: Op) -> Sequence[Name] | str:
        """The phase and the clock govern everything; a word only the stage."""
        return [STAGE] if op.kind == WORD else EVERY_STREAM

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
        streams = [read.stream.pk for read in reads]
        *of_events, of_changes, of_words = rows.gather(
            *course.wishes([read.stream.event_id for read in reads]),
            Wish(Change, DEED, {"stream": streams, "kind": self.operations}, LATELY),
            Wish(Change, ("stream", "op_id"), {"stream": streams, "kind": [WORD]}, LAST_WORD),
        )
        events, deeds = course.put_together(*of_events), sorted(map(Deed._make, of_changes), reverse=True)
        sayings = dict(cast("list[tuple[int, UUID]]", of_words))
        found = {}
        for read in reads:
            event, stream = events[read.stream.event_id], read.stream.pk
            done = [deed for deed in deeds if deed.stream == stream and deed.seq <= event.stage_seq]
            part = now_part(event, done[:MOST_DEEDS], said=sayings.get(stream))
            found[stream] = [part] if event.stage_seq > read.after else []
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
LAST_WORD = f"""answers AND seq IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM cafe_change AS later WHERE later.stream_id = cafe_change.stream_id AND later.seq > cafe_change.seq
    AND later.kind = '{WORD}' AND later.answers)"""  # noqa: S608 - our own words


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


def now_part(event: Event, done: Sequence[Deed] = (), *, said: UUID | None = None) -> Part:
    """The one part of the stage; `phase` is the stored one, readers apply `phase_at` themselves. Moderators read too
    what was `done` last, the newest first: one account may lead from several devices.

    The word was `said` by this operation: the same words said again are another saying, which pages show again.
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
        "said": str(said) if said and event.word else None,
        "questions": [{"id": question.pk, "text": question.text} for question in questions],
        "sessions": len(event.sessions.all()),
        "by_hand": event.by_hand,
        "minutes": clocked.minutes if clocked else None,
    }
    guests = {"id": "now", "seq": event.stage_seq, **fields}
    return Part("now", event.stage_seq, guests, {**guests, "done": [deed.fields() for deed in done]})
