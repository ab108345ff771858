"""How pages reach the database: a fixed number of lanes (threads), each with its own connection.

Django would give every request a thread of its own, and so a connection: a hundred visitors, a hundred connections.
Here a page waits for a lane with its whole body already read, runs all its synchronous layers and its view in one go,
and leaves the lane before the answer is sent. An asynchronous view runs on the event loop and takes a lane only for
single steps.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import lru_cache, partial
from tempfile import SpooledTemporaryFile
from typing import IO, Any, TypeVar, cast

from asgiref.sync import ThreadSensitiveContext, iscoroutinefunction, sync_to_async
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.db import close_old_connections, connection
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve, set_script_prefix
from django.utils.module_loading import import_string

from sessions.live.precedence import GivingWay, beside
from zoomcafe import errors, middleware, static
from zoomcafe.fairness import Queues
from zoomcafe.origins import Receive, Scope, Send

PATIENCE_S = 2.0
MOST_PATHS = 500

Answer = TypeVar("Answer")
Refusal = Callable[[HttpRequest], HttpResponseBase]


class Lanes(Executor):
    """Runs calls on a fixed number of threads; a call that gets none within `patience` seconds fails with `Busy`."""

    def __init__(self, count: int, *, patience: float = PATIENCE_S) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="lane")
        self._patience = patience

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        """On the event loop's thread only.

        Nobody is woken to stop the clock when an answer is there: whatever wakes the loop makes both wait for Python's
        lock. It runs out with nothing to give up.
        """
        answer: Future[Answer] = Future()
        waiting: list[Future[Any]] = [answer]
        ticket = self._threads.submit(run, waiting, partial(fn, *args, **kwargs))
        asyncio.get_running_loop().call_later(self._patience, give_up, ticket, waiting)
        return answer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        self._threads.shutdown(wait, cancel_futures=cancel_futures)


def run(waiting: list[Future[Any]], call: Callable[[], Any]) -> None:
    """On a lane. Nobody may wait any more: then nothing is done."""
    answer = waiting.pop()
    if not answer.set_running_or_notify_cancel():
        return
    try:
        with beside():
            result = call()
    except BaseException as problem:  # noqa: BLE001 - the boundary between threads: the waiting side raises it
        answer.set_exception(problem)
    else:
        answer.set_result(result)
    finally:
        close_old_connections()  # gives a pooled connection back, drops a broken one


def give_up(ticket: Future[None], waiting: list[Future[Any]]) -> None:
    if ticket.cancel() and not waiting[0].cancelled():
        waiting[0].set_exception(errors.Busy())


class Pages(ASGIHandler):
    """Django's handler with lanes."""

    def __init__(self, lanes: Lanes) -> None:
        super().__init__()
        self.lanes = lanes
        self.queues = Queues()
        self.whole = BaseHandler()
        self.whole.load_middleware(is_async=False)

    def load_middleware(self, is_async: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 - Django's signature
        """The layers for asynchronous views. Their steps run on the loop and work while all lanes are taken."""
        self._view_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        handler = convert_exception_to_response(self._get_response_async)  # type: ignore[attr-defined]
        for path in reversed(settings.MIDDLEWARE):
            layer = middleware.inline(import_string(path))(handler)
            if hasattr(layer, "process_view"):
                self._view_middleware.insert(0, at_once(layer.process_view))
            if hasattr(layer, "process_exception"):
                self._exception_middleware.append(layer.process_exception)
            handler = convert_exception_to_response(layer)
        self._middleware_chain = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with ThreadSensitiveContext(executor=self.lanes):
            await self.handle(scope, receive, send)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        set_script_prefix("/")
        refusal: Refusal | None = None
        try:
            body = await read_body(receive)
        except RequestAborted:
            return
        except BodyTooLarge as problem:
            body, refusal = problem.body, errors.too_large
        with body:
            request, unreadable = self.create_request(scope, body)
            if unreadable is not None:
                await self.send_response(unreadable, send)
            if request is None:
                return
            work = asyncio.ensure_future(self.answer(request, refusal))
            await wait_for_either(work, receive)
            if not work.cancelled():
                await self.deliver(work.result(), send)

    async def answer(self, request: ASGIRequest, refusal: Refusal | None) -> HttpResponseBase:
        if refusal is not None:
            return await refuse(request, refusal)
        try:
            if request.path_info in middleware.PROBES:
                return await self.page(request)
            async with self.queues.turn(request):
                return await self.page(request)
        except errors.Busy:
            return await refuse(request, errors.busy)

    async def page(self, request: ASGIRequest) -> HttpResponseBase:
        if runs_on_the_loop(request):
            return await self.run_get_response(request)
        return await self.on_a_lane(request)

    async def on_a_lane(self, request: ASGIRequest) -> HttpResponseBase:
        """Whoever hangs up leaves when the page that was begun is made: until then it is their turn."""
        ended: Future[None] = Future()
        begun = threading.Event()

        def work() -> HttpResponseBase:
            begun.set()
            try:
                return self.in_one_go(request)
            finally:
                ended.set_result(None)

        try:
            return await sync_to_async(work)()
        finally:
            if begun.is_set() and not ended.done():
                await asyncio.wrap_future(ended)

    def in_one_go(self, request: ASGIRequest) -> HttpResponseBase:
        """Everything a page does, on one lane."""
        signals.request_started.send(sender=type(self), scope=request.scope)
        way = GivingWay()
        way.step()
        with connection.execute_wrapper(way):
            response: HttpResponseBase = self.whole.get_response(request)
        response._handler_class = type(self)  # type: ignore[attr-defined]
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            response.streaming_content = arriving(list(cast("Iterator[bytes]", response.streaming_content)))
        response.close()  # the content stays; files and the connection are free before the answer is on its way
        return response

    async def deliver(self, response: HttpResponseBase, send: Send) -> None:
        try:
            await self.send_response(response, send)
        finally:
            if not response.closed:
                response.close()


def at_once(step: Callable[..., Any]) -> Callable[..., Any]:
    async def stepped(*args: Any, **kwargs: Any) -> Any:
        return step(*args, **kwargs)

    return stepped


async def arriving(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


class BodyTooLarge(Exception):  # noqa: N818 - a state, not an error
    def __init__(self, body: IO[bytes]) -> None:
        self.body = body


async def read_body(receive: Receive) -> IO[bytes]:
    """The body up to the limit; what comes beyond it is read and thrown away, so that the client hears the answer."""
    body = SpooledTemporaryFile(max_size=settings.LIMIT_BODY_BYTES)  # noqa: SIM115 - the caller closes it
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            body.close()
            raise RequestAborted
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= settings.LIMIT_BODY_BYTES:
            body.write(chunk)
        more = message.get("more_body", False)
    body.seek(0)
    if size > settings.LIMIT_BODY_BYTES:
        raise BodyTooLarge(body)
    return body


async def wait_for_either(work: asyncio.Future[Any], receive: Receive) -> None:
    """Until the work is done; when the client leaves before, the work is cancelled if it still waits for a lane."""
    leaving = asyncio.ensure_future(receive())
    await asyncio.wait({work, leaving}, return_when=asyncio.FIRST_COMPLETED)
    for task in (leaving, work):
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


def runs_on_the_loop(request: HttpRequest) -> bool:
    return static.concerns(request.path_info) or is_asynchronous(request.path_info, settings.ROOT_URLCONF)


@lru_cache(maxsize=MOST_PATHS)
def is_asynchronous(path: str, urls: str) -> bool:
    """Whether the view behind the path is; remembered, for many ask for the same."""
    try:
        return iscoroutinefunction(resolve(path, urls).func)
    except Http404:
        return False


async def refuse(request: HttpRequest, refusal: Refusal) -> HttpResponseBase:
    """An answer without any lane, with the outer layers around it."""

    async def inner(request: HttpRequest) -> HttpResponseBase:
        return refusal(request)

    layers: Any = inner
    for layer in (middleware.Languages, CSPMiddleware, middleware.Headers, middleware.RequestIds):
        layers = middleware.inline(layer)(layers)
    response: HttpResponseBase = await layers(request)
    return response
