"""The live side without sockets: polling for the same frames, posting the same operations, plain forms."""

import logging
import math
from collections.abc import Callable, Coroutine
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, override
from django.views.decorators.http import require_GET, require_POST

from sessions.clock import now_ms
from sessions.going import NOWHERE, local_address
from sessions.http import HttpRequest
from sessions.live import desk, streams, visit, wire
from sessions.live.fields import Fields, Id
from sessions.live.kinds import fields_of
from sessions.live.ops import Answer, Refused
from sessions.live.pace import polling
from sessions.live.reading import audience_of
from sessions.live.threads import in_thread_soon
from sessions.live.words import say
from sessions.models import Participant

log = logging.getLogger(__name__)
MOST_BYTES = 256 * 1024
STATUS = {4401: 401, 4403: 403, 4404: 404}
OWN_FIELDS = frozenset({"csrfmiddlewaretoken", "id", "s", "k", "base", "next", "go"})
View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def for_members(view: View) -> View:
    """Finds who asks, or answers 401, 403, 404 with the code in the reader's language."""

    async def found(request: HttpRequest, code: str) -> HttpResponseBase:
        as_moderator = request.GET.get("as") == "moderator"
        try:
            person = await in_thread_soon(_viewer, code, request.META.get("HTTP_COOKIE", ""), as_moderator)
        except visit.Closed as nobody:
            return _refusal(nobody.code, STATUS[nobody.close])
        return await view(request, person)

    return found


def _viewer(code: str, cookies: str, as_moderator: bool) -> Participant:  # noqa: FBT001 - called in a thread
    return visit.viewer(code, cookies, as_moderator=as_moderator)


@require_GET
async def check(request: HttpRequest) -> HttpResponse:
    """For the page that tests the connection: the server's clock, and whether `?origin=` is an address of ours."""
    if "Sec-WebSocket-Key" in request.headers:
        log.warning("socket refused: the web server in front passes on no Upgrade header")
        return HttpResponse(status=426, headers={"Upgrade": "websocket"})
    known = request.GET.get("origin") in settings.ORIGINS
    return JsonResponse({"t": "pong", "now": now_ms(), "known": known}, headers={"Cache-Control": "no-store"})


@require_GET
@for_members
async def parts(request: HttpRequest, viewer: Participant) -> HttpResponse:
    """`GET …/parts?since={"stage":12,…}`: the frames a socket would have sent after that hello, as a JSON array."""
    after = polling.wait_ms(viewer.pk)
    if after:
        return _too_fast(after)
    try:
        wishes = wire.load(request.GET.get("since", "{}"))
        if not isinstance(wishes, dict):
            raise Refused("bad_field")  # noqa: TRY301 - answered like a field that is wrong
        frames = await in_thread_soon(_frames, viewer, wishes, request.GET.get("epoch"))
    except Refused as refused:
        return _refusal(refused.code, 422)
    except visit.Closed as nobody:
        return _refusal(nobody.code, STATUS[nobody.close])
    return HttpResponse(f"[{','.join(frames)}]", content_type="application/json", headers={"Cache-Control": "no-store"})


def _frames(viewer: Participant, wishes: dict[str, Any], epoch: str | None) -> list[str]:
    followed = visit.followed(viewer, wishes, epoch)
    language = get_language() or settings.LANGUAGE_CODE
    frames = [wire.dump(wire.welcome_frame(followed.me, followed.epoch))]
    frames += [
        wire.dump({"t": "end", "s": name.on_wire(), "code": code, "text": say(code, language)})
        for name, code in followed.refused
    ]
    cursors = {row.pk: _cursor(after, row.head) for _name, row, after in followed.streams}
    found = streams.since([(pk, max(-1, cursor)) for pk, cursor in cursors.items()])
    for name, row, _after in followed.streams:
        if row.pk not in found:
            raise visit.Closed(4404, "not_found")
        stream, those = found[row.pk]
        cursor = cursors[row.pk]
        if cursor < stream.head or cursor < 0:
            encoded = [wire.Encoded.of(part) for part in those]
            made = wire.parts_frames(
                name, max(0, cursor), stream.head, encoded, audience=audience_of(viewer), reset=cursor < 0
            )
            frames += [frame for _to, frame in made]
    return _cut(frames)


def _cursor(after: int | None, head: int) -> int:
    """-1, the beginning, for a cursor that cannot be."""
    return after if after is not None and 0 <= after <= head else -1


