"""Any number of bad things in any order, to the real cores on both sides: the network is a list, the crash a step.

Frames are delayed, reordered between sockets, dropped with their socket, doubled by repetition; processes are killed,
hints dropped, pages reloaded and closed, an older backup restored. Nothing is lost, nothing is there twice, everybody
ends up with the same boards. `TEST_MORE=10` plays ten times as many games, with further seeds.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from django.db import DatabaseError, connection
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from sessions.live import wire
from sessions.live.page import core
from tests.cafe import Cafe
from tests.chaos.mutants import switched_off
from tests.network import tab
from tests.network.game import STEP, Step, do, play, shortest, thrown, town
from tests.network.house import House
from tests.network.tab import Tab
from tests.network.town import Places

MORE = max(1, int(os.environ.get("TEST_MORE", "1")))
SEEDS = MORE * (200 if connection.vendor == "sqlite" else 40)  # a game takes twice as long on PostgreSQL
STEPS, AT_ONCE = 200, 20
FAILURES = (AssertionError, LookupError, ValueError, DatabaseError)
NOTICED_WITHIN = 60  # seeds
SMALL_FRAME = wire.AROUND + 1_000  # bytes, so that a few parts are more than one frame
SMALL_WINDOW = 6  # frames


@pytest.fixture
def places(db: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Places:
    monkeypatch.setattr(wire, "FRAME_CUT", SMALL_FRAME)
    settings.LIMIT_WINDOW_FRAMES = SMALL_WINDOW
    return Places(Cafe(tables=2, seats=2).runs())


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_nothing_is_lost_doubled_or_hidden_whatever_the_dice_say(places: Places, first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        steps = thrown(seed, STEPS)
        try:
            play(places, steps)
        except FAILURES as broken:
            needed = shortest(steps, lambda fewer: fails(places, fewer))
            broken.add_note("\n".join([f"seed {seed}; these steps are enough:", *map(str, needed)]))
            raise


def fails(places: Places, steps: Sequence[Step]) -> bool:
    try:
        play(places, steps)
    except FAILURES:
        return True
    return False


def without_dedupe(_monkeypatch: pytest.MonkeyPatch) -> AbstractContextManager[None]:
    return switched_off("dedupe")


def without_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once an operation is sent nothing remembers it."""
    usual = Tab.turn

    def turn(tab: Tab, now: float) -> None:
        usual(tab, now)
        for op_id, item in list(tab.queue.items.items()):
            if item.sent is not None:
                del tab.queue.items[op_id], tab.browser.kept[op_id]

    monkeypatch.setattr(Tab, "turn", turn)


def without_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(House, "beat", lambda house, process: None)


def without_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page takes every event for the one it knows, and does not say which one it means."""

    def deaf(state: core.State, given: Mapping[str, Any]) -> core.Step:
        frame = given.get("frame", {})
        if frame.get("t") == "welcome":
            given = {**given, "frame": {**frame, "epoch": state.epoch}}
        after, effects = core.step(state, given)
        for effect in effects:
            if effect["do"] == "send":
                effect["frame"].pop("epoch", None)
        return after, effects

    monkeypatch.setattr(tab, "step", deaf)


@pytest.mark.parametrize("break_rule", [without_dedupe, without_outbox, without_beats, without_epochs])
def test_the_games_notice_when_a_rule_is_missing(
    places: Places, monkeypatch: pytest.MonkeyPatch, break_rule: Callable[[pytest.MonkeyPatch], Any]
) -> None:
    assert not fails(places, thrown(0, 50)), "with all rules it is well"

    with break_rule(monkeypatch) or nullcontext():
        assert any(fails(places, thrown(seed, STEPS)) for seed in range(NOTICED_WITHIN))


def test_of_a_game_that_failed_only_what_it_needs_is_told(places: Places) -> None:
    steps = thrown(7, STEPS)
    killed = [at for at, step in enumerate(steps) if step.what == "is killed"]

    needed = shortest(steps, lambda fewer: sum(step.what == "is killed" for step in fewer) >= len(killed))

    assert needed == [steps[at] for at in killed]


def test_nothing_is_lost_doubled_or_hidden_in_the_games_hypothesis_finds(places: Places) -> None:
    class Game(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.playing = town(places)
            self.town = self.playing.__enter__()

        @rule(step=STEP)
        def happens(self, step: Step) -> None:
            """One rule for all: of many, Hypothesis would leave out some in each game, and too little would happen."""
            do(self.town, step)

        def teardown(self) -> None:
            self.playing.__exit__(None, None, None)

    run_state_machine_as_test(
        Game,
        settings=settings(
            max_examples=30 * MORE,
            stateful_step_count=60,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
