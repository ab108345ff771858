"""How fast one participant may go: so many operations, so many questions for news a second, with a little in hand."""

import time
from collections import OrderedDict

from sessions.live.limits import limits

MOST_REMEMBERED = 10_000


class Pace:
    """A token bucket for each participant of this process, or for the hash of what else tells people apart; forgets
    those longest silent.

    `rate` and `burst` name the settings.
    """

    def __init__(self, *, rate: str, burst: str) -> None:
        self.rate, self.burst = rate, burst
        self.buckets: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def wait_ms(self, who: int, now: float | None = None) -> int:
        """0 and one token less, or after how many ms there is one. `now` in seconds, any clock that only goes on."""
        moment = time.monotonic() if now is None else now
        rate: float = getattr(limits, self.rate)
        burst: float = getattr(limits, self.burst)
        tokens, at = self.buckets.pop(who, (float(burst), moment))
        tokens = min(burst, tokens + (moment - at) * rate)
        allowed = tokens >= 1
        self.buckets[who] = (tokens - allowed, moment)
        if len(self.buckets) > MOST_REMEMBERED:
            self.buckets.popitem(last=False)
        return 0 if allowed else max(1, round((1 - tokens) / rate * 1000))


class Bucket:
    """The same for one socket alone: tokens that come back at `rate` a second, at most `burst` of them."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst, self.tokens, self.at = rate, burst, burst, time.monotonic()

    def take(self, cost: float, now: float | None = None) -> bool:
        """`now` as `Pace` takes it."""
        moment = time.monotonic() if now is None else now
        self.tokens = min(self.burst, self.tokens + (moment - self.at) * self.rate) - cost
        self.at = moment
        return self.tokens >= 0


pace = Pace(rate="LIMIT_OPS_PER_SECOND", burst="LIMIT_OPS_BURST")
knocking = Pace(rate="LIMIT_HELLOS_PER_SECOND", burst="LIMIT_HELLOS_BURST")  # before we know who it is
strangers = Pace(rate="LIMIT_STRANGERS_PER_SECOND", burst="LIMIT_STRANGERS_BURST")  # of one address, without any cookie
arriving = Pace(rate="LIMIT_HELLOS_PER_SECOND", burst="LIMIT_HELLOS_BURST")
polling = Pace(rate="LIMIT_POLLS_PER_SECOND", burst="LIMIT_POLLS_BURST")
