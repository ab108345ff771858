"""One operation by every way it can travel: socket, POST, plain form. Each returns the code of its refusal."""

import json
from collections.abc import Awaitable, Callable, Iterable
from html import unescape
from typing import Any

from django.test import AsyncClient

from sessions.live.words import SENTENCES, say
from sessions.models import Participant
from tests.browsing import Browser
from tests.cafe import Cafe, new_id

Way = Callable[[Cafe, Participant, str, str, dict[str, Any]], Awaitable[str | None]]
SAME = {"bad_json": "bad_frame", "unknown_type": "bad_frame"}  # said with one sentence


async def by_socket(cafe: Cafe, who: Participant, stream: str, kind: str, data: dict[str, Any]) -> str | None:
    browser = await Browser(cafe.event.key, cafe.cookie(who)).hello()
    answer = await browser.posts(stream, kind, **data)
    await browser.leaves()
    return answer.get("code")


async def by_post(cafe: Cafe, who: Participant, stream: str, kind: str, data: dict[str, Any]) -> str | None:
    frame = {"t": "op", "id": str(new_id()), "s": stream, "k": kind, "d": data}
    answer = await post(cafe, who, json.dumps(frame))
    assert answer.status_code < 500
    return answer.json().get("code")


async def by_form(cafe: Cafe, who: Participant, stream: str, kind: str, data: dict[str, Any]) -> str | None:
    form = {"id": str(new_id()), "s": stream, "k": kind, **{name: as_typed(value) for name, value in data.items()}}
    answer = await client(cafe, who).post(f"/live/{cafe.event.key}/ops", form)
    if answer.status_code == 303:
        return None
    assert answer.status_code == 422
    page = unescape(answer.content.decode())
    return next(SAME.get(code, code) for code in SENTENCES if say(code, "en") in page)


def as_typed(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


async def post(cafe: Cafe, who: Participant, body: str | bytes, **options: Any) -> Any:
    options = {"content_type": "application/json", **options}
    return await client(cafe, who).generic("POST", f"/live/{cafe.event.key}/ops", body, **options)


def client(cafe: Cafe, who: Participant | None) -> AsyncClient:
    found = AsyncClient(headers={"accept-language": "en"})
    if who is not None:
        name, _, value = cafe.cookie(who).partition("=")
        found.cookies[name] = value
    return found


WAYS: dict[str, Way] = {"socket": by_socket, "post": by_post, "form": by_form}


async def everywhere(
    cafe: Cafe, who: Participant, stream: str, kind: str, data: dict[str, Any], *, ways: Iterable[str] = WAYS
) -> set[str | None]:
    """The codes of all ways; one, when they agree."""
    return {await WAYS[way](cafe, who, stream, kind, data) for way in ways}
