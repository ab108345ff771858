"""Whatever people do, in whatever batches: what must hold after it holds. Failing examples become named tests."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions.clock import now_ms
from sessions.live import reading, streams
from sessions.live.kinds import KINDS, Read
from sessions.live.ops import Answer, Name, Op
from sessions.live.shown import shelf
from sessions.live.uuid7 import uuid7
from sessions.models import Participant, Stream
from tables.models import Authorship, Board, Note, Seat, SeatHistory, Table
from tables.order import at_end, between
from tests.cafe import Cafe
from tests.wishes import NOTE_WISHES, OTHER_WISHES, PEOPLE, SEAT_WISHES, TABLE_WISHES, Wish, drawn

pytestmark = pytest.mark.django_db
SEATS = 2
quick = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

DEEDS = st.tuples(
    st.sampled_from(PEOPLE), st.integers(1, 2), drawn(NOTE_WISHES, SEAT_WISHES, TABLE_WISHES, OTHER_WISHES)
)
SITTING = st.tuples(st.sampled_from(PEOPLE), st.integers(1, 2), drawn(SEAT_WISHES))
BATCHES = st.lists(st.lists(DEEDS, min_size=1, max_size=6), min_size=1, max_size=10)


@dataclass
class Game:
    """One example: a running café, what is done in it, and the client that has followed from the start."""

    cafe: Cafe
    notes: list[UUID]
    ops: list[Op]

    def op(self, deed: tuple[str, int, Wish]) -> Op:
        who, table, (stream, kind, data) = deed
        person, data = getattr(self.cafe, who), dict(data)
        board = self.cafe.board(table)
        fits = data.pop("fits", None)
        for name in {"note", "after"} & data.keys():
            data[name] = self.note(data[name])
        if isinstance(data.get("table"), int):
            data["table"] = self.tables.get(data["table"], 10**9)
        for name in {"p", "host"} & data.keys():
            data[name] = data[name] and getattr(self.cafe, data[name]).pk
        if kind == "note.add":
            data |= {"q": self.cafe.question().pk, "_id": uuid7()}
            self.notes.append(data["_id"])
        if fits is not None:
            base = Note.objects.filter(pk=data["note"]).values_list("edited", flat=True).first() or 0
            data["_base"] = base if fits else base - 1
        op = self.cafe.op(person, f"board:{board.pk}" if stream == "board" else stream, kind, **data)
        self.ops.append(op)
        return op

    @property
    def tables(self) -> dict[int, int]:
        return dict(self.cafe.event.tables.values_list("number", "pk"))

    def note(self, place: int | None) -> UUID | None:
        if place is None:
            return None
        return self.notes[place % len(self.notes)] if self.notes else UUID(int=1)


Playing = Callable[[], AbstractContextManager[Game]]


@pytest.fixture
def play(db: None) -> Playing:
    """Each example plays in the same café and leaves it as it was."""
    cafe = Cafe(tables=2, seats=SEATS).runs()

    @contextmanager
    def playing() -> Iterator[Game]:
        with transaction.atomic():
            yield Game(cafe, [], [])
            transaction.set_rollback(True)
            shelf.clear()

    return playing


def streams_of(game: Game) -> list[Stream]:
    return list(Stream.objects.filter(event=game.cafe.event))


def read(stream: Stream, after: int) -> dict[str, dict[str, Any]]:
    """What moderators, who see most, get of this stream."""
    return {part.id: part.moderators for part in KINDS[stream.kind].parts([Read(stream, after)]).get(stream.pk, [])}


def shown(parts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: part for name, part in parts.items() if "gone" not in part}


class Client:
    """Follows every stream from a cursor of its own, at times far behind."""

    def __init__(self) -> None:
        self.cursors: dict[int, int] = {}
        self.parts: dict[int, dict[str, dict[str, Any]]] = {}

    def catches_up(self, game: Game) -> None:
        wishes = [(stream.pk, self.cursors.get(stream.pk, -1)) for stream in streams_of(game)]
        for pk, (stream, parts) in streams.since(wishes).items():
            self.parts.setdefault(pk, {}).update({part.id: part.moderators for part in parts})
            self.cursors[pk] = stream.head


def assert_sound(game: Game) -> None:
    event = game.cafe.event
    for stream in streams_of(game):
        seqs = stream.changes.exclude(seq=None).order_by("seq").values_list("seq", flat=True)
        assert list(seqs) == list(range(1, stream.head + 1)), stream
        assert all(1 <= part["seq"] <= stream.head for part in read(stream, -1).values())
    for board in Board.objects.filter(session__event=event):
        assert board.note_count == Note.objects.filter(board=board, gone_at=None, hidden=False).count()
    for person in event.participants.all():
        written = Authorship.objects.filter(participant=person).values_list("notes", flat=True)
        assert sum(written) == person.notes.filter(gone_at=None).count()
    seats = list(Seat.objects.filter(session__event=event))
    assert max(Counter((seat.participant_id, seat.session_id) for seat in seats).values(), default=1) == 1
    for seat in seats:
        sat = SeatHistory.objects.filter(participant=seat.participant_id, board__session=seat.session_id)
        assert sat.get(board__table=seat.table_id).until is None
    hosting = event.tables.exclude(host=None).values_list("host_id", flat=True)
    named_hosts = event.participants.filter(role=Participant.Role.HOST, removed_at=None)
    assert sorted(hosting) == sorted(named_hosts.values_list("pk", flat=True))
    assert not Note.objects.filter(order__endswith="0").exists()


def assert_fresh(game: Game, client: Client) -> None:
    """What was pushed is what a fresh page would read. Exhibits wait for the gallery to be opened."""
    for stream in streams_of(game):
        fresh, kept = shown(read(stream, -1)), shown(client.parts[stream.pk])
        if stream.kind == "gallery":
            fresh, kept = ({name: p for name, p in parts.items() if "head" not in p} for parts in (fresh, kept))
        assert kept == fresh, stream


@quick
@given(batches=BATCHES, pauses=st.sets(st.integers(0, 9)))
def test_after_any_batches_everything_is_sound_and_clients_see_it(
    play: Playing, batches: list[Any], pauses: set[int]
) -> None:
    with play() as game:
        client = Client()
        client.catches_up(game)
        for at, batch in enumerate(batches):
            streams.apply([game.op(deed) for deed in batch])
            if at in pauses:
                client.catches_up(game)
        client.catches_up(game)
        assert_sound(game)
        assert_fresh(game, client)


@quick
@given(batches=BATCHES)
def test_every_operation_sent_again_gets_the_same_answer_and_changes_nothing(play: Playing, batches: list[Any]) -> None:
    with play() as game:
        first = [answer for batch in batches for answer in streams.apply([game.op(deed) for deed in batch])]
        heads = [(stream.pk, stream.head) for stream in streams_of(game)]
        again = streams.apply([op._replace(arrived=now_ms()) for op in game.ops])
        assert [(a.code, a.seq) for a in again] == [(a.code, a.seq) for a in first]
        assert all(answer.dup for answer in again if answer.code is None)
        assert [(stream.pk, stream.head) for stream in streams_of(game)] == heads


@quick
@given(deeds=st.lists(DEEDS, min_size=2, max_size=16))
def test_one_batch_ends_as_its_operations_one_by_one(play: Playing, deeds: list[Any]) -> None:
    ends: list[Any] = []
    fixed: list[Op] = []
    for together in (True, False):
        with play() as game:
            fixed = fixed or [game.op(deed) for deed in deeds]
            ops = [op._replace(arrived=now_ms()) for op in fixed]
            answers = streams.apply(ops) if together else [streams.apply([op])[0] for op in ops]
            ends.append((summary(answers), state(game)))
    assert ends[0] == ends[1]


def summary(answers: list[Answer]) -> list[tuple[str | None, int | None]]:
    return [(answer.code, answer.seq) for answer in answers]


CLOCK = ("at", "edited", "ends_at", "paused_left")


def state(game: Game) -> dict[str, Any]:
    return {
        str(stream.pk): {name: untimed(part) for name, part in read(stream, -1).items()} for stream in streams_of(game)
    }


def untimed(part: dict[str, Any]) -> dict[str, Any]:
    """Without what the clock says, of the part and of what was done."""
    done = {"done": [untimed(deed) for deed in part["done"]]} if "done" in part else {}
    return {field: value for field, value in part.items() if field not in CLOCK} | done


@quick
@given(deeds=st.lists(SITTING, min_size=1, max_size=30), caps=st.tuples(st.integers(1, 2), st.integers(1, 2)))
def test_nobody_sits_where_there_is_no_room(play: Playing, deeds: list[Any], caps: tuple[int, int]) -> None:
    with play() as game:
        for number, cap in enumerate(caps, 1):
            Table.objects.filter(event=game.cafe.event, number=number).update(cap=cap)
        over = surplus(game)
        for deed in deeds:
            streams.apply([game.op(deed)])
            now = surplus(game)
            assert all(now[table] <= max(0, over[table]) for table in now)
            over = now


def surplus(game: Game) -> dict[int, int]:
    taken = Counter(Seat.objects.filter(session__event=game.cafe.event).values_list("table_id", flat=True))
    return {table.pk: taken[table.pk] - table.cap for table in Table.objects.filter(event=game.cafe.event)}


@quick
@given(moves=st.lists(st.integers(0, 30), max_size=60))
def test_between_any_two_places_there_is_always_one_more(moves: list[int]) -> None:
    places = [at_end(seq) for seq in (1, 2, 16, 32, 256, 4096)]
    for seq, move in enumerate(moves, 5_000):
        at = move % (len(places) + 1)
        before = places[at - 1] if at else ""
        behind = places[at] if at < len(places) else None
        found = between(before, behind)
        assert before < found
        assert behind is None or found < behind
        places.insert(at, found)
        places.append(at_end(seq))
        places.sort()
    assert len(set(places)) == len(places)


def test_a_fresh_page_and_a_client_from_the_beginning_read_the_same(running: Cafe) -> None:
    for text in ("Benches", "Trees"):
        running.writes(running.cem, text)
    cem = Participant.objects.select_related("event").get(pk=running.cem.pk)
    page = reading.page(cem, ["stage", "me", "room", f"board:{running.board().pk}"])
    game = Game(running, [], [])
    client = Client()
    client.catches_up(game)
    board = Stream.objects.get(kind="board", ref=running.board().pk)
    assert page.streams[f"board:{board.ref}"] == client.cursors[board.pk] == 2
    assert {part["id"]: part for part in page.parts[f"board:{board.ref}"]} == client.parts[board.pk]
    assert Name(board.kind, board.ref).on_wire() in page.streams
