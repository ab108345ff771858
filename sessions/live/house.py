"""The sockets of this process, and room for more."""

import asyncio
from collections import OrderedDict

from django.conf import settings

from sessions.live.follower import Follower

KEPT_WAITING_S, MOST_KEPT_WAITING = 1.0, 100


class House:
    """How many there are, and whose."""

    def __init__(self) -> None:
        self.sockets = 0
        self.before_hello = 0
        self.trials = 0
        self.kept_waiting = 0
        self.of_person: dict[int, OrderedDict[Follower, None]] = {}

    def has_room(self) -> bool:
        return self.sockets < settings.LIMIT_SOCKETS and self.before_hello < settings.LIMIT_SOCKETS_BEFORE_HELLO

    def enter(self, follower: Follower) -> Follower | None:
        """Takes a follower in; returns the oldest of a person who has too many."""
        own = self.of_person.setdefault(follower.viewer.pk, OrderedDict())
        own[follower] = None
        return own.popitem(last=False)[0] if len(own) > settings.LIMIT_SOCKETS_PER_PERSON else None

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
