"""Hints between processes, through Redis: which streams have risen. Only their ids, never what is in them.

Pub/sub, since a hint need not arrive: whoever gets one looks into the database, and does so every few seconds anyway.
Each process hears itself at least once a second; so it knows that hints get through, both ways. While they do not, its
hub looks more often; when they do again, it looks at once.
"""

import asyncio
import logging
import random
import secrets
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

from django.utils.crypto import salted_hmac
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from sessions.live import news
from sessions.live.hub import Hub

log = logging.getLogger(__name__)
PUBLISH_S = 0.2
CONNECT_S = 2.0
ECHO_S = 1.0
SILENT_S = 3.0
PAUSES_S = (0.1, 5.0)
MOST_KEPT = 10_000
MOST_TOLD = 2_000  # ids in one message


class Hints:
    """One for each process, on its event loop: `start`, and `stop` before the process ends."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.channel = (
            f"zoomcafe:{salted_hmac('zoomcafe.hints', 'channel').hexdigest()[:20]}"  # ours, also in a shared Redis
        )
        self.me = secrets.token_hex(8)
        self.risen: set[int] = set()
        self.news = asyncio.Event()
        self.told = asyncio.Event()
        self.get_through: bool | None = None  # null before the first try has ended
        self.tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self.loop = asyncio.get_running_loop()
        Hub.here().rely_on_hints(arriving=False)
        news.listeners.append(self.tell)
        self.tasks = [self.loop.create_task(self._always(work)) for work in (self._listen, self._publish)]

    async def stop(self) -> None:
        """Tells what is still to be told, if that is possible at once."""
        news.listeners.remove(self.tell)
        self.told.clear()
        self.news.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(PUBLISH_S):
                await self.told.wait()
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)

    def tell(self, ids: Collection[int], _news: object = ()) -> None:
        """These streams have risen here; from any thread, and never waits."""
        if self.loop.is_closed():
            news.listeners.remove(self.tell)
        else:
            self.loop.call_soon_threadsafe(self._add, ids)

    def _add(self, ids: Collection[int]) -> None:
        if len(self.risen) < MOST_KEPT:  # beyond, nobody has been told for long: heartbeats do it
            self.risen.update(ids)
        self.news.set()

    async def _always(self, work: Callable[[Redis], Awaitable[None]]) -> None:
        """Does the work with a connection of its own, and with another one whenever that breaks."""
        pause, longest = PAUSES_S
        while True:
            began = self.loop.time()
            try:
                async with self._connected() as redis:
                    await work(redis)
            except (RedisError, OSError) as trouble:  # `TimeoutError` is one
                if work == self._listen:
                    self._stand(trouble)
            except Exception:  # nobody awaits these tasks
                log.exception("hints stumbled; they go on")
            if self.loop.time() - began > longest:
                pause = PAUSES_S[0]
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads reconnects, keeps no secret
            pause = min(2 * pause, longest)

    def _connected(self) -> Redis:
        """Time limits are ours: the library's use `wait_for`, which swallows cancellations before Python 3.12."""
        return Redis.from_url(
            self.url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=CONNECT_S,
            socket_timeout=None,
        )

    async def _publish(self, redis: Redis) -> None:
        """What rises while a message is on its way goes into the next; when nothing does, one says that we are here."""
        async with asyncio.timeout(CONNECT_S):
            await redis.ping()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(ECHO_S):
                    await self.news.wait()
            self.news.clear()
            ids = sorted(self.risen)[:MOST_TOLD]
            await _at_once(redis.publish(self.channel, " ".join([self.me, *map(str, ids)])))
            self.risen.difference_update(ids)
            if self.risen:
                self.news.set()
            else:
                self.told.set()

    async def _listen(self, redis: Redis) -> None:
        async with redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            async with asyncio.timeout(CONNECT_S):
                await pubsub.subscribe(self.channel)
            self.news.set()
            heard_myself = self.loop.time()
            while self.loop.time() - heard_myself < SILENT_S:
                message = await pubsub.get_message(timeout=ECHO_S)
                sender, ids = _read(message["data"] if message else b"")
                if sender == self.me:
                    heard_myself = self.loop.time()
                    self._stand(None)
                else:
                    Hub.here().look_at(ids)
        raise TimeoutError("nothing comes back")

    def _stand(self, trouble: Exception | None) -> None:
        """Whether hints get through now; says so when it changes."""
        before, self.get_through = self.get_through, trouble is None
        if before is self.get_through:
            return
        Hub.here().rely_on_hints(arriving=self.get_through)
        if trouble is not None:
            log.warning("no hints through Redis (%s): other processes learn of news by looking", type(trouble).__name__)
        elif before is False:
            log.info("hints go through Redis again")


async def _at_once(publishing: Awaitable[int]) -> None:
    """Raises `TimeoutError` when it takes longer than `PUBLISH_S`, not counting what this process itself lingers."""
    task = asyncio.ensure_future(publishing)
    try:
        await asyncio.wait({task}, timeout=PUBLISH_S)
        if not task.done():
            raise TimeoutError
        task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})


def _read(message: bytes) -> tuple[str, list[int]]:
    """Sender and ids; nobody and none for what is no message of ours."""
    try:
        sender, *ids = message.decode("ascii").split(" ")
        return sender, [int(one) for one in ids[:MOST_TOLD]]
    except ValueError:
        return "", []
