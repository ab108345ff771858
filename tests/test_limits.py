import pytest

from sessions.limits import Limiter, TooMany, network


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_only_so_many_failures_are_allowed_in_a_time(clock: Clock) -> None:
    limiter = Limiter(3, 60, clock=clock)
    waits = []
    for _ in range(4):
        waits.append(limiter.blocked("eve"))
        limiter.fail("eve")
    assert waits == [0, 0, 0, 60]
    assert limiter.blocked("cem") == 0


def test_waiting_ends_when_the_first_failure_is_old_enough(clock: Clock) -> None:
    limiter = Limiter(2, 60, clock=clock)
    limiter.fail("eve")
    clock.now += 20
    limiter.fail("eve")
    assert limiter.blocked("eve") == 40
    clock.now += 40
    assert limiter.blocked("eve") == 0
    limiter.fail("eve")
    assert limiter.blocked("eve") == 20


def test_asking_costs_nothing(clock: Clock) -> None:
    limiter = Limiter(1, 60, clock=clock)
    assert [limiter.blocked("cem") for _ in range(150)] == [0] * 150


def test_memory_is_bounded_and_the_oldest_are_forgotten_first(clock: Clock) -> None:
    limiter = Limiter(1, 60, most=3, clock=clock)
    for name in ("a", "b", "c", "a", "d"):
        limiter.fail(name)
    assert [bool(limiter.blocked(name)) for name in "abcd"] == [True, False, True, True]


def test_check_raises_what_becomes_a_429(clock: Clock) -> None:
    limiter = Limiter(1, 60, clock=clock)
    limiter.check("eve")
    limiter.fail("eve")
    with pytest.raises(TooMany) as caught:
        limiter.check("eve")
    assert caught.value.seconds == 60


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", "unknown"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_who_counts_as_one(address: str, expected: str) -> None:
    assert network(address) == expected
