"""The rules that stand in Python and in JavaScript, held to the same vectors; tests/js runs the other half."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from sessions.live.page.comeback import comeback
from sessions.live.page.core import Followed, begin, step
from sessions.live.page.queue import Queue
from sessions.live.page.store import Store
from sessions.live.uuid7 import uuid7
from sessions.phases import Facts, Phase, left_at, phase_at
from sessions.templatetags.live import as_of
from tests.network.tab import Entry, claims

VECTORS = Path(__file__).parent / "vectors"


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def facts_of(values: dict[str, Any]) -> Facts:
    return Facts(**{**values, "phase": Phase(values["phase"])})


@pytest.mark.parametrize("vector", vectors("phase.json"), ids=lambda vector: vector["says"])
def test_phase_and_time_left_are_those_of_the_vectors(vector: dict[str, Any]) -> None:
    facts = facts_of(vector["facts"])
    assert (phase_at(facts, vector["now"]), left_at(facts, vector["now"])) == (vector["phase"], vector["left"])


def test_the_stage_part_as_of_now_says_the_same_as_the_browser() -> None:
    for vector in vectors("phase.json"):
        part = as_of({"id": "now", **vector["facts"]}, vector["now"])
        assert (part["phase"], part["left"]) == (vector["phase"], vector["left"])


def test_every_phase_is_in_the_vectors() -> None:
    assert {vector["facts"]["phase"] for vector in vectors("phase.json")} == set(Phase)


def test_no_other_phase_moves_by_itself() -> None:
    running = Facts(Phase.RUNNING, session=2, ends_at=1, paused_left=None, sessions=2, by_hand=False)
    assert phase_at(running, 10**13) is Phase.GALLERY
    for phase in set(Phase) - {Phase.RUNNING}:
        assert phase_at(replace(running, phase=phase), 10**13) is phase


@pytest.mark.parametrize("vector", vectors("uuid7.json"), ids=lambda vector: vector["id"])
def test_an_id_is_made_of_its_time_and_its_random_bits(vector: dict[str, Any]) -> None:
    high = int.from_bytes(bytes.fromhex(vector["bytes"])[:2]) & 0xFFF
    low = int.from_bytes(bytes.fromhex(vector["bytes"])[2:]) & ((1 << 62) - 1)
    made = uuid7(vector["now"], high << 62 | low)
    assert (str(made), made.version, made.variant) == (vector["id"], 7, "specified in RFC 4122")


def test_ids_of_later_milliseconds_sort_later() -> None:
    made = [str(uuid7(1_630_000_000_000 + i)) for i in range(300)]
    assert sorted(made) == made


def said(vector: dict[str, Any]) -> str:
    return str(vector["says"])


def known(store: Store) -> dict[str, list[str]]:
    return {name: sorted(parts) for name, parts in store.streams.items()}


@pytest.mark.parametrize("vector", vectors("core.json")["steps"], ids=said)
def test_a_page_does_with_every_frame_what_the_vectors_say(vector: dict[str, Any]) -> None:
    start = vector["start"]
    state, store = begin(epoch=start.get("epoch"), streams=start["streams"]), Store(start.get("parts", {}))
    for expected in vector["steps"]:
        state, effects = step(state, expected["input"])
        for effect in effects:
            store.carry_out(effect)
        assert effects == expected["effects"]
        if "streams" in expected:
            assert state.streams == {name: Followed(**stream) for name, stream in expected["streams"].items()}
        if "parts" in expected:
            assert known(store) == expected["parts"]
        rest = asdict(state)
        assert {name: rest[name] for name in expected.get("state", {})} == expected.get("state", {})


@pytest.mark.parametrize("vector", vectors("core.json")["comeback"], ids=str)
def test_a_closed_socket_means_what_the_vectors_say(vector: dict[str, Any]) -> None:
    asked = {name: value for name, value in vector.items() if name not in {"code", "expect"}}
    assert comeback(vector["code"], **asked) == vector["expect"]


@pytest.mark.parametrize("vector", vectors("queue.json")["steps"], ids=said)
def test_operations_go_out_as_the_vectors_say(vector: dict[str, Any]) -> None:
    queue = Queue(vector.get("rate", 10))
    for op_id, more in vector["ops"].items():
        queue.add(operation(op_id, **more))
    for expected in vector["steps"]:
        assert done_to(queue, **expected) == expected.get("expect")


def operation(op_id: str, **more: Any) -> dict[str, Any]:
    return {"t": "op", "id": op_id, "s": "board:7", "k": "note.add", "d": {}, **more}


def done_to(queue: Queue, do: str, **given: Any) -> Any:
    """What one line of the vectors does to the queue: ids instead of operations."""
    match do:
        case "take":
            return [op["id"] for op in queue.take(given["now"], given.get("most", 8))]
        case "pending":
            return [op["id"] for op in queue.pending(given.get("s"))]
        case "settle":
            op = queue.settle(given["answer"], given["now"], given.get("random", 0))
            return op and op["id"]
        case "blame":
            return queue.blamed(given["code"])
        case "add":
            return queue.add(operation(given["id"]))
    return queue.lose()


@pytest.mark.parametrize("vector", vectors("claims.json")["claims"], ids=said)
def test_the_browsers_of_our_games_claim_operations_as_real_ones_do(vector: dict[str, Any]) -> None:
    entries = [Entry(op_id, owner, tab, {}) for op_id, owner, tab in vector["entries"]]
    claimed = claims(entries, owner="K/5", tab="a", has=vector["has"].__contains__, is_gone=vector["gone"].__contains__)
    assert [entry.id for entry in claimed] == vector["expect"]
