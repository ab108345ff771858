"""The bench itself: that it counts what arrives, forgives nothing, and says plainly what was missed."""

from __future__ import annotations

import array
import json
import os
import random
import shutil
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any, cast
from uuid import UUID

import pytest

from sessions.clock import now_ms
from sessions.live.uuid7 import made_at
from tests.bench import web
from tests.bench.backlog import Backlog
from tests.bench.cafe import HELD_UP, Figures, Step, plan, rounds, verdict
from tests.bench.compare import Median, field, figures, ratio
from tests.bench.cores import CORES, GENERATOR_CORE, SERVER_CORE, on_core
from tests.bench.crowd import Crowd, Person
from tests.bench.document import row_of
from tests.bench.goals import GOALS, Goal
from tests.bench.loop import Line, Loop, Plan
from tests.bench.ours import notes
from tests.bench.search import TRIES, abreast, calmest, search
from tests.bench.tempo import Tempo, share_of_slow
from tests.machine import or_say
from zoomcafe.serving.frames import whole_texts

SOON_S = 5.0
GOOD: Figures = {
    "sent_per_s": 100.0,
    "deliveries_per_s": 600.0,
    "per_note": 6,
    "p99_ms": 20.0,
    "late_ms": 1.0,
    "cpu_generator": 0.1,
    "strangers": 0.0,
    "slowed": 0.0,
}


@pytest.fixture
def table() -> Iterator[tuple[Loop, list[socket.socket]]]:
    """Two people at table 0 and one at table 1, and the server's ends of their sockets."""
    or_say(shutil.which("cc") or shutil.which("gcc"), "A C compiler (apt install gcc)")
    pairs = [socket.socketpair() for _seat in range(3)]
    places = [(0, 0), (0, 1), (1, 0)]
    lines = [
        Line(ours.fileno(), *place, stream='"s":"board:1"')
        for (ours, _theirs), place in zip(pairs, places, strict=True)
    ]
    loop = Loop(lines, speaks=True)
    yield loop, [theirs for _ours, theirs in pairs]
    loop.close()
    for pair in pairs:
        for end in pair:
            end.close()


def one_note(loop: Loop) -> None:
    made = Plan(array.array("d", [0.0]), array.array("i", [0]), [web.text_frame({"t": "op"})], first_mark=5)
    loop.plan(made, per_note=2, start=time.monotonic())


def parts(text: str, *, start: int = 0, to: int = 1) -> bytes:
    told = f'{{"t":"parts","s":"board:1","from":{start},"to":{to},"head":{to},"parts":[{{"text":"{text}"}}]}}'
    return bytes([0x81, 126]) + len(told).to_bytes(2, "big") + told.encode()


def heard(loop: Loop, frames: int) -> Any:
    end = time.monotonic() + SOON_S
    while loop.counts.note_frames + loop.counts.other_frames < frames and time.monotonic() < end:
        loop.rest(0.01)
    return loop.counts


def test_a_note_counts_once_at_each_seat_of_its_table(table: tuple[Loop, list[socket.socket]]) -> None:
    loop, [ben, cem, dana] = table
    one_note(loop)
    ben.sendall(parts("Benches ~N00000005~"))
    cem.sendall(parts("Benches ~N00000005~") + parts("Benches ~N00000005~", start=1, to=2))
    dana.sendall(parts("Benches ~N00000005~"))
    counts = heard(loop, 4)
    assert (counts.delivered, counts.doubled, counts.stray, counts.gaps) == (2, 1, 1, 0)
    assert loop.reached[0] == 0b11
    assert counts.booked == 2
    assert min(loop.latency[:2]) > 0


def test_an_unknown_note_is_stray_and_a_frame_that_does_not_continue_is_a_gap(
    table: tuple[Loop, list[socket.socket]],
) -> None:
    loop, [ben, _cem, _dana] = table
    one_note(loop)
    ben.sendall(parts("Benches ~N00000006~") + parts("Benches", start=3, to=4))
    counts = heard(loop, 2)
    assert (counts.delivered, counts.stray, counts.gaps) == (0, 1, 1)


