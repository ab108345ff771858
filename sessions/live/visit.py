"""Who opens a socket or asks over HTTP: found in one database visit, with the code to close with if it is nobody."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from sessions.identity import cookie_name, moderator_in, participants_with, put_down, secret_in
from sessions.live import course, reading, rights, rows
from sessions.live.kinds import KINDS
from sessions.live.ops import Name, Refused
from sessions.live.reading import find_all
from sessions.live.rows import Wish
from sessions.live.wire import MOST_STREAMS, stream_name
from sessions.logins import account_of
from sessions.models import Device, Event, Participant, Stream
from sessions.models.moderator import Moderator

ALWAYS = ("stage", "me")
PERSON = rows.readable(Participant)


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


class Caller(NamedTuple):
    """Who opens a socket: the event's key in its address, its Cookie header."""

    code: str
    cookies: str
    as_moderator: bool


class Hello(NamedTuple):
    """What they then say, as `followed` takes it, and by what they were let in, which may have ended since."""

    person: Participant
    wishes: dict[str, Any]
    epoch: str | None
    device: str | None = None  # digest of a guest's secret
    login: str | None = None  # by which a moderator is signed in


def viewer(code: str, cookies: str, *, as_moderator: bool) -> Participant:
    """The guest behind the cookie; on moderator pages, or where no guest is, the moderator. Raises `Closed`."""
    [found] = viewers([Caller(code, cookies, as_moderator)])
    if isinstance(found, Closed):
        raise found
    return found


def viewers(callers: Sequence[Caller]) -> list[Participant | Closed]:
    """`viewer` for many: two queries for all guests among them."""
    events = {event.key: event for event in rows.whole(Event, {"key": {caller.code for caller in callers}})}
    asking = [(events[c.code], "" if c.as_moderator else c.cookies) for c in callers if c.code in events]
    guests = iter(participants_with(asking))
    found: list[Participant | Closed] = []
    for caller in callers:
        event = events.get(caller.code)
        try:
            if event is None:
                raise Closed(4404, "not_found")  # noqa: TRY301 - the same answer as of those that are nobody
            found.append(_viewer(event, next(guests), caller))
        except Closed as nobody:
            found.append(nobody)
    return found


def _viewer(event: Event, person: Participant | None, caller: Caller) -> Participant:
    code, cookies, as_moderator = caller
    if person is None and (as_moderator or cookie_name(event) not in cookies):
        account = account_of(secret_in(cookies, settings.SESSION_COOKIE_NAME) or "")
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


def followed(person: Participant, wishes: dict[str, Any], epoch: str | None) -> Followed:
    """The streams of a `hello` that may be followed; `stage` and `me` are always among them.

    A cursor from another epoch counts for nothing. Raises `Refused` for what is no cursor, `Closed` for who is nobody
    any more.
    """
    [found] = followings([Hello(person, wishes, epoch)])
    if isinstance(found, Exception):
        raise found
    return found


def followings(hellos: Sequence[Hello]) -> list[Followed | Refused | Closed]:
    """`followed` for many, with as many queries as for one (and two for each moderator's sign-in)."""
    asked = [_wishes_of(hello) for hello in hellos]
    names = [
        (hello.person, [] if isinstance(each, Refused) else list(each.cursors))
        for hello, each in zip(hellos, asked, strict=True)
    ]
    found = find_all(names)
    people = _again(hellos)  # after the heads: what changes from now on raises one of them
    here = {person.pk: person for person in people if isinstance(person, Participant)}
    allowed = rights.visible(here.values(), {row.pk: row for those in found for row in those.values()}.values())
    seats = KINDS["me"].seats(list(here.values()))
    return [
        each
        if isinstance(each, Refused)
        else person
        if isinstance(person, Closed)
        else _followed(hello, each, those, person, allowed, seats)
        for hello, each, those, person in zip(hellos, asked, found, people, strict=True)
    ]


class Wishes(NamedTuple):
    """Streams that can be, with their cursors, and what cannot, with the code that says so."""

    cursors: dict[Name, int | None]
    refused: list[tuple[Name, str]]


def _wishes_of(hello: Hello) -> Wishes | Refused:
    wishes = hello.wishes
    if len(wishes) > MOST_STREAMS or any(type(after) is not int for after in wishes.values()):
        return Refused("bad_field")
    asked = {**dict.fromkeys(ALWAYS), **wishes}
    found = Wishes({}, [])
    for text, after in asked.items():
        try:
            found.cursors[stream_name(text)] = after
        except Refused as refusal:
            found.refused.append((Name(text[:40]), refusal.code))
    return found


def _followed(
    hello: Hello,
    wishes: Wishes,
    found: Mapping[Name, Stream],
    person: Participant,
    allowed: Collection[tuple[int, int]],
    seats: Mapping[int, dict[str, Any] | None],
) -> Followed:
    same = hello.epoch is None or hello.epoch == str(person.event.epoch)
    streams, refused = [], wishes.refused
    for name, after in wishes.cursors.items():
        row = found.get(name)
        if row is None or (person.pk, row.pk) not in allowed:
            refused.append((name, "not_allowed_now" if row else "not_found"))
        else:
            streams.append((name, row, after if same else None))
    judged = {row.pk: row.head for row in found.values() if row.kind in ALWAYS}
    return Followed(streams, refused, judged, reading.who(person, seats.get(person.pk)), str(person.event.epoch))


def _again(hellos: Sequence[Hello]) -> list[Participant | Closed]:
    """Who they are as of now, or why they are nobody any more: time has passed since their sockets were opened."""
    known = {hello.person.pk: hello.person.event_id for hello in hellos}
    *of_events, of_people, of_devices = rows.gather(
        *course.wishes(set(known.values()))[:2],
        Wish(Participant, PERSON, {"id": list(known)}),
        Wish(Device, ("digest", "participant"), {"digest": {hello.device for hello in hellos if hello.device}}),
    )
    events = course.put_together(*of_events)
    people = {person.pk: person for person in rows.objects(Participant, PERSON, of_people)}
    for person in people.values():
        person.event = events[person.event_id]
    devices = {(digest, person) for digest, person in of_devices}
    accounts = {login: account_of(login) for login in {hello.login for hello in hellos} if login is not None}
    return [_still(hello, people.get(hello.person.pk), devices, accounts) for hello in hellos]


def _still(
    hello: Hello,
    person: Participant | None,
    devices: Collection[tuple[str, int]],
    accounts: Mapping[str, Moderator | None],
) -> Participant | Closed:
    if person is None:
        return Closed(4404, "not_found")
    if person.removed_at is not None:
        return Closed(4403, "removed")
    account = accounts[hello.login] if hello.login is not None else None
    signed_out = hello.login is not None and (account is None or account.pk != person.moderator_id)
    if signed_out or (hello.device is not None and (hello.device, person.pk) not in devices):
        return Closed(4401, "sign_in")
    return person


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
