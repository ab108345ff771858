"""Pages that only tests have: slow, broken, asking, streaming."""

import threading
from collections.abc import Iterator

from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.http import require_POST

from sessions.limits import TooMany
from zoomcafe.urls import handler400, handler403, handler404, handler500
from zoomcafe.urls import urlpatterns as real

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

gate = threading.Event()
inside = threading.Semaphore(0)
seen: set[str] = set()


def ask(request: HttpRequest) -> HttpResponse:
    """Asks the database who serves it."""
    postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), pg_sleep(0.01)" if postgres else "SELECT 1")
        seen.add(str(cursor.fetchone()[0]) if postgres else threading.current_thread().name)
    return HttpResponse("asked")


def wait(request: HttpRequest) -> HttpResponse:
    """Holds its lane until the gate opens."""
    inside.release()
    gate.wait(20)
    seen.add(request.GET.get("name", ""))
    return HttpResponse("waited")


def flow(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[bytes]:
        yield b"one "
        yield b"two"

    return StreamingHttpResponse(list(parts()))


async def soon(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.method} {threading.current_thread() is threading.main_thread()}")


def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("Cem's secret")


def locked(request: HttpRequest) -> HttpResponse:
    raise OperationalError("database is locked")


def denied(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("Only the moderator can do this.")


def garbled(request: HttpRequest) -> HttpResponse:
    raise BadRequest("garbled")


def limited(request: HttpRequest) -> HttpResponse:
    raise TooMany(7)


def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(len(request.body)))


@require_POST
def write(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.POST.get("text", ""))


def long(request: HttpRequest) -> HttpResponse:
    return HttpResponse("coffee " * 500)


urlpatterns = [
    *(path(f"test/{view.__name__}", view) for view in (ask, wait, flow, broken, locked, denied, garbled, limited)),
    *(path(f"test/{view.__name__}", view) for view in (echo, write, long)),
    path("test/soon", soon),
    *real,
]
