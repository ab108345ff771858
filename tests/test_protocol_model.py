"""The live protocol in small, in every order in which its steps can happen (tests/model). No server, no clock.

`python3 manage.py tool python -m tests.model` tells for each rule how a promise breaks without it. With `TEST_MORE=1`
larger plans are explored too.
"""

import os
from dataclasses import fields

import pytest

from tests.model.explore import ends, explore
from tests.model.plans import EVERYDAY, LARGER, MISSED, without
from tests.model.steps import steps
from tests.model.world import FAULTS, Plan, Rules, beginning

PLANS = EVERYDAY | (LARGER if os.environ.get("TEST_MORE") else {})


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_whatever_happens_in_whatever_order_every_promise_is_kept(plan: Plan) -> None:
    visit = explore(plan)

    assert visit.broken is None, visit.told()
    assert len(visit.ways) > 1_000, "so few worlds show nothing"


def test_everything_that_can_go_wrong_goes_wrong() -> None:
    assert {name for plan in EVERYDAY.values() for name, count in plan.faults.items() if count} == set(FAULTS)


@pytest.mark.parametrize("rule", MISSED)
def test_without_a_rule_a_promise_breaks(rule: str) -> None:
    plan, sentence = MISSED[rule]

    visit = explore(without(rule, plan))

    assert visit.broken == sentence
    assert follows(without(rule, plan), visit.trace)
    assert explore(plan).broken is None, "with the rule the same plan is safe"


def follows(plan: Plan, trace: list[str]) -> bool:
    """Whether what is told as the way to the end can really happen, step by step."""
    worlds = {beginning(plan)}
    for says in trace:
        worlds = {step.world for world in worlds for step in steps(plan, world) if step.says == says}
    return bool(worlds)


def test_no_rule_is_left_out() -> None:
    assert set(MISSED) == {rule.name for rule in fields(Rules)}


def test_the_shortest_way_is_told() -> None:
    plan, _sentence = MISSED["dedupe"]

    assert explore(without("dedupe", plan)).told().splitlines() == [
        "something is stored twice",
        "   1  Ben sends op 0",
        "   2  process 0 hears Ben: op 0",
        "   3  cut: Ben's socket",
        "   4  Ben connects to process 0",
        "   5  process 0 hears Ben: hello in epoch 0 at (0,)",
        "   6  Ben hears welcome to epoch 0",
        "   7  Ben sends op 0",
        "   8  process 0 hears Ben: op 0",
        "   9  process 0 begins a transaction",
        "  10  process 0 commits",
    ]


def test_going_in_a_circle_is_noticed() -> None:
    assert ends([[1, 2], [2], []])
    assert not ends([[1], [2], [1, 3], []])
