"""What goes wrong follows from the seed, what was said is told as it was, and the page says what the figures say."""

import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.chaos import __main__ as command
from tests.chaos import reliability
from tests.chaos.breaking import Breaker
from tests.chaos.campaign import Outcome, Plan
from tests.chaos.checker import ZEROS
from tests.chaos.convergence import percentiles
from tests.chaos.drills import how_it_came
from tests.chaos.evidence import Deed
from tests.chaos.history import History
from tests.chaos.hunting import Hunt
from tests.chaos.keeping import keep
from tests.chaos.mutants import MUTANTS
from tests.chaos.nemesis import kinds, schedule
from tests.chaos.report import bound, figures
from tests.chaos.site import PROFILES, Site

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.mark.parametrize("profile", PROFILES)
def test_the_same_seed_breaks_the_same_things(profile: str) -> None:
    plans = [schedule(seed, profile, 120.0, browsers=2) for seed in (1, 1, 2)]

    assert plans[0] == plans[1]
    assert plans[0] != plans[2]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("seed", range(1, 6))
def test_in_ten_minutes_everything_breaks_that_can(profile: str, seed: int) -> None:
    plan = schedule(seed, profile, 600.0, browsers=2)

    assert {fault.kind for fault in plan} == kinds(profile, browsers=2).keys()
    assert all(fault.at > 0 and fault.at + fault.lasts <= 600 for fault in plan)
    assert [fault.at for fault in plan] == sorted(fault.at for fault in plan)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_fault_of_a_plan_can_be_carried_out(profile: str, tmp_path: Path) -> None:
    breaker = Breaker(Site(profile, tmp_path), [], healed=lambda _fault: None, tells=lambda _sentence: None)

    assert kinds(profile, browsers=1).keys() <= breaker.acts.keys()


def test_a_history_tells_what_became_of_every_operation(tmp_path: Path) -> None:
    history = History()
    history.people["cem"] = 3
    op = {"t": "op", "id": "a", "s": "board:1", "k": "note.add", "d": {"text": "Benches"}, "base": 7}
    history.note("cem", 1, 0, "wants", op)
    for conn in (1, 2):
        history.note("cem", 1, conn, "sends", op)
    history.note("cem", 1, 2, "err", {"t": "err", "id": "a", "code": "busy", "retry": True})
    history.note("cem", 2, 1, "ack", {"t": "ack", "id": "a", "seq": 4})
    history.note("cem", 2, 1, "ack", {"t": "ack", "id": "of somebody else", "seq": 5})
    history.write(tmp_path / "history.jsonl")

    assert history.deeds() == {
        "a": Deed("a", "cem", 3, "board:1", "note.add", {"text": "Benches"}, 7, 2, [4], [], ["busy"])
    }
    assert history.resent() == 1
    assert len((tmp_path / "history.jsonl").read_text().splitlines()) == 6


ACK, BEAT = {"t": "ack", "id": "a", "seq": 1}, {"t": "beat"}
PARTS = {"t": "parts", "parts": [{"id": "note:a"}]}


@pytest.mark.parametrize(
    ("frames", "came"),
    [
        ([ACK, PARTS], False),
        ([PARTS, ACK], False),
        ([BEAT, ACK, PARTS, BEAT], False),
        ([ACK, BEAT, PARTS], True),
        ([ACK, BEAT], None),
        ([PARTS], None),
    ],
)
def test_a_note_that_waited_for_the_heartbeat_is_told_from_one_that_did_not(
    frames: list[dict[str, object]], came: bool | None
) -> None:
    assert how_it_came(frames, "a") is came


def outcome(profile: str = "sqlite", seed: int = 1, *, lost: int = 0) -> Outcome:
    deeds = {str(i): Deed(str(i), "cem", 3, "board:1", "note.add", {}, seqs=[i + 1]) for i in range(300)}
    times = {"cut": [0.04, 0.26, 0.31, 12.4]}
    zeros = {name: [] for name in ZEROS} | {"lost": ["a note"] * lost}
    return Outcome(
        Plan(profile, seed, 120.0, Path()),
        zeros=zeros,
        deeds=deeds,
        faults=Counter({"cut": 2}),
        since_healed=times,
        since_back=times,
    )


def test_good_is_a_run_in_which_something_happened_and_nothing_was_found() -> None:
    assert outcome().is_good
    assert not outcome(lost=1).is_good
    assert not Outcome(outcome().plan).is_good  # broke off before the verdict
    assert not Outcome(outcome().plan, zeros={name: [] for name in ZEROS}).is_good


