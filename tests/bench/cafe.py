"""The workload café: notes at tables of six, open loop. One step is one rate for some seconds.

The notes of all tables together are a Poisson stream; who writes goes in shuffled rounds, so that nobody is above the
limits for one person before everybody is. Latency is from the moment a note was meant to be sent to its arrival at a
seat, the author's too, so a server that holds the sender up is not forgiven for it. Every note must reach every seat
of its table once, and no other seat.
"""

from __future__ import annotations

import array
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.cost import used
from tests.bench.loop import Loop, Plan

TEXT = "Who looks after it when we have gone home? Let us name two people per street – now ~N{:08d}~ and not later."
GENERATOR_WAS = "the generator was the limit"
HELD_UP = "the generator was held up"  # by others on this machine
SOON = 0.05
DRAIN_S = 4.0
LATE_TWINS_S = 0.05  # in which a doubled note would still come
LIMIT_MS = 100.0
KEEPS_UP = 0.95  # of what is sent must arrive within the measured time
GENERATOR_LIMIT = 0.9  # of its core: above, it measures itself
LATE_LIMIT_MS = 50.0  # by which the generator may send too late: half of what may pass
Figures = dict[str, Any]
Frames = Callable[[int, int], bytes]  # (position of the sender, number of the note) to its frame


@dataclass(frozen=True, slots=True)
class Step:
    """`rate` notes a second from everybody together; seconds."""

    rate: float
    seconds: float = 3.0
    warm: float = 0.7
    seed: int = 1


def plan(step: Step, people: int, frame: Frames, *, first_mark: int) -> Plan:
    """When who sends what."""
    dice = random.Random(f"{step.seed}/{step.rate}")
    due, moment = array.array("d"), 0.0
    while (moment := moment + dice.expovariate(step.rate)) < step.warm + step.seconds:
        due.append(moment)
    senders = rounds(people, len(due), dice)
    frames = [frame(sender, number) for number, sender in enumerate(senders)]
    warm = sum(1 for moment in due if moment < step.warm)
    return Plan(due, senders, frames, first_mark, warm)


def rounds(people: int, count: int, dice: random.Random) -> array.array[int]:
    """In each round everybody once, in an order of its own."""
    order, found = list(range(people)), array.array("i")
    while len(found) < count:
        dice.shuffle(order)
        found.extend(order[: count - len(found)])
    return found


def drive(loop: Loop, made: Plan, step: Step, *, per_note: int, pids: Sequence[int], answers: bool = False) -> Figures:
    """Sends by plan, waits for what is on its way, and tells what arrived. `answers`: each note gets one of its own."""
    start = time.monotonic() + SOON
    loop.plan(made, per_note=per_note, start=start)
    loop.until(start + step.warm)
    before, cpu = loop.counts, used(pids)
    loop.until(start + step.warm + step.seconds)
    after, now = loop.counts, used(pids)
    loop.until(time.monotonic() + DRAIN_S, deliveries=len(made.due) * per_note)
    if answers:
        loop.until(time.monotonic() + DRAIN_S, answers=len(made.due))
    drained = time.monotonic() - now.at
    loop.rest(LATE_TWINS_S)
    span, delivered = now.at - cpu.at, after.delivered - before.delivered
    return {
        "rate": round(step.rate, 1),
        "notes": len(made.due),
        "per_note": per_note,
        "sent_per_s": round((after.sent - before.sent) / span, 1),
        "deliveries_per_s": round(delivered / span, 1),
        **arrived(loop, made, per_note),
        **(answered(loop, made) if answers else {}),
        **now.since(cpu),
        "us_per_delivery": round(1e6 * (now.servers - cpu.servers) / max(1, delivered), 1),
        "drained_s": round(drained, 2),
    }


def arrived(loop: Loop, made: Plan, per_note: int) -> Figures:
    """What came of all notes of the plan, and how."""
    end = loop.counts
    reached = [bits.bit_count() for bits in loop.reached[: len(made.due)]]
    return {
        **quantiles("", loop.latency[: end.booked]),
        "lost": sum(per_note - count for count in reached),
        "doubled": end.doubled,
        "stray": end.stray,
        "gaps": end.gaps,
        "hung_up": end.ended,
        **({"close_code": end.close_code} if end.ended else {}),
        "notes_per_frame": round(end.delivered / max(1, end.note_frames), 2),
        "bytes_per_note": round(end.note_bytes / max(1, end.delivered)),
        "other_frames": end.other_frames,
        "late_ms": round(1000 * end.late, 1),
    }


def answered(loop: Loop, made: Plan) -> Figures:
    """What the authors were told."""
    end = loop.counts
    after = [each for each in loop.acked[made.first_booked : len(made.due)] if each >= 0]
    return {
        **quantiles("ack_", after),
        "refused": end.refusals,
        "unanswered": len(made.due) - end.acks - end.refusals,
        **({"refusal": loop.refusal} if end.refusals else {}),
    }


def quantiles(name: str, seconds: Sequence[float]) -> Figures:
    """In ms; nothing of nothing."""
    ordered = sorted(seconds)
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {f"{name}{which}_ms": at(ordered, share) for which, share in shares.items()}


def at(ordered: Sequence[float], share: float) -> float | None:
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) if ordered else None


def faults(found: Figures) -> list[str]:
    """What must be nothing, and is not."""
    zero = ("lost", "doubled", "stray", "gaps", "refused", "unanswered", "hung_up")
    return [f"{found[name]} {name.replace('_', ' ')}" for name in zero if found.get(name)]


def verdict(found: Figures) -> str:
    """`pass`, or in a few words why not. A step that the generator held up is no figure about the server."""
    if found["cpu_generator"] > GENERATOR_LIMIT:
        return GENERATOR_WAS
    if found["late_ms"] > LATE_LIMIT_MS:
        return HELD_UP
    if broken := faults(found):
        return ", ".join(broken)
    if found["p99_ms"] is None or found["p99_ms"] > LIMIT_MS:
        return f"p99 above {LIMIT_MS:.0f} ms"
    if found["deliveries_per_s"] < KEEPS_UP * found["sent_per_s"] * found["per_note"]:
        return "did not keep up"
    return "pass"
