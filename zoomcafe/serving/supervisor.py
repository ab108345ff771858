"""Several workers on one listening socket: started, replaced when they die, renewed one after the other, drained.

Every worker is a fresh interpreter, never a fork of this process, and gets the listening socket by its descriptor. A
lifeline ties it to us: over it it says that it is ready, and when it is cut, on purpose or because we died, the worker
drains. So no worker outlives its supervisor by more than a drain, and no signal can be mistaken for a second one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from zoomcafe.serving.tally import Tally

logger = logging.getLogger("zoomcafe.serving")

START_S = 120.0
DRAIN_S = 25.0  # a worker gives itself 21: see `server.CafeServer.drain`
LONG_LIFE_S = 10.0
PAUSES_S = (0.5, 30.0)


class NoStartError(Exception):
    """A worker ended before it let anybody in."""


@dataclass(eq=False)
class Worker:
    """One process that serves, and our end of its lifeline."""

    number: int
    place: int  # in the tally
    process: asyncio.subprocess.Process
    lifeline: socket.socket
    born: float = field(default_factory=monotonic)

    def __post_init__(self) -> None:
        self.word = asyncio.create_task(self.hear())

    async def hear(self) -> bool:
        """True when it says that it lets callers in, false when it has ended."""
        try:
            return await asyncio.get_running_loop().sock_recv(self.lifeline, 1) != b""
        except OSError:
            return False

    async def is_ready(self) -> bool:
        """Waits for its word; false also when it takes too long."""
        try:
            async with asyncio.timeout(START_S):
                return await asyncio.shield(self.word)
        except TimeoutError:
            return False

    async def gone(self) -> None:
        await self.process.wait()
        await self.word
        self.lifeline.close()

    def drain(self) -> None:
        with contextlib.suppress(OSError):  # it has ended
            self.lifeline.shutdown(socket.SHUT_WR)

    @property
    def end(self) -> str:
        status = self.process.returncode or 0
        return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"

    def __str__(self) -> str:
        return f"Worker {self.number} (process {self.process.pid})"


class Supervisor:
    """`command` starts a worker, `prepare` ends with status 0 when new workers may come; `ready` is called once."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        count: int,
        listener: socket.socket,
        ready: Callable[[], None],
        prepare: Sequence[str],
    ) -> None:
        self.command, self.prepare = command, prepare
        self.listener, self.ready = listener, ready
        self.count = count
        self.tally = Tally.new(2 * count)  # while one is renewed there are two of it
        self.standing: dict[int, Worker] = {}
        self.running: dict[Worker, asyncio.Task[None]] = {}
        self.changing = {number: asyncio.Lock() for number in range(1, count + 1)}
        self.told_to_end = asyncio.Event()
        self.told_to_renew = asyncio.Event()
        self.is_in_order = True  # false when one of the last did not end with status 0

    async def run(self) -> bool:
        """Until SIGTERM or SIGINT; whether every worker then ended in order. Raises `NoStartError`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.go)
        loop.add_signal_handler(signal.SIGHUP, self.told_to_renew.set)
        serving = asyncio.create_task(self.serve())
        ending = asyncio.create_task(self.told_to_end.wait())
        try:
            await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            serving.cancel()
            ending.cancel()
            await asyncio.wait({serving, ending})
            self.listener.close()
            watching = list(self.running.values())
            await asyncio.gather(*(self.dismiss(worker) for worker in self.running), *watching)
        if not serving.cancelled():
            serving.result()
        return self.is_in_order

    def go(self) -> None:
        """The first signal drains, the second does not wait."""
        if self.told_to_end.is_set():
            for worker in self.running:
                with contextlib.suppress(ProcessLookupError):  # it has ended
                    worker.process.terminate()
        self.told_to_end.set()

    async def serve(self) -> None:
        for number in self.changing:
            self.standing[number] = await self.start(number)
        if not all(await asyncio.gather(*(worker.is_ready() for worker in self.standing.values()))):
            raise NoStartError
        self.ready()
        await asyncio.gather(self.renew_when_told(), *(self.keep(number) for number in self.standing))

    async def start(self, number: int) -> Worker:
        taken = {worker.place for worker in self.running}
        place = next(place for place in (number - 1, self.count + number - 1) if place not in taken)
        lifeline, theirs = socket.socketpair()
        lifeline.setblocking(False)
        handed = {"--listener": self.listener.fileno(), "--tally": self.tally.descriptor, "--lifeline": theirs.fileno()}
        numbers = {"--number": number, "--place": place, **handed}
        with theirs, contextlib.ExitStack() as unless_it_starts:
            unless_it_starts.callback(lifeline.close)
            process = await asyncio.create_subprocess_exec(
                *self.command,
                *(str(word) for pair in numbers.items() for word in pair),
                stdin=subprocess.DEVNULL,
                pass_fds=tuple(handed.values()),
                start_new_session=True,  # Ctrl-C is for us alone
            )
            unless_it_starts.pop_all()
        worker = Worker(number, place, process, lifeline)
        self.running[worker] = asyncio.create_task(self.watch(worker))
        logger.info("%s starts", worker)
        return worker

    async def watch(self, worker: Worker) -> None:
        await worker.gone()
        self.running.pop(worker)
        self.tally.leave(worker.place)
        if self.told_to_end.is_set() and worker.process.returncode != 0:
            self.is_in_order = False

    async def keep(self, number: int) -> None:
        """Puts another worker where one has died: at once, or after a pause that doubles while they live shortly."""
        pause = 0.0
        while True:
            worker = self.standing[number]
            await worker.process.wait()
            if worker is not self.standing[number]:
                continue
            first, longest = PAUSES_S
            pause = 0.0 if monotonic() - worker.born > LONG_LIFE_S else min(longest, max(first, 2 * pause))
            logger.warning("%s %s; another takes its place in %g s", worker, worker.end, pause)
            await asyncio.sleep(pause)
            async with self.changing[number]:
                while worker is self.standing[number]:
                    pause = await self.replace(number, pause)

    async def replace(self, number: int, pause: float) -> float:
        """The pause after which the next one may follow: longer when the system starts nothing now."""
        try:
            self.standing[number] = await self.start(number)
        except OSError as trouble:
            first, longest = PAUSES_S
            pause = min(longest, max(first, 2 * pause))
            logger.exception("No worker can be started (%s); tried again in %g s", trouble.strerror, pause)
            await asyncio.sleep(pause)
        return pause

    async def renew_when_told(self) -> None:
        while True:
            await self.told_to_renew.wait()
            self.told_to_renew.clear()
            logger.info("The workers are renewed, one after the other")
            try:
                all_new = await self.is_prepared() and await self.renew_all()
            except OSError as trouble:
                logger.exception("No worker can be started: %s", trouble.strerror)
                all_new = False
            if all_new:
                logger.info("All workers are new")
            else:
                logger.error("Not all workers are new, as said above; those that run go on")

    async def renew_all(self) -> bool:
        for number in self.changing:
            if not await self.renew(number):
                return False
        return True

    async def is_prepared(self) -> bool:
        process = await asyncio.create_subprocess_exec(*self.prepare, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            return await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def renew(self, number: int) -> bool:
        """The old one drains when the new one lets callers in, and goes on when it does not."""
        async with self.changing[number]:
            fresh = await self.start(number)
            if not await fresh.is_ready():
                await self.dismiss(fresh)
                return False
            old, self.standing[number] = self.standing[number], fresh
        await self.dismiss(old)
        return True

    async def dismiss(self, worker: Worker) -> None:
        worker.drain()
        try:
            async with asyncio.timeout(DRAIN_S):
                await worker.process.wait()
        except TimeoutError:
            logger.warning("%s did not end within %.0f s; it is killed", worker, DRAIN_S)
            with contextlib.suppress(ProcessLookupError):
                worker.process.kill()
            await worker.process.wait()
