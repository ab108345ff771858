"""What people see when something does not work: a page, or a fragment for htmx, or a frame for the live client.

Nothing here asks the database: these answers are made on the event loop too, and when the database is what is missing.
"""

import random
import re
import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, DisallowedHost, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from sessions.going import page_at
from zoomcafe import logs

AGAIN_S = (2, 6)
RETRY_AFTER_S = 2
MOST_KEPT = 50
NOT_TYPED = re.compile(r"csrf|password|secret|token|^(id|s|k|base|next|note|q|colour|table)$")
CODES = {400: "bad_frame", 403: "not_allowed", 404: "not_found", 413: "too_large", 429: "rate_limited", 503: "busy"}


class Busy(Exception):  # noqa: N818 - a state, not an error
    """No thread, connection or lock came free in time."""


def answer(request: HttpRequest, status: int, *, title: str, sentence: str, **more: Any) -> HttpResponse:
    """`more` may have `next_url` and `next_label` (what to do now), `code` (for the live client), `kept` texts."""
    if wants_frame(request):
        return frame(status, f"{title}. {sentence}", code=more.get("code"))
    context = {
        "status": status,
        "title": title,
        "sentence": sentence,
        "request_id": getattr(request, "request_id", logs.request_id.get()),
        "next_url": more.get("next_url", "/"),
        "next_label": more.get("next_label") or _("To the start page"),
        "request": request,
        "csrf_token": get_token(request),
        "kept": more.get("kept", []),
        "page_at": page_at(request),
    }
    template = "errors/fragment.html" if request.headers.get("HX-Request") == "true" else "errors/page.html"
    return HttpResponse(render_to_string(template, context), status=status)


def wants_frame(request: HttpRequest) -> bool:
    """The live client, which polls and posts; a plain form wants a page."""
    if request.path_info.startswith("/live/") and request.method == "GET":
        return True
    return "application/json" in (request.content_type, request.headers.get("Accept", "").split(",")[0])


def frame(status: int, sentence: str, *, code: str | None) -> HttpResponse:
    known = code or CODES.get(status, "internal")
    retry = status >= 500 or status == 429
    return JsonResponse({"t": "err", "code": known, "text": sentence, "retry": retry}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        return at_another_address(request)
    return answer(
        request,
        400,
        title=_("That was not understood"),
        sentence=_(
            "Your browser sent something this server cannot read. Please go back, reload the page and try again."
        ),
    )


def at_another_address(request: HttpRequest) -> HttpResponse:
    """Mostly a setting that is missing: an address nobody named, or a web server in between that passes on its own."""
    logs.logger.warning("page refused: host (ours are those of BASE_URL and TRUSTED_ORIGINS, or ALLOWED_HOSTS)")
    return answer(
        request,
        400,
        title=_("The café has another address"),
        sentence=_(
            "This server does not answer at the address that your browser, or a web server in between, asked for."
            " If you run it: its log names the settings."
        ),
        next_url=f"{settings.BASE_URL}/",
    )


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Shows the sentence of the exception: `PermissionDenied(gettext("…"))` says why."""
    return answer(
        request,
        403,
        title=_("This is not possible for you"),
        sentence=str(exception or "") or _("You do not have the right to do this here."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    return answer(
        request,
        403,
        title=_("Please reload and try again"),
        sentence=_("The page you sent this from is out of date, or your browser blocks cookies. Nothing was changed."),
        next_url=came_from(request),
        next_label=_("Reload the page"),
        kept=typed(request),
    )


def came_from(request: HttpRequest) -> str:
    """The page of ours with the form, else the start page."""
    page = request.headers.get("Referer", "")
    own = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if own else "/"


def typed(request: HttpRequest) -> list[str]:
    """What a person wrote into the form, to be copied; neither secrets nor what the page itself put there."""
    try:
        fields = request.POST.lists()
    except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        return []
    texts = [text for name, values in fields if not NOT_TYPED.search(name) for text in values]
    return [text for text in texts if text.strip() and not text.isdigit()][:MOST_KEPT]


def from_elsewhere(request: HttpRequest) -> HttpResponse:
    return answer(
        request,
        403,
        title=_("Please start from here"),
        sentence=_("Another website tried to send this for you. Nothing was changed. Reload our page and try again."),
    )


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return answer(
        request,
        404,
        title=_("There is no such page"),
        sentence=_("The address may be mistyped, or the event is over and was deleted. Do you have an event code?"),
        next_label=_("Enter an event code"),
    )


def method_not_allowed(request: HttpRequest) -> HttpResponse:
    return answer(
        request,
        405,
        title=_("That is not how this page works"),
        sentence=_("This address cannot be used in this way."),
    )


def too_large(request: HttpRequest) -> HttpResponse:
    return answer(
        request,
        413,
        title=_("That is too much at once"),
        sentence=_("What you sent is too large. Go back, shorten it and try again."),
    )


def too_many(request: HttpRequest, seconds: int, sentence: str = "") -> HttpResponse:
    """`seconds`: after how long another try makes sense."""
    response = answer(
        request,
        429,
        title=_("Please wait a moment"),
        sentence=sentence or _("There were too many tries from here. Please wait a little and try again."),
        next_url=request.path,
        next_label=_("Try again"),
    )
    response["Retry-After"] = str(max(1, seconds))
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Also the last resort when a page of errors cannot be made itself."""
    if isinstance(sys.exc_info()[1], Busy):
        return busy(request)
    try:
        return answer(
            request,
            500,
            title=_("Something went wrong on our side"),
            sentence=_("It was not your fault, and we have a note of it. Please try again in a moment."),
            next_url=request.path if request.method == "GET" else "/",
            next_label=_("Try again"),
            kept=typed(request),
        )
    except Exception:  # noqa: BLE001 - nothing stands behind this page
        logs.logger.exception("error page failed")
        return bare(500)


def busy(request: HttpRequest) -> HttpResponse:
    """A page that was asked for comes again by itself: when the gallery opens nobody should have to reload."""
    again = request.method == "GET" and "HX-Request" not in request.headers
    response = later(
        request,
        title=_("Very busy just now"),
        sentence=_("Many people want something at the same moment. This page tries again by itself.")
        if again
        else _("Many people want something at the same moment. Nothing is lost: please try again in a moment."),
        code="busy",
    )
    if again:
        response["Refresh"] = str(random.randint(*AGAIN_S))  # noqa: S311 - spreads them, keeps no secret
    return response


def storage_full(request: HttpRequest) -> HttpResponse:
    return later(
        request,
        title=_("There is no more room"),
        sentence=_(
            "The server's disk is full. What was saved stays. Please tell whoever runs the server, and try again later."
        ),
        code="storage_full",
    )


def later(request: HttpRequest, *, title: str, sentence: str, code: str) -> HttpResponse:
    """Whatever people typed is shown, so that it can be copied and sent again."""
    response = answer(
        request,
        503,
        title=title,
        sentence=sentence,
        code=code,
        next_url=request.path if request.method == "GET" else "/",
        next_label=_("Try again"),
        kept=typed(request),
    )
    response["Retry-After"] = str(RETRY_AFTER_S)
    return response


def bare(status: int) -> HttpResponse:
    text = f"{status}\nrequest {logs.request_id.get()}\n"
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