def _cut(frames: list[str]) -> list[str]:
    """At most 256 KiB; the last frame then says that there is more."""
    size = 0
    for at, frame in enumerate(frames):
        size += len(frame.encode())
        if size > MOST_BYTES and at:
            return [*frames[: at - 1], frames[at - 1][:-1] + ',"more":true}']
    return frames


@require_POST
@for_members
async def ops(request: HttpRequest, viewer: Participant) -> HttpResponseBase:
    """One operation: JSON gets `ack` or `err`; a plain form 303 to where it came from, or 422 with its words."""
    if request.content_type == "application/json":
        return await _by_json(request, viewer)
    return await _by_form(request, viewer)


async def _by_json(request: HttpRequest, viewer: Participant) -> HttpResponse:
    try:
        frame = wire.parse(request.body)
        if frame["t"] != "op":
            raise Refused("unknown_type")  # noqa: TRY301 - answered like an unknown frame
        answer = await desk.answer_to(viewer, frame)
    except Refused as refused:
        return _refusal(refused.code, 413 if refused.code == "too_large" else 422)
    response = JsonResponse(wire.answer_frame(answer, _sentence(answer)), status=_status(answer))
    if answer.after_ms is not None:
        response["Retry-After"] = _whole_seconds(answer.after_ms)
    return response


async def _by_form(request: HttpRequest, viewer: Participant) -> HttpResponseBase:
    try:
        answer = await desk.answer_to(viewer, _frame_of(request))
    except Refused as refused:
        return await in_thread_soon(_refused_page, request, viewer, refused.code, None, _language())
    if answer.code is not None:
        return await in_thread_soon(_refused_page, request, viewer, answer.code, answer.names, _language())
    return HttpResponseRedirect(_next(request, viewer), status=303)


def _frame_of(request: HttpRequest) -> dict[str, Any]:
    """The form as an `op` frame, its values as JSON would have brought them."""
    form = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    stream, kind = wire.stream_name(form.get("s", "")), form.get("k", "")
    fields = fields_of(stream, kind) or Fields()
    data = fields.from_form({name: value for name, value in form.items() if name not in OWN_FIELDS})
    frame = {"t": "op", "id": form.get("id", ""), "s": stream.on_wire(), "k": kind, "d": data}
    base = Id(nullable=True).typed(form.get("base", ""))
    if type(base) is str:
        raise Refused("bad_field")
    return frame if base is None else {**frame, "base": base}


def _refused_page(
    request: HttpRequest, viewer: Participant, code: str, names: tuple[str, ...] | None, language: str
) -> HttpResponse:
    """The form again with what was typed, so that nothing is lost, in the reader's language.

    What may have been done after all goes out under the same id, so that it is done once.
    """
    text, back = request.POST.get("text", ""), _next(request, viewer)
    kept = [(name, value) for name, value in request.POST.items() if name not in {"csrfmiddlewaretoken", "id", "text"}]
    values = {
        "sentence": say(code, language, names, by_hand=True),
        "id": request.POST.get("id") if wire.may_retry(code) else None,
        "fields": kept,
        "text": text,
        "back": back,
        "page_at": NOWHERE if text else back,
        "action": request.get_full_path(),
    }
    with override(language):
        return render(request, "live/refused.html", values, status=422)


def _next(request: HttpRequest, viewer: Participant) -> str:
    return local_address(request, request.POST.get("next"), default=reverse("here", args=[viewer.event.key]))


def _status(answer: Answer) -> int:
    if answer.code is None:
        return 200
    return {"rate_limited": 429, "busy": 503, "storage_full": 503, "internal": 500, "not_found": 404}.get(
        answer.code, 403 if answer.code in {"not_allowed", "not_owner"} else 422
    )


def _sentence(answer: Answer) -> str:
    return say(answer.code, _language(), answer.names) if answer.code else ""


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE


def _too_fast(after_ms: int) -> JsonResponse:
    response = _refusal("rate_limited", 429, after_ms=after_ms)
    response["Retry-After"] = _whole_seconds(after_ms)
    return response


def _whole_seconds(ms: int) -> str:
    return str(max(1, math.ceil(ms / 1000)))


def _refusal(code: str, status: int, **more: int) -> JsonResponse:
    frame = {"t": "err", "code": code, "text": say(code, _language()), "retry": wire.may_retry(code), **more}
    return JsonResponse(frame, status=status, json_dumps_params={"ensure_ascii": False})
