"""How fast one participant may go: so many operations, so many questions for news a second, with a little in hand.

A bucket of tokens, kept as the moment at which it is full again: what was taken since puts that off (the generic cell
rate algorithm of ITU-T I.371).
"""

import time

from sessions.live.limits import limits

MOST_REMEMBERED = 10_000
A_HAIR = 1e-6  # of a token, which adding up tenths of seconds may cost


class Pace:
    """A bucket for each participant of this process, or for the hash of what else tells people apart; forgets those
    whose bucket is full, and if need be those who have taken least of late.

    `rate` and `burst` name the settings.
    """

    def __init__(self, *, rate: str, burst: str) -> None:
        self.rate, self.burst = rate, burst
        self.full_at: dict[int, float] = {}

    def wait_ms(self, who: int, now: float | None = None) -> int:
        """0 and one token less, or after how many ms there is one. `now` in seconds, any clock that only goes on."""
        moment = time.monotonic() if now is None else now
        rate: float = getattr(limits, self.rate)
        burst: float = getattr(limits, self.burst)
        full_at = max(self.full_at.get(who, moment), moment)
        missing = (full_at - moment) * rate + 1 - burst
        if missing > A_HAIR:
            return max(1, round(missing / rate * 1000))
        self.full_at[who] = full_at + 1 / rate
        if len(self.full_at) > MOST_REMEMBERED:
            self._forget(moment)
        return 0

    def _forget(self, moment: float) -> None:
        kept = sorted((full_at, who) for who, full_at in self.full_at.items() if full_at > moment)
        self.full_at = {who: full_at for full_at, who in kept[-MOST_REMEMBERED // 2 :]}


class Bucket:
    """The same for one socket alone: tokens that come back at `rate` a second, at most `burst` of them."""

    __slots__ = ("burst", "full_at", "rate")

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst, self.full_at = rate, burst, time.monotonic()

    def take(self, cost: float, now: float | None = None) -> bool:
        """Takes them in any case; whether there were so many. `now` as `Pace` takes it."""
        moment = time.monotonic() if now is None else now
        self.full_at = full_at = max(self.full_at, moment) + cost / self.rate
        return (full_at - moment) * self.rate <= self.burst + A_HAIR


pace = Pace(rate="LIMIT_OPS_PER_SECOND", burst="LIMIT_OPS_BURST")
knocking = Pace(rate="LIMIT_HELLOS_PER_SECOND", burst="LIMIT_HELLOS_BURST")  # before we know who it is
strangers = Pace(rate="LIMIT_STRANGERS_PER_SECOND", burst="LIMIT_STRANGERS_BURST")  # of one address, without any cookie
arriving = Pace(rate="LIMIT_HELLOS_PER_SECOND", burst="LIMIT_HELLOS_BURST")
polling = Pace(rate="LIMIT_POLLS_PER_SECOND", burst="LIMIT_POLLS_BURST")