def test_what_was_not_good_leaves_histories_and_logs_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))
    run = tmp_path / "run"
    (run / "machine0").mkdir(parents=True)
    (run / "history.jsonl").write_text("{}\n", encoding="utf-8")
    (run / "machine0" / "server.log").write_text("listens\n", encoding="utf-8")
    for findings in (["an older finding"], ["lost: 1", "a note"]):
        place = keep(run, "sqlite-5", findings)

    kept = {file.name: file.read_text(encoding="utf-8") for file in place.iterdir()}
    assert place == tmp_path / "var" / "chaos" / "sqlite-5"
    assert kept == {
        "history.jsonl": "{}\n",
        "machine0-server.log": "listens\n",
        "findings.txt": "lost: 1\na note\n",
    }


PRETENDS = """#!/bin/sh
echo "$@" >>"$(dirname "$0")/asked"
case "$*" in *"--seed 2"*|*"seat"*) exit 1;; esac
"""


@pytest.mark.parametrize(
    ("asked", "each", "closing"),
    [
        (
            ["--profile", "all", "--seed", "1", "2"],
            [f"--profile {profile} --seed {seed}" for seed in (1, 2) for profile in PROFILES],
            "2 of 4 as they should be",
        ),
        (["--mutant", "all"], [f"--mutant {name}" for name in MUTANTS], "9 of 10 as they should be"),
    ],
    ids=["runs", "mutants"],
)
def test_of_many_each_has_a_process_of_its_own(
    asked: list[str],
    each: list[str],
    closing: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pretends = tmp_path / "python"
    pretends.write_text(PRETENDS, encoding="utf-8")
    pretends.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(pretends))
    monkeypatch.setattr(sys, "argv", ["chaos", *asked])

    assert command.main() == 1
    lines = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert [line.endswith(end) for line, end in zip(lines, each, strict=True)] == [True] * len(each)
    assert capsys.readouterr().out.strip() == closing


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentiles([3.0, 1.0, 2.0]) == (2.0, 3.0, 3.0, 3.0)
    assert percentiles([0.0] * 99 + [5.0]) == (0.0, 0.0, 5.0, 5.0)


def test_times_are_kept_as_rounded_counts() -> None:
    counts = reliability.kept([0.04, 0.26, 0.31, 12.4])

    assert counts == {"0.0": 1, "0.3": 2, "12": 1}
    assert reliability.unfolded(counts) == [0.0, 0.3, 0.3, 12.0]


def test_nothing_lost_of_many_is_still_a_bound() -> None:
    assert bound(300) == "below 1.00 % with 95 % confidence"
    assert "nothing" in bound(0)


def test_the_last_line_has_the_figures() -> None:
    line = figures(outcome())

    assert "\n" not in line
    assert all(word in line for word in ("sqlite", "seed 1", "300 acknowledged", "lost 0", "p99 12.4 s"))


def test_a_page_grows_with_every_run_and_hunt(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    for run in (outcome(), outcome(seed=2), outcome(seed=2, lost=1), outcome("scale")):
        reliability.add_run(page, run)
    reliability.add_hunt(page, Hunt("seat", is_caught=True, after=99.6, runs=1, by=("seats",)))
    text = page.read_text(encoding="utf-8")

    assert [line.split(" | ")[:3] for line in text.splitlines() if line.startswith(("| sqlite", "| scale"))] == [
        ["| scale", "1", "2"],
        ["| sqlite", "1", "2"],
        ["| sqlite", "2", "2"],
    ]
    assert "1 of 900 acknowledged operations were lost." in text
    assert f"1 of {len(MUTANTS)} were caught" in text
    assert "| seat | A seat is given on the condition that it is free. | yes | 100 | 1 | seats |" in text


def test_runs_that_end_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    with ThreadPoolExecutor(4) as others:
        list(others.map(lambda seed: reliability.add_run(page, outcome(seed=seed)), range(8)))

    kept = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert {run["seed"] for run in kept["runs"].values()} == set(range(8))
    assert page.read_text(encoding="utf-8") == reliability.written(kept)


def test_the_page_we_publish_says_what_its_figures_say() -> None:
    kept = json.loads((DOCS / "reliability.json").read_text(encoding="utf-8"))

    assert (DOCS / "reliability.md").read_text(encoding="utf-8") == reliability.written(kept)
