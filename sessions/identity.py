"""Who is asking: a guest by the cookie bound to the event, a moderator by the account."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http.cookies import CookieError, SimpleCookie

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from sessions.codes import digest, new_secret
from sessions.http import HttpRequest
from sessions.ledger import What
from sessions.live import course, rows, streams
from sessions.live.ops import Name
from sessions.live.rows import Wish
from sessions.live.scene import Scene
from sessions.models import Device, Event, HandOver, Moderator, Participant
from sessions.steps import all_steps

log = logging.getLogger(__name__)
DAY = timedelta(days=1)  # how long a seat is remembered after the event
MINUTE = timedelta(minutes=1)
HAND_OVER_LIFE = timedelta(minutes=5)
LONGEST_SECRET = 200
PERSON = rows.readable(Participant)


class NotJoined(Exception):  # noqa: N818 - a state, not an error
    """The event exists, but this browser is nobody in it. `forged`: it showed a secret that is not valid (any more)."""

    def __init__(self, event: Event, *, forged: bool) -> None:
        super().__init__(event.key)
        self.event, self.forged = event, forged


class Removed(Exception):  # noqa: N818 - a state, not an error
    """The moderator removed this person from the event."""

    def __init__(self, event: Event) -> None:
        super().__init__(event.key)
        self.event = event


def cookie_name(event: Event) -> str:
    prefix = "__Host-" if settings.SESSION_COOKIE_SECURE else ""
    return f"{prefix}zc-{event.key}"


def secret_in(cookies: str, name: str) -> str | None:
    """The value of the cookie `name` in a Cookie header; none when it stands there twice (somebody tosses cookies)."""
    found = [value for key, _, value in (pair.strip().partition("=") for pair in cookies.split(";")) if key == name]
    if len(found) != 1:
        return None
    try:
        jar: SimpleCookie = SimpleCookie(f"x={found[0]}")
    except CookieError:
        return None
    return jar["x"].value[: LONGEST_SECRET + 1] if "x" in jar else None


def seat_secret(event: Event, cookies: str) -> str | None:
    """The secret of this event's cookie, without the time until which the browser keeps it."""
    value = secret_in(cookies, cookie_name(event))
    return value.partition(".")[0] if value else None


def participant_with(event: Event, cookies: str) -> Participant | None:
    """Whom the Cookie header names in this event, removed or not; one query when there is a secret."""
    [found] = participants_with([(event, cookies)])
    return found


def participants_with(callers: Sequence[tuple[Event, str]]) -> list[Participant | None]:
    """The same for many: one query for all."""
    return _guests_with([(event, seat_secret(event, cookies) or "") for event, cookies in callers])


def _guest_with(event: Event, secret: str) -> Participant | None:
    [found] = _guests_with([(event, secret)])
    return found


def _guests_with(claims: Sequence[tuple[Event, str]]) -> list[Participant | None]:
    digests = [digest(secret) if 0 < len(secret) <= LONGEST_SECRET else "" for _event, secret in claims]
    known = {each for each in digests if each}
    if not known:
        return [None] * len(claims)
    devices, of_people = rows.gather(
        Wish(Device, ("digest", "participant"), {"digest": known}),
        Wish(Participant, PERSON, {"devices__digest": known}),
    )
    people = {person.pk: person for person in rows.objects(Participant, PERSON, of_people)}
    whose = {each: people.get(person) for each, person in devices}
    found = [whose.get(each) for each in digests]
    return [p if p and p.event_id == event.pk else None for p, (event, _secret) in zip(found, claims, strict=True)]


def participant_of(request: HttpRequest, event: Event) -> Participant | None:
    participant = participant_with(event, request.META.get("HTTP_COOKIE", ""))
    if participant is not None:
        participant.event = event
    return participant


