"""How fast one may go (`sessions/live/pace.py`), as buckets of tokens that are counted would have it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from sessions.live import pace
from sessions.live.pace import Bucket, Pace

RATE, BURST = 10.0, 20.0
STEPS = st.lists(st.tuples(st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.9, 1.0, 3.0, 60.0]), st.sampled_from([1, 10])))


def going() -> Pace:
    return Pace(rate="LIMIT_OPS_PER_SECOND", burst="LIMIT_OPS_BURST")


class Counted:
    """A bucket whose tokens are counted."""

    def __init__(self) -> None:
        self.tokens, self.at = BURST, 0.0

    def at_hand(self, now: float) -> float:
        self.tokens, self.at = min(BURST, self.tokens + (now - self.at) * RATE), now
        return self.tokens


@pytest.fixture
def limited(settings: Settings) -> None:
    settings.LIMIT_OPS_PER_SECOND, settings.LIMIT_OPS_BURST = RATE, BURST


@pytest.mark.usefixtures("limited")
@given(steps=STEPS)
def test_whoever_asks_gets_what_a_bucket_of_tokens_would_give(steps: list[tuple[float, int]]) -> None:
    counted, asked, now = Counted(), going(), 0.0
    for after, times in steps:
        now += after
        for _time in range(times):
            at_hand = counted.at_hand(now) + 1e-6
            wait_ms = asked.wait_ms(1, now)
            if at_hand >= 1:
                counted.tokens -= 1
                assert wait_ms == 0
            else:
                assert wait_ms == pytest.approx((1 - at_hand) / RATE * 1000, abs=1)


@given(steps=STEPS)
def test_a_bucket_is_in_debt_for_what_was_taken_beyond_its_tokens(steps: list[tuple[float, int]]) -> None:
    counted, bucket, now = Counted(), Bucket(RATE, BURST), 0.0
    bucket.full_at = now
    for after, cost in steps:
        now += after
        counted.tokens = counted.at_hand(now) - cost
        assert bucket.take(cost, now) == (counted.tokens >= -1e-6)


@pytest.mark.usefixtures("limited")
def test_the_burst_is_there_to_the_last_token() -> None:
    asked = going()
    assert [asked.wait_ms(1, 76_543.21) for _time in range(22)] == [0] * 20 + [100, 100]
    assert [asked.wait_ms(1, 76_543.31) for _time in range(2)] == [0, 100]
    assert asked.wait_ms(2, 76_543.31) == 0


@pytest.mark.usefixtures("limited")
def test_who_has_a_full_bucket_is_forgotten_first_and_then_who_took_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "MOST_REMEMBERED", 4)
    asked = going()
    for who, now in ((1, 0.0), (2, 0.0), (3, 5.0), (4, 5.0), (3, 5.0), (5, 5.0)):
        assert asked.wait_ms(who, now) == 0
    assert asked.full_at.keys() == {3, 5}
    for who in (6, 7, 8):
        assert asked.wait_ms(who, 5.0) == 0
    assert len(asked.full_at) == 2
    assert 3 in asked.full_at
