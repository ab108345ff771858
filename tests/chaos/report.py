"""What a run comes to: a last line for people and scripts, and a page for those who want to know more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tests.chaos.campaign import Outcome
from tests.chaos.convergence import percentiles

MOST_SENTENCES = 5


def findings(outcome: Outcome) -> Iterator[str]:
    """Every zero that is none, with its first sentences."""
    for zero, sentences in outcome.zeros.items():
        if sentences:
            yield f"NOT ZERO, {zero}: {len(sentences)}"
            yield from (f"  {sentence}" for sentence in sentences[:MOST_SENTENCES])


def by_fault(outcome: Outcome) -> Iterator[str]:
    """One line for each kind of fault: how often, and seconds until everybody had everything."""
    for kind, count in sorted(outcome.faults.items()):
        yield f"{kind}: {count}, {times(outcome.since_healed.get(kind, ()))}"


def times(samples: Sequence[float]) -> str:
    if not samples:
        return "nothing measured"
    p50, p95, p99, most = percentiles(samples)
    return f"p50 {p50:.1f} s, p95 {p95:.1f} s, p99 {p99:.1f} s, max {most:.1f} s"


def figures(outcome: Outcome) -> str:
    """The last line."""
    plan = outcome.plan
    zeros = sum(1 for sentences in outcome.zeros.values() if not sentences)
    return (
        f"chaos {plan.profile}, seed {plan.seed}, {plan.seconds / 60:g} min: {len(outcome.deeds)} operations,"
        f" {outcome.acknowledged} acknowledged, {sum(outcome.faults.values())} faults of {len(outcome.faults)} kinds,"
        f" {zeros} of {len(outcome.zeros)} zeros, lost {len(outcome.zeros.get('lost', ()))}"
        f" ({bound(outcome.acknowledged)}), converged {times(together(outcome.since_healed))}"
    )


def bound(acknowledged: int) -> str:
    """With nothing lost of n, fewer than 3/n are lost with 95 % confidence."""
    return f"below {300 / acknowledged:.2f} % with 95 % confidence" if acknowledged else "nothing acknowledged"


def together(by_kind: Mapping[str, Sequence[float]]) -> list[float]:
    return [sample for samples in by_kind.values() for sample in samples]
