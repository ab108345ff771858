"""A short run of the harness in each profile, and one without a rule: real servers, real wires, real trouble."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.campaign import Campaign, Outcome, Plan
from tests.chaos.hunting import run
from tests.chaos.postgres import MissingError, programs
from tests.chaos.site import redis_program, scratch
from tests.machine import or_say

SECONDS = 25.0
CLIENTS = 8


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


def runs(profile: str, folder: Path, *, browsers: int = 0) -> Outcome:
    plan = Plan(profile, 5, SECONDS, folder, clients=CLIENTS, browsers=browsers)
    return asyncio.run(Campaign(plan).run())


def assert_good(outcome: Outcome) -> None:
    assert {name: found for name, found in outcome.zeros.items() if found} == {}
    assert outcome.acknowledged > CLIENTS
    assert sum(outcome.faults.values()) > 1
    assert outcome.since_healed.keys() == outcome.faults.keys()


def test_one_server_keeps_its_word_through_a_short_storm(folder: Path, chromium: str) -> None:
    assert_good(runs("sqlite", folder, browsers=1))


def test_two_servers_keep_their_word_through_a_short_storm(folder: Path) -> None:
    for program in (programs, redis_program):
        try:
            program()
        except MissingError as what:
            or_say(None, str(what))

    assert_good(runs("scale", folder))


def test_the_harness_notices_that_a_server_forgets_what_it_has_done() -> None:
    outcome = run("dedupe", 5, SECONDS, tells=lambda _sentence: None)

    assert outcome.zeros["doubled"]
