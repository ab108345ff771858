"""The way of notes through the server without sockets and threads: read, judged, committed, read back, made frames."""

from __future__ import annotations

import json

from sessions.live import desk, streams, wire
from sessions.live.ops import Name
from sessions.live.wire import Encoded
from sessions.models import Participant
from tests.cafe import Cafe, new_id

Said = tuple[Participant, str]


def said(cafe: Cafe, count: int) -> list[Said]:
    """So many notes as their authors' pages send them: Cem and Ben at table 1, Dana at table 2, in turn."""
    boards = [f"board:{cafe.board(number).pk}" for number in (1, 2)]
    seats = [(cafe.cem, boards[0]), (cafe.ben, boards[0]), (cafe.dana, boards[1])]
    question = cafe.question().pk
    found = []
    for number in range(count):
        who, board = seats[number % len(seats)]
        data = {"q": question, "text": f"What helps is shade, number {number:04d}", "colour": "mint"}
        op = {"t": "op", "id": str(new_id()), "s": board, "k": "note.add", "d": data}
        found.append((who, json.dumps(op)))
    return found


def heads(cafe: Cafe) -> dict[int, int]:
    return dict(cafe.event.streams.filter(kind="board").values_list("pk", "head"))


def go(messages: list[Said], cursors: dict[int, int]) -> list[str]:
    """One batch; the frames that guests get."""
    ops = []
    for who, raw in messages:
        frame = wire.parse(raw)
        ops.append(desk.make_op(who, frame, wire.stream_name(frame["s"])))
    answers = streams.attempt(ops)
    assert not [answer.code for answer in answers if answer.code]
    frames = []
    for pk, (stream, parts) in streams.since(list(cursors.items())).items():
        encoded = [Encoded.of(part) for part in parts]
        name = Name(stream.kind, stream.ref)
        frames += wire.parts_frames(name, cursors[pk], stream.head, encoded, audience="guests")
    return [text for _to, text in frames]