def test_the_loop_says_what_it_has_seen_as_a_page_does(table: tuple[Loop, list[socket.socket]]) -> None:
    loop, [ben, _cem, _dana] = table
    one_note(loop)
    ben.sendall(parts("nothing"))
    heard(loop, 1)
    assert ben.recv(1000).endswith(b'{"t":"seen","n":1}')
    ben.sendall(b"".join(parts("nothing", start=n, to=n + 1) for n in range(1, 129)))
    heard(loop, 129)
    assert 129 - int(ben.recv(1000).rpartition(b'"n":')[2][:-1]) < 256 / 2


def test_frames_of_a_stream_that_come_close_together_are_seen(table: tuple[Loop, list[socket.socket]]) -> None:
    loop, [ben, cem, _dana] = table
    one_note(loop)
    for one in (ben, cem):
        for n in range(4):
            one.sendall(parts("nothing", start=n, to=n + 1))
    assert heard(loop, 8).close == 0
    loop.rest(0.05)
    cem.sendall(parts("nothing", start=4, to=5))
    assert heard(loop, 9).close >= 0.05


def becomes(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.001)
    assert holds()


def test_who_waits_in_the_backlog_is_counted() -> None:
    with ExitStack() as stack:
        door = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        backlog = stack.enter_context(Backlog(door.getsockname()[1]))
        for _caller in range(3):
            stack.enter_context(socket.create_connection(door.getsockname()))
        becomes(lambda: backlog.most == 3 and backlog.waited > 0.1)
        for _caller in range(3):
            door.accept()[0].close()
        becomes(lambda: backlog.is_empty)
    found = backlog.found(3)
    assert (found["most"], found["turned_away"]) == (3, 0)
    assert found["longest_ms"] >= found["mean_ms"] > 33


def test_in_each_round_everybody_writes_once() -> None:
    order = list(rounds(6, 20, random.Random(1)))
    assert [sorted(order[at : at + 6]) for at in (0, 6, 12)] == [list(range(6))] * 3
    assert len(order) == 20


def test_notes_come_at_the_same_moments_with_the_same_seed() -> None:
    step = Step(200, seconds=2, warm=1)
    first, again = (plan(step, 6, lambda _sender, number: str(number).encode(), first_mark=0) for _time in range(2))
    assert first.due == again.due
    assert first.due[first.first_booked - 1] < 1 <= first.due[first.first_booked]
    assert 500 < len(first.due) < 700


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "pass"),
        ({"p99_ms": 101.0}, "p99 above 100 ms"),
        ({"p99_ms": None}, "p99 above 100 ms"),
        ({"lost": 2, "stray": 1}, "2 lost, 1 stray"),
        ({"unanswered": 1}, "1 unanswered"),
        ({"deliveries_per_s": 500.0}, "did not keep up"),
        ({"cpu_generator": 0.95}, "the generator was the limit"),
        ({"late_ms": 60.0, "p99_ms": 120.0}, HELD_UP),
    ],
)
def test_a_step_is_judged(found: Figures, said: str) -> None:
    assert verdict(GOOD | found) == said


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.bench.search.REST_S", 0)


class Machine:
    """Passes up to `able` notes a second; less while it is slowed down, to `slowed` of each step's time. It is what is
    measured, and the pulse of the core on which it is.
    """

    def __init__(self, able: float, most: float = float("inf"), slowed: Iterable[float] = ()) -> None:
        self.able, self.most_per_s = able, most
        self.coming = iter(slowed)
        self.now = 0.0
        self.tried: list[float] = []
        self.waits = self.left = 0

    def wait_for_calm(self) -> None:
        self.waits += 1
        self.now = next(self.coming, 0.0)

    def slowed(self, since: float, until: float) -> float:
        return self.now

    def leave(self) -> None:
        self.left += 1

    def take(self, step: Step) -> Figures:
        self.tried.append(step.rate)
        able = self.able / (1 + 0.6 * self.now)
        late = {} if step.rate <= able else {"p99_ms": 500.0}
        seen = 6 * min(step.rate, able)
        return GOOD | {"rate": step.rate, "sent_per_s": step.rate, "deliveries_per_s": seen} | late


