"""The sockets of this process, and room for more."""

import asyncio
from collections import OrderedDict, deque

from django.conf import settings

from sessions.live.follower import Follower

KEPT_WAITING_S, MOST_KEPT_WAITING = 1.0, 100
IN_QUEUE_S, MOST_IN_QUEUE = 3.0, 1_000  # a crowd on slow lines, each of whom is before hello for a round trip


class House:
    """How many there are, and whose."""

    def __init__(self) -> None:
        self.sockets = 0
        self.before_hello = 0
        self.trials = 0
        self.kept_waiting = 0
        self.queue: deque[asyncio.Future[None]] = deque()
        self.of_person: dict[int, OrderedDict[Follower, None]] = {}

    def has_room(self) -> bool:
        return self.sockets < settings.LIMIT_SOCKETS and self.before_hello < settings.LIMIT_SOCKETS_BEFORE_HELLO

    def take_place(self) -> bool:
        """For one more who has not said hello, where there is room."""
        if not self.has_room():
            return False
        self.sockets += 1
        self.before_hello += 1
        return True

    async def take_place_in_turn(self) -> bool:
        """The same after a moment in the queue; false when there is still no room."""
        if self.take_place():
            return True
        if self.sockets >= settings.LIMIT_SOCKETS or len(self.queue) >= MOST_IN_QUEUE:
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.queue.append(turn)
        try:
            await asyncio.wait({turn}, timeout=IN_QUEUE_S)
        except asyncio.CancelledError:
            if turn.done():
                self.leave_place(before_hello=True)
            raise
        finally:
            if not turn.done():
                self.queue.remove(turn)
        return turn.done()

    def hear_hello(self) -> None:
        self.before_hello -= 1
        self._call_next()

    def leave_place(self, *, before_hello: bool) -> None:
        self.sockets -= 1
        self.before_hello -= before_hello
        self._call_next()

    def _call_next(self) -> None:
        while self.queue and self.take_place():
            self.queue.popleft().set_result(None)

    def enter(self, follower: Follower) -> Follower | None:
        """Takes a follower in; returns the oldest of a person who has too many, a console or screen last of all."""
        own = self.of_person.setdefault(follower.viewer.pk, OrderedDict())
        earlier = list(own)
        own[follower] = None
        if len(own) <= settings.LIMIT_SOCKETS_PER_PERSON:
            return None
        gone = next((one for one in earlier if not one.leads), earlier[0])
        del own[gone]
        return gone

    def leave(self, follower: Follower) -> None:
        own = self.of_person.get(follower.viewer.pk, OrderedDict())
        own.pop(follower, None)
        if not own:
            self.of_person.pop(follower.viewer.pk, None)


house = House()


async def keep_waiting() -> bool:
    """Whoever comes too often is let in later, to hear it, so that coming again costs them. False if too many do."""
    if house.kept_waiting >= MOST_KEPT_WAITING:
        return False
    house.kept_waiting += 1
    try:
        await asyncio.sleep(KEPT_WAITING_S)
    finally:
        house.kept_waiting -= 1
    return True
