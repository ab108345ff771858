"""The product as a target: rooms full of people who came in by the join page, and the notes they write."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.bench import web
from tests.bench.cafe import TEXT, Figures, Frames, Step, drive, plan
from tests.bench.crowd import Crowd, numbered, seated
from tests.bench.loop import Loop
from tests.bench.site import Site, site

COLOURS = ("butter", "peach", "mint", "sky", "oat")
PACE, PER_PERSON, PER_BOARD = 10, 200, 1_000  # limits of the product
FILLED = 0.97  # of a limit: then everybody moves to a new event
SETTLE_S = 1.0


@dataclass
class Ours:
    """People move to a new event before notes come near the limits for one person or one board."""

    site: Site
    tables: int
    seats: int
    crowd: Crowd | None = None
    loop: Loop | None = None

    @property
    def most_per_s(self) -> float:
        """Notes a second that the pace for one person allows, all together."""
        return self.site.raised.get("LIMIT_OPS_PER_SECOND", PACE) * self.tables * self.seats * FILLED

    def take(self, step: Step) -> Figures:
        coming = round(step.rate * (step.warm + step.seconds))
        if self.crowd is None or not self.holds(self.crowd.spent + coming):
            self.move()
        crowd, loop = self.crowd, self.loop
        assert crowd is not None
        assert loop is not None
        made = plan(step, len(crowd.people), notes(crowd, step), first_mark=crowd.spent)
        found = drive(loop, made, step, per_note=self.seats, pids=self.site.pids, answers=True)
        crowd.spent += found["notes"]
        if found["lost"] or found["hung_up"] or found["unanswered"]:
            self.close()  # what comes late must not be taken for the next step's
        return found

    def holds(self, notes: int) -> bool:
        each = min(PER_PERSON, PER_BOARD / self.seats) * FILLED
        return notes <= self.tables * self.seats * each

    def move(self) -> None:
        self.close()
        self.crowd = seated(self.site, tables=self.tables, seats=self.seats)
        self.loop = self.crowd.loop()
        self.loop.rest(SETTLE_S)

    def leave(self) -> None:
        self.close()

    def close(self) -> None:
        if self.loop is not None:
            self.loop.close()
        if self.crowd is not None:
            self.crowd.leave()
        self.crowd = self.loop = None


@dataclass(frozen=True)
class Product:
    """How the product is run. `raised` are limits other than its own; `plain` is by Daphne's own command line."""

    profile: str = "sqlite"
    workers: int = 1
    raised: dict[str, int] = field(default_factory=dict)
    first_rate: float = 6_000.0
    plain: bool = False

    @property
    def name(self) -> str:
        plain = ", plain Daphne" if self.plain else ""
        workers = f", {self.workers} workers" if self.workers > 1 else ""
        raised = "".join(f", {name}={value}" for name, value in sorted(self.raised.items()))
        return f"zoomcafe {self.profile}{plain}{workers}{raised}"

    @contextlib.contextmanager
    def runs(self, *, tables: int, seats: int) -> Iterator[Ours]:
        with site(self.profile, workers=self.workers, raised=self.raised, plain=self.plain) as place:
            target = Ours(place, tables, seats)
            try:
                yield target
            finally:
                target.close()


def notes(crowd: Crowd, step: Step) -> Frames:
    """The operations that add notes to the writers' boards, as frames; their ids bear the time, as a browser's do."""
    dice, now = random.Random(f"{step.seed}/{crowd.spent}"), int(time.time() * 1000)
    boards = [crowd.board(person) for person in crowd.people]
    question = crowd.event["question"]

    def frame(sender: int, number: int) -> bytes:
        text = TEXT.format(crowd.spent + number)
        data = {"q": question, "text": text, "colour": COLOURS[number % len(COLOURS)]}
        op_id = numbered(number, at_ms=now + int(1000 * number / step.rate), dice=dice)
        return web.text_frame({"t": "op", "id": op_id, "s": boards[sender], "k": "note.add", "d": data})

    return frame