def found_by(machine: Machine, first: float, **options: Any) -> Figures:
    [found] = abreast([(machine, search(machine, Step(first), machine, tells=lambda _step: None, **options))])
    return found


@pytest.mark.parametrize("first", [100.0, 1_000.0, 30_000.0])
def test_a_search_ends_close_below_what_is_possible(first: float) -> None:
    machine = Machine(able=1_000)
    found = found_by(machine, first, halvings=4)
    assert 970 < found["best"]["rate"] <= 1_000
    assert found["ended_by"] == "p99 above 100 ms"


def test_a_search_stops_where_people_may_not_write_faster() -> None:
    machine = Machine(able=5_000, most=2_910)
    found = found_by(machine, 1_000)
    assert (found["best"]["rate"], found["ended_by"]) == (2_910, "the limits for one person")
    assert max(machine.tried) == 2_910


def test_a_step_that_strangers_spoilt_is_taken_again_and_counts_once() -> None:
    machine = Machine(able=1_000, slowed=[0.5, 0.5, 0.0])
    found = found_by(machine, 1_000, halvings=0, most_steps=2)
    assert machine.tried == [1_000, 1_000, 1_000, 1_600]
    assert [step["slowed"] for step in found["steps"]] == [0.5, 0.5, 0.0, 0.0]
    assert found["best"]["rate"] == 1_000
    assert machine.waits == 4


def test_a_step_that_was_calm_or_hopeless_is_not_taken_again() -> None:
    calm, hopeless = Machine(able=1_000), Machine(able=1_000, slowed=[0.5])
    for machine in (calm, hopeless):
        found_by(machine, 2_000, halvings=0, most_steps=1)
        assert machine.tried == [2_000]


def test_a_machine_that_is_never_calm_is_measured_as_it_is() -> None:
    machine = Machine(able=1_000, slowed=[0.5] * 100)
    found = found_by(machine, 900, halvings=0, most_steps=1)
    assert machine.tried == [900] * TRIES
    assert found["ended_by"] == "no rate passed"
    assert calmest(machine, Step(500), machine)["slowed"] == 0.5


def test_targets_that_are_compared_take_their_steps_in_turn() -> None:
    one, other = Machine(able=1_000), Machine(able=3_000)
    order: list[str] = []
    searches = [
        (each, search(each, Step(900), each, halvings=0, tells=lambda _step, name=name: order.append(name)))
        for each, name in ((one, "one"), (other, "other"))
    ]
    found = abreast(searches)
    assert [each["best"]["rate"] for each in found] == [900, pytest.approx(2_304)]
    assert order == ["one", "other"] * 2 + ["other"] * 2
    assert one.left >= len(one.tried)


def test_of_a_rate_the_first_calm_step_is_told() -> None:
    machine = Machine(able=1_000, slowed=[0.3, 0.2, 0.05, 0.0])
    assert calmest(machine, Step(500), machine)["slowed"] == 0.05


def test_the_fastest_tenth_says_what_fast_is() -> None:
    samples = [(float(at), 1.0 if at % 5 == 0 else 1.1) for at in range(50)]
    assert share_of_slow(samples, 0, 50) == 0
    samples += [(float(at), 1.6) for at in range(50, 60)]
    assert share_of_slow(samples, 0, 60) == pytest.approx(10 / 60)
    assert share_of_slow(samples, 50, 60) == 1
    assert share_of_slow(samples, 70, 80) == 0


def test_the_metronome_beats_until_the_end() -> None:
    with Tempo() as tempo:
        becomes(lambda: len(tempo.samples()) >= 3)
        moments = [at for at, _took in tempo.samples()]
        assert moments == sorted(moments)
        assert all(0 < took < 1 for _at, took in tempo.samples())
        assert 0 <= tempo.slowed(moments[0], time.monotonic()) <= 1
        tempo.metronome.kill()
        tempo.metronome.wait()
        with pytest.raises(RuntimeError):
            tempo.wait_for_calm()


