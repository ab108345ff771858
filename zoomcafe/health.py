"""For probes: is the process alive, can it do its work."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse


async def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Alive: the event loop answers. Asks neither database nor threads."""
    return answer("ok", 200)


def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Ready: the database answers and has every migration."""
    try:
        missing = migrations_missing()
    except DatabaseError:
        return answer("the database does not answer", 503)
    if missing:
        return answer("the database lacks migrations: run manage.py migrate", 503)
    return answer("ok", 200)


def migrations_missing() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def answer(text: str, status: int) -> HttpResponse:
    response = HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    if status == 503:
        response["Retry-After"] = "2"
    return response
