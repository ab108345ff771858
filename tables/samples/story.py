"""The sample's evening as the operations people carried out, act by act, each at its moment."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sessions.clock import as_ms
from sessions.live.ops import Name, Op
from sessions.live.uuid7 import uuid7
from sessions.models import Event, Participant, Session
from tables.models import COLOURS, Board, Table
from tables.samples.content import Content, Words

MINUTE = 60_000
DOORS = as_ms(datetime(2021, 8, 24, 16, 45, tzinfo=ZoneInfo("Europe/Berlin")))
OPENED = {1: 20, 2: 53}  # minute in which a session is opened, its people sit down
STARTED = {1: 25, 2: 58}
WALK = {"takeaways": 85, "closing": 100, "end": 105}
OWN_COLOUR = 0.7  # how often somebody takes the colour they like best
ROOM, STAGE, GALLERY = Name("room"), Name("stage"), Name("gallery")


class Written(NamedTuple):
    """A note and the share of the session's time that had passed when it was posted."""

    share: float
    place: int
    question: int
    words: Words


class Story:
    """Tells who did what when. Who wrote which note is the same every time; ids are new, as every note has its own."""

    def __init__(self, event: Event, content: Content, moderator: Participant) -> None:
        self.event, self.content, self.moderator = event, content, moderator
        self.dice = random.Random(content.language)  # noqa: S311 - the same story every time
        self.tables: list[Table] = list(event.tables.all())
        self.sessions: list[Session] = list(event.sessions.prefetch_related("questions"))
        self.boards: dict[tuple[int, int], int] = {}
        for board in Board.objects.filter(session__event=event):
            self.boards[board.session_id, board.table_id] = board.pk
        people = iter(event.participants.exclude(pk=moderator.pk))
        self.groups = [[next(people) for _person in place.people] for place in content.places]
        self.likes = {person.pk: self.dice.choice(COLOURS) for group in self.groups for person in group}

    def acts(self) -> Iterator[list[Op]]:
        """Each act is judged at once: within one, what is read from the database stays the same."""
        yield [self._lead(0)]
        yield [self._op(0.1, STAGE, "word.say", {"text": self.content.word}, self.moderator)]
        for session in self.sessions:
            opened, started = OPENED[session.number], STARTED[session.number]
            yield [self._lead(opened)]
            yield list(self._sitting_down(session, opened))
            yield [self._lead(started)]
            written = sorted(self._written(session))
            yield [self._post(session, started, note) for note in written if not note.words.late]
            yield [self._post(session, started, note) for note in written if note.words.late]
        yield list(self._taken_home())
        yield [self._op(WALK["closing"], GALLERY, "closing.set", {"text": self.content.closing}, self.moderator)]
        yield [self._op(WALK["end"], STAGE, "word.say", {"text": ""}, self.moderator)]
        yield [self._lead(WALK["end"])]

    def seated(self, session: Session) -> list[list[Participant]]:
        """By table: the host stays, and the guests of a table part so that nobody meets anybody twice."""
        count = len(self.groups)
        tables: list[list[Participant]] = [[group[0]] for group in self.groups]
        for i, group in enumerate(self.groups):
            for step, guest in enumerate(group[1:], 1):
                tables[(i + step * (session.number - 1)) % count].append(guest)
        return tables

    def _lead(self, minute: float) -> Op:
        return self._op(minute, STAGE, "phase.next", {}, self.moderator)

    def _sitting_down(self, session: Session, opened: float) -> Iterator[Op]:
        taken = [
            (table, person)
            for table, people in zip(self.tables, self.seated(session), strict=True)
            for person in people
        ]
        self.dice.shuffle(taken)
        for i, (table, person) in enumerate(taken):
            yield self._op(opened + 0.3 + i * 0.1, ROOM, "seat.take", {"table": table.pk}, person)

    def _written(self, session: Session) -> Iterator[Written]:
        """When each note was posted: the questions one after the other, with some looking back."""
        for place, table in enumerate(self.content.places):
            boards = table.notes[session.number - 1]
            for question, notes in enumerate(boards):
                for i, words in enumerate(notes):
                    share = (question + (i + self.dice.uniform(0.2, 0.9)) / len(notes)) / len(boards)
                    yield Written(1.02 if words.late else min(0.98, share + 0.02), place, question, words)

    def _post(self, session: Session, started: float, note: Written) -> Op:
        people = self.seated(session)[note.place]
        author = self.dice.choice(people)
        board = self.boards[session.pk, self.tables[note.place].pk]
        own = self.dice.random() < OWN_COLOUR
        data = {
            "q": session.questions.all()[note.question].pk,
            "text": note.words.text,
            "colour": self.likes[author.pk] if own else self.dice.choice(COLOURS),
        }
        minute = started + note.share * session.minutes
        return self._op(minute, Name("board", board), "note.add", data, author)

    def _taken_home(self) -> Iterator[Op]:
        said = [
            (person, words.takeaway)
            for group, place in zip(self.groups, self.content.places, strict=True)
            for person, words in zip(group, place.people, strict=True)
            if words.takeaway
        ]
        self.dice.shuffle(said)
        for i, (person, text) in enumerate(said):
            yield self._op(WALK["takeaways"] + i * 0.4, GALLERY, "takeaway.set", {"text": text}, person)

    def _op(self, minute: float, stream: Name, kind: str, data: dict[str, Any], actor: Participant) -> Op:
        at = DOORS + round(minute * MINUTE)
        return Op(uuid7(at), self.event.pk, actor.pk, stream, kind, data, None, at)
