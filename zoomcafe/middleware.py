"""The layers around every view, outermost first in `settings.MIDDLEWARE`."""

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.gzip import GZipMiddleware, re_accepts_gzip
from django.middleware.locale import LocaleMiddleware
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

from sessions.codes import SESSION_KEY
from sessions.limits import TooMany
from sessions.live.shared import Shared
from sessions.live.trouble import is_full
from zoomcafe import errors, headers, logs, packing, static

METHODS = ("GET", "HEAD", "POST")
PROBES = ("/healthz", "/readyz")
FORWARDED_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
COMPRESSIBLE = re.compile(r"text/|application/(json|javascript|xml)|image/svg")

Refusals = dict[int, Callable[[HttpRequest], HttpResponse]]


class Inline(MiddlewareMixin):
    """The two steps of a layer on the event loop, where Django would take a thread for each.

    They neither block nor ask the database (Django raises when they do); `Sessions` does and says so itself.
    """

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        before = getattr(self, "process_request", None)
        after = getattr(self, "process_response", None)
        response: HttpResponseBase | None = before(request) if before else None
        if response is None:
            response = await self.get_response(request)  # type: ignore[misc]
        answered: HttpResponseBase = after(request, response) if after else response
        return answered


def inline(layer: type[Any]) -> type[Any]:
    """The layer as it is for asynchronous views."""
    if getattr(layer, "__acall__", None) is not MiddlewareMixin.__acall__:
        return layer
    return type(layer.__name__, (Inline, layer), {})


class RequestIds(MiddlewareMixin):
    """Names the request in the answer and in every log line, and notes what did not go well."""

    def process_request(self, request: HttpRequest) -> None:
        request.request_id = forwarded_id(request) or secrets.token_hex(8)  # type: ignore[attr-defined]
        request.started = time.monotonic()  # type: ignore[attr-defined]
        logs.request_id.set(request.request_id)  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        logs.answered(request, response, time.monotonic() - request.started)  # type: ignore[attr-defined]
        return response


def forwarded_id(request: HttpRequest) -> str | None:
    """The id a trusted proxy gave, so that both logs can be read together."""
    given = request.headers.get("X-Request-ID", "") if settings.TRUSTED_PROXIES else ""
    return given if FORWARDED_ID.fullmatch(given) else None


class Headers(MiddlewareMixin):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        headers.harden(request, response)
        return response


class Compression(GZipMiddleware):
    """Django adds random bytes and masks the CSRF token, so that sizes tell nothing (BREACH)."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        if not COMPRESSIBLE.match(response.get("Content-Type", "")):
            return response
        if hasattr(request, "shared"):
            self.put_together(request, response, request.shared)
        return super().process_response(request, response)

    def put_together(
        self, request: HttpRequest, response: HttpResponse, shared: Mapping[str, Sequence[Shared]]
    ) -> None:
        if re_accepts_gzip.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            response.content = packing.packed(response.content, shared, most_random=self.max_random_bytes)
            response["Content-Encoding"] = "gzip"
            patch_vary_headers(response, ("Accept-Encoding",))
        else:
            response.content = packing.plain(response.content, shared)
        response["Content-Length"] = str(len(response.content))


class StaticFiles:
    """Answers for static files before anything else is asked, without a lane."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.async_mode = iscoroutinefunction(get_response)
        if self.async_mode:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.async_mode:
            return self.answer(request)
        response: HttpResponseBase = (
            static.serve(request) if static.concerns(request.path_info) else self.get_response(request)
        )
        return response

    async def answer(self, request: HttpRequest) -> HttpResponseBase:
        if static.concerns(request.path_info):
            return await static.aserve(request)
        response: HttpResponseBase = await self.get_response(request)
        return response


class Languages(LocaleMiddleware):
    """German or English: as chosen with the switch (cookie), else as the browser asks."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        patch_vary_headers(response, ("Cookie",))
        return super().process_response(request, response)


class Methods(MiddlewareMixin):
    """GET and HEAD read, POST writes; nothing else exists here. All text is UTF-8, whatever a request claims."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if "charset" in (request.content_params or {}):
            request.encoding = "utf-8"
        if request.method in METHODS:
            return None
        response = errors.method_not_allowed(request)
        response["Allow"] = ", ".join(METHODS)
        return response


class Hosts(CommonMiddleware):
    """Refuses foreign Host headers and adds missing slashes; probes ask by whatever address they know."""

    def process_request(self, request: HttpRequest) -> Any:
        return None if request.path_info in PROBES else super().process_request(request)


class Sessions(SessionMiddleware):
    """Takes a lane only when there is something to write; a cookie that was never ours is none."""

    def process_request(self, request: HttpRequest) -> None:
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        request.session = self.SessionStore(key if SESSION_KEY.fullmatch(key) else None)

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        self.process_request(request)
        response = await self.get_response(request)  # type: ignore[misc]
        step = self.process_response
        return await sync_to_async(step)(request, response) if request.session.modified else step(request, response)


class SameSite(MiddlewareMixin):
    """Browsers say where a request comes from: another site writes nothing here, whatever tokens it has."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        said = request.headers.get("Sec-Fetch-Site", "same-origin")
        if request.method in {"GET", "HEAD"} or said in {"same-origin", "none"}:
            return None
        return errors.from_elsewhere(request)


class Troubles(MiddlewareMixin):
    """Turns states that are nobody's mistake into answers, and gives bare refusals a page."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, TooMany):
            return errors.too_many(request, exception.seconds, str(exception))
        if isinstance(exception, RequestDataTooBig):
            return errors.too_large(request)
        if isinstance(exception, (OperationalError, InterfaceError, errors.Busy)):
            full = is_full(exception)
            what = "no room in the database" if full else "database busy or away"
            logs.logger.warning("%s: %s", what, type(exception).__name__, exc_info=exception)
            return errors.storage_full(request) if full else errors.busy(request)
        return None

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        dress = self.refusals.get(response.status_code)
        if dress is None or not isinstance(response, HttpResponse) or response.content:
            return response
        dressed = dress(request)
        for name in ("Allow", "Retry-After"):
            if name in response.headers:
                dressed[name] = response[name]
        return dressed

    refusals: Refusals = {
        400: errors.bad_request,
        403: errors.permission_denied,
        404: errors.page_not_found,
        405: errors.method_not_allowed,
        413: errors.too_large,
        503: errors.busy,
    }