def guest_of(request: HttpRequest, code: str) -> tuple[Event, Participant]:
    """The event with this key and who asks in it. The event's own moderator counts when no guest cookie is there.

    Raises `Http404` for an unknown key, `NotJoined`, `Removed`.
    """
    event = course.event_with("key", code)
    if event is None:
        raise Http404
    participant = participant_of(request, event) or moderator_in(event, request.user)
    if participant is None:
        raise NotJoined(event, forged=cookie_name(event) in request.META.get("HTTP_COOKIE", ""))
    if participant.removed_at is not None:
        raise Removed(event)
    request.participant = participant
    return event, participant


def moderator_of(request: HttpRequest, code: str) -> tuple[Event, Participant]:
    """The signed-in moderator's own event with this key; `Http404` for everybody else."""
    if not isinstance(request.user, Moderator):
        raise Http404
    event = own_event(request.user, code, "sessions")
    participant = moderator_in(event, request.user)
    if participant is None:
        raise Http404
    request.participant = participant
    return event, participant


def own_event(account: Moderator, code: str, *along: str) -> Event:
    """A moderator's own event with this key, with what is read `along`; `Http404` for what is another's."""
    event = Event.objects.visible_to(account).filter(key=code).prefetch_related(*along).first()
    if event is None:
        put_down(account, code)
        raise Http404
    return event


def put_down(account: Moderator, code: str) -> None:
    """For whoever reads the log: a moderator asked for what is another's, or is not there (A64)."""
    log.warning("moderator %d asked for event %s, which is not theirs", account.pk, code)


def moderator_in(event: Event, user: object) -> Participant | None:
    """The participant that stands for the event's owner, made on first need; null for anybody else."""
    if not isinstance(user, Moderator) or user.pk != event.owner_id:
        return None
    known = Participant.objects.filter(event=event, moderator=user)
    try:
        participant = known.first() or _new_moderator(event, user)
    except IntegrityError:
        participant = known.get()
    participant.event = event
    return participant


@transaction.atomic
def _new_moderator(event: Event, user: Moderator) -> Participant:
    participant = Participant.objects.create(
        event=event, moderator=user, name=str(user)[:40], role=Participant.Role.MODERATOR
    )
    streams.open_me(participant)
    return participant


def come_in(event: Event, name: str) -> tuple[Participant, str]:
    """A new guest and the secret for the cookie. The name must have passed `sessions.names`."""
    secret = new_secret()
    return come_in_once(event, name, secret), secret


def come_in_once(event: Event, name: str, secret: str) -> Participant:
    """The guest whose cookie is `secret`: new the first time, the same one when the same form arrives again.

    Raises `Http404` when the event was deleted in that moment.
    """
    try:
        return _guest_with(event, secret) or _new_guest(event, name, secret)
    except IntegrityError:
        there = Participant.objects.filter(event=event, devices__digest=digest(secret)).first()
        if there is None:
            raise Http404 from None
        return there


@transaction.atomic
def _new_guest(event: Event, name: str, secret: str) -> Participant:
    participant = rows.add(Participant(event=event, name=name))
    rows.add(Device(participant=participant, digest=digest(secret)))
    streams.open_me(participant)
    return participant


def new_device(participant: Participant) -> str:
    secret = new_secret()
    Device.objects.create(participant=participant, digest=digest(secret))
    return secret


def new_hand_over(participant: Participant) -> str:
    """The secret of a one-time link to this seat, good for five minutes."""
    secret = new_secret()
    HandOver.objects.create(participant=participant, digest=digest(secret), expires_at=timezone.now() + HAND_OVER_LIFE)
    return secret


def hand_over_with(secret: str) -> HandOver | None:
    """The hand-over link with this secret, good or not, with its person and event."""
    return HandOver.objects.select_related("participant__event").filter(digest=digest(secret)).first()