def test_notes_bear_the_moments_at_which_they_are_written() -> None:
    crowd = Crowd(cast("Any", None), {"question": 1, "tables": [(2, 3)]}, [Person(0, 0, 0)])
    began, frame = now_ms(), notes(crowd, Step(rate=50.0))
    texts = [text for number in range(100) for text, _end in whole_texts(frame(0, number))]
    moments = [made_at(UUID(json.loads(text)["id"])) for text in texts]
    assert moments == sorted(moments)
    assert began <= moments[0]
    assert moments[-1] - moments[0] == 1_980


def test_what_is_started_has_a_core_of_its_own() -> None:
    with on_core(GENERATOR_CORE), on_core(SERVER_CORE):
        assert os.sched_getaffinity(0) == ({SERVER_CORE} & CORES or CORES)
    assert os.sched_getaffinity(0) == CORES


def test_ratios_are_taken_within_each_run() -> None:
    ours = [{"run": 0, "x": 10.0}, {"run": 1, "x": 30.0}, {"run": 2, "x": 8.0}]
    theirs = [{"run": 1, "x": 10.0}, {"run": 0, "x": 5.0}]
    found = ratio(ours, theirs, field("x"))
    assert found == Median(2.5, 2.0, 3.0, 2)
    assert found.spread == pytest.approx(0.4)


def test_ratios_are_taken_within_each_command_where_both_were_in_one() -> None:
    ours = [{"series": "b", "run": 0, "x": 9.0}, {"series": "b", "run": 1, "x": 8.0}]
    theirs = [{"series": "b", "run": 0, "x": 3.0}, {"series": "b", "run": 1, "x": 2.0}]
    others = [{"series": "c", "run": run, "x": 1.0} for run in (0, 1, 2)]
    assert ratio(ours, [*theirs, *others], field("x")) == Median(3.5, 3.0, 4.0, 2)
    assert ratio(ours, others, field("x")) == Median(8.5, 8.0, 9.0, 2)


def test_the_figures_are_medians_of_what_was_measured() -> None:
    lines = [
        {"run": run, "what": "cafe", "target": "ours", "p99_ms": p99, "verdict": "pass", "pages": {}}
        for run, p99 in enumerate((3.0, 9.0, 4.0))
    ]
    lines += [{"run": 0, "what": "search", "target": "ours", "best": {"deliveries_per_s": 60.0}, "slowed": 0.1}]
    lines += [{"run": 0, "what": "search", "target": "theirs", "best": None}]
    assert figures(lines) == {
        "cafe": {"ours": {"p99_ms": 4.0}},
        "search": {"ours": {"deliveries_per_s": 60.0}, "theirs": {}},
    }


@pytest.mark.parametrize(
    ("least", "bound", "value", "said"),
    [
        (True, 1.5, 2.0, "met"),
        (True, 1.5, 1.0, "**missed** by a factor of 1.5"),
        (False, 10.0, 25.0, "**missed** by a factor of 2.5"),
        (False, 0.0, 3.0, "**missed** by 3"),
    ],
)
def test_a_goal_that_was_missed_is_said_plainly(least: bool, bound: float, value: float, said: str) -> None:
    goal = Goal("notes", bound, least, "ms", lambda _lines: None)
    assert row_of(goal, Median(value, value, value, 5))[-1] == said


def test_a_ratio_that_spreads_is_marked_and_what_was_not_measured_is_said() -> None:
    goal = Goal("notes", 1.0, True, "×", lambda _lines: None, is_ratio=True)
    assert row_of(goal, Median(2.0, 1.0, 3.0, 5))[2] == "2 ?"
    assert [row_of(each, each.found([]))[-1] for each in GOALS] == ["not measured"] * len(GOALS)
