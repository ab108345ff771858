"""Who opens a socket or asks over HTTP: found in one database visit, with the code to close with if it is nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from sessions.codes import SESSION_KEY
from sessions.identity import cookie_name, moderator_in, participant_with, put_down, secret_in
from sessions.live import course, reading, rights, rows
from sessions.live.ops import Name, Refused
from sessions.live.reading import find
from sessions.live.wire import MOST_STREAMS, stream_name
from sessions.models import Event, Participant, Stream
from sessions.models.moderator import Moderator

ALWAYS = ("stage", "me")


class Closed(Exception):  # noqa: N818 - an answer, not an error
    """Nobody here: the close code of `sync.md` and the code that tells why."""

    def __init__(self, close: int, code: str) -> None:
        super().__init__(code)
        self.close, self.code = close, code


@dataclass(frozen=True, slots=True)
class Followed:
    """What a `hello` or a poll asks for: streams with cursors, refused ones with their code, who asks.

    `judged` are the heads of the streams that rights hang on, as they were when rights were asked for.
    """

    streams: list[tuple[Name, Stream, int | None]]
    refused: list[tuple[Name, str]]
    judged: dict[int, int]
    me: dict[str, Any]
    epoch: str


def viewer(code: str, cookies: str, *, as_moderator: bool) -> Participant:
    """The guest behind the cookie; on moderator pages, or where no guest is, the moderator. Raises `Closed`."""
    event = next(iter(rows.whole(Event, {"key": [code]})), None)
    if event is None:
        raise Closed(4404, "not_found")
    person = None if as_moderator else participant_with(event, cookies)
    if person is None and (as_moderator or cookie_name(event) not in cookies):
        account = _signed_in(cookies)
        person = moderator_in(event, account)
        if person is None and as_moderator and isinstance(account, Moderator):
            put_down(account, code)
            raise Closed(4404, "not_found")  # somebody else's: as if there were none
    if person is None:
        raise Closed(4401, "sign_in")
    if person.removed_at is not None:
        raise Closed(4403, "removed")
    person.event = event
    return person


def _signed_in(cookies: str) -> object:
    """The account of Django's session cookie, as its middleware would find it."""
    from importlib import import_module

    key = secret_in(cookies, settings.SESSION_COOKIE_NAME)
    if not key or not SESSION_KEY.fullmatch(key):
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(request)
    return user if isinstance(user, Moderator) else None


def followed(person: Participant, wishes: dict[str, Any], epoch: str | None) -> Followed:
    """The streams of a `hello` that may be followed; `stage` and `me` are always among them.

    A cursor from another epoch counts for nothing. Raises `Refused` for what is no cursor, `Closed` for who is nobody
    any more.
    """
    if len(wishes) > MOST_STREAMS or any(type(after) is not int for after in wishes.values()):
        raise Refused("bad_field")
    asked = {**dict.fromkeys(ALWAYS), **wishes}
    cursors: dict[Name, int | None] = {}
    refused: list[tuple[Name, str]] = []
    for text, after in asked.items():
        try:
            cursors[stream_name(text)] = after
        except Refused as refusal:
            refused.append((Name(text[:40]), refusal.code))
    rows = find(person, list(cursors))
    person = _again(person)  # after the heads: what changes from now on raises one of them
    same = epoch is None or epoch == str(person.event.epoch)
    allowed = rights.visible([person], rows.values())
    streams = []
    for name, after in cursors.items():
        row = rows.get(name)
        if row is None or (person.pk, row.pk) not in allowed:
            refused.append((name, "not_allowed_now" if row else "not_found"))
        else:
            streams.append((name, row, after if same else None))
    judged = {row.pk: row.head for row in rows.values() if row.kind in ALWAYS}
    return Followed(streams, refused, judged, reading.who(person), str(person.event.epoch))


def _again(person: Participant) -> Participant:
    """The person as of now: time has passed since the socket was opened."""
    found = next(iter(rows.whole(Participant, {"id": [person.pk]})), None)
    if found is None:
        raise Closed(4404, "not_found")
    if found.removed_at is not None:
        raise Closed(4403, "removed")
    found.event = course.events([found.event_id])[found.event_id]
    return found


def language_of(cookies: str, accepted: str) -> str:
    """The reader's language: as chosen with the switch, else as the browser asks."""
    chosen = secret_in(cookies, settings.LANGUAGE_COOKIE_NAME)
    wishes: Sequence[str] = [chosen] if chosen else [lang for lang, _q in parse_accept_lang_header(accepted.lower())]
    for wish in wishes:
        try:
            return get_supported_language_variant(wish)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
