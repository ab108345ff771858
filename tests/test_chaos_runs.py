"""The seeds that found something, run again, and one run without a rule: real servers, real wires, real trouble."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.campaign import Campaign, Outcome, Plan
from tests.chaos.found import FOUND, Found
from tests.chaos.hunting import run
from tests.chaos.postgres import MissingError, programs
from tests.chaos.site import PROFILES, redis_program, scratch
from tests.machine import or_say

SECONDS = 20.0
CLIENTS = 8


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


def runs(found: Found, folder: Path) -> Outcome:
    plan = Plan(found.profile, found.seed, found.seconds, folder, clients=CLIENTS, browsers=found.browsers)
    return asyncio.run(Campaign(plan).run())


def has_what_it_needs(found: Found) -> None:
    for program in (programs, redis_program) if found.profile == "scale" else ():
        try:
            program()
        except MissingError as what:
            or_say(None, str(what))


@pytest.mark.parametrize("name", FOUND)
def test_a_seed_that_found_something_finds_nothing_any_more(name: str, folder: Path, chromium: str) -> None:
    has_what_it_needs(FOUND[name])
    outcome = runs(FOUND[name], folder)

    assert {zero: sentences for zero, sentences in outcome.zeros.items() if sentences} == {}
    assert outcome.acknowledged > CLIENTS
    assert sum(outcome.faults.values()) > 1
    assert outcome.since_healed.keys() == outcome.faults.keys()


def test_every_profile_has_such_a_seed() -> None:
    assert {found.profile for found in FOUND.values()} == set(PROFILES)


def test_the_harness_notices_that_a_server_forgets_what_it_has_done() -> None:
    outcome = run("dedupe", 5, SECONDS, tells=lambda _sentence: None)

    assert outcome.zeros["doubled"]
