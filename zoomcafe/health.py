"""For probes: is the process alive, can it do its work."""

from functools import lru_cache

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@require_safe
async def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Alive: the event loop answers. Asks neither database nor threads."""
    return answer("ok", 200)


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Ready: the database answers and has every migration."""
    try:
        missing = migrations_missing()
    except (DatabaseError, InterfaceError):
        return answer("the database does not answer", 503)
    if missing:
        return answer("the database lacks migrations: run manage.py migrate", 503)
    return answer("ok", 200)


def migrations_missing() -> bool:
    """Reads what is applied every time; what there is to apply is read once."""
    applied = MigrationRecorder(connection).applied_migrations()
    return not known_migrations() <= applied.keys()


@lru_cache(maxsize=1)
def known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations or ())


def answer(text: str, status: int) -> HttpResponse:
    response = HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    if status == 503:
        response["Retry-After"] = "2"
    return response