@transaction.atomic
def take_over(secret: str) -> tuple[Participant, str] | None:
    """The person behind a hand-over link and a secret for this device; null when it is used, too old or unknown.

    A link is used up only together with what it gives: who finds the disk full can try it again.
    """
    taken = HandOver.objects.filter(digest=digest(secret), used_at=None, expires_at__gt=timezone.now())
    if not taken.update(used_at=timezone.now()):
        return None
    participant = Participant.objects.select_related("event").get(hand_overs__digest=digest(secret))
    return participant, new_device(participant)


def leave_elsewhere(participant: Participant, secret: str) -> None:
    """Signs this person out on every device but the one with `secret`; their open pages hear of it, and links to this
    seat that nobody has used lead nowhere.
    """
    participant.hand_overs.filter(used_at=None).delete()
    _take_away(participant, participant.devices.exclude(digest=digest(secret)))


def leave(participant: Participant, secret: str) -> bool:
    """Forgets the device with `secret`; true when it was this person's last."""
    _take_away(participant, participant.devices.filter(digest=digest(secret)))
    return not participant.devices.exists()


def _take_away(participant: Participant, devices: QuerySet[Device]) -> None:
    with streams.governing(participant.event) as scene:
        for pk in devices.values_list("pk", flat=True):
            scene.erase(participant.event, What.DEVICE_LEFT, pk)
        devices.delete()
        _ask_again(scene, participant)


def ask_moderator_again(moderator: Moderator) -> None:
    """Where this account leads, its open pages are asked whether they are signed in still."""
    for participant in Participant.objects.select_related("event").filter(moderator=moderator):
        with streams.governing(participant.event) as scene:
            _ask_again(scene, participant)


def _ask_again(scene: Scene, participant: Participant) -> None:
    """By a new head of this person's own stream, at which sockets are asked who they are."""
    participant.me_seq = scene.raise_head(participant.event, Name("me", participant.pk), "seat")
    scene.saves.update(participant, "me_seq")


def device_in(cookies: str, participant: Participant) -> str | None:
    """The digest of the device a guest asks from; none for a moderator, who asks with an account."""
    secret = seat_secret(participant.event, cookies)
    return digest(secret) if secret and participant.moderator_id is None else None


def login_in(cookies: str, participant: Participant) -> str | None:
    """By which key a moderator is signed in; none for a guest."""
    return secret_in(cookies, settings.SESSION_COOKIE_NAME) if participant.moderator_id is not None else None


def remember(response: HttpResponseBase, event: Event, secret: str) -> None:
    """Sets the cookie that is this person in this event; a shared computer forgets it a day after the event."""
    until = kept_until(event)
    response.set_cookie(
        cookie_name(event),
        f"{secret}.{int(until.timestamp())}",
        max_age=until - timezone.now(),
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",
    )


def remind(response: HttpResponseBase, event: Event, cookies: str) -> None:
    """Sets the cookie again when half of its last day is over, or when the event ends later than was planned."""
    name = cookie_name(event)
    secret, until = seat_secret(event, cookies), _until(secret_in(cookies, name) or "")
    late = until < planned_end(event) + DAY - MINUTE or until < timezone.now() + DAY / 2
    if secret and late and name not in response.cookies:
        remember(response, event, secret)


def kept_until(event: Event) -> datetime:
    return max(planned_end(event), timezone.now()) + DAY


def planned_end(event: Event) -> datetime:
    """Its start and everything on the run sheet: sessions, changes between them, the gallery walk."""
    return event.starts_at + sum(step.minutes for step in all_steps(list(event.sessions.all()))) * MINUTE


def _until(value: str) -> datetime:
    """Until when the browser keeps this cookie, as it says itself; long ago when it does not."""
    stamp = value.partition(".")[2]
    known = stamp.isascii() and stamp.isdigit() and len(stamp) < 11
    return datetime.fromtimestamp(int(stamp) if known else 0, UTC)


def forget(response: HttpResponse, event: Event) -> None:
    response.delete_cookie(cookie_name(event), samesite="Lax")
