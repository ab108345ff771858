from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.deprecation import MiddlewareMixin

from sessions.going import page_at
from sessions.identity import NotJoined, Removed, remind
from sessions.models import Participant


class IdentityMiddleware(MiddlewareMixin):
    """Answers for people whom an event does not know, or no longer."""

    def process_request(self, request: HttpRequest) -> None:
        request.participant = None  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        person: Participant | None = getattr(request, "participant", None)
        if person is not None and person.moderator_id is None and response.status_code < 400:
            remind(response, person.event, request.META.get("HTTP_COOKIE", ""))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Removed):
            return render(request, "sessions/removed.html", _about(exception, request), status=403)
        if not isinstance(exception, NotJoined):
            return None
        if exception.forged:
            return render(request, "sessions/rejoin.html", _about(exception, request), status=401)
        if exception.event.join_code != exception.event.key:  # a renewed code is not given away
            return redirect("home")
        return redirect("join", code=exception.event.join_code)


def _about(exception: Removed | NotJoined, request: HttpRequest) -> dict[str, object]:
    return {"event": exception.event, "page_at": page_at(request)}
