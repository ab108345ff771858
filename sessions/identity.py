"""Who is asking: a guest by the cookie bound to the event, a moderator by the account."""

from datetime import timedelta
from http.cookies import CookieError, SimpleCookie

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.utils import timezone

from sessions.codes import digest, new_secret
from sessions.http import HttpRequest
from sessions.live import streams
from sessions.models import Device, Event, HandOver, Moderator, Participant

COOKIE_LIFE = timedelta(days=7)
HAND_OVER_LIFE = timedelta(minutes=5)
LONGEST_SECRET = 200


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


def participant_with(event: Event, cookies: str) -> Participant | None:
    """Whom the Cookie header names in this event, removed or not; one query when there is a secret."""
    secret = secret_in(cookies, cookie_name(event))
    if not secret or len(secret) > LONGEST_SECRET:
        return None
    return Participant.objects.filter(event=event, devices__digest=digest(secret)).first()


def participant_of(request: HttpRequest, event: Event) -> Participant | None:
    participant = participant_with(event, request.META.get("HTTP_COOKIE", ""))
    if participant is not None:
        participant.event = event
    return participant


def guest_of(request: HttpRequest, code: str) -> tuple[Event, Participant]:
    """The event with this key and who asks in it. The event's own moderator counts when no guest cookie is there.

    Raises `Http404` for an unknown key, `NotJoined`, `Removed`.
    """
    event = Event.objects.filter(key=code).prefetch_related("sessions").first()
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
    event = None
    if isinstance(request.user, Moderator):
        event = Event.objects.visible_to(request.user).filter(key=code).prefetch_related("sessions").first()
    participant = moderator_in(event, request.user) if event else None
    if event is None or participant is None:
        raise Http404
    request.participant = participant
    return event, participant


def moderator_in(event: Event, user: object) -> Participant | None:
    """The participant that stands for the event's owner, made on first need; null for anybody else."""
    if not isinstance(user, Moderator) or user.pk != event.owner_id:
        return None
    participant, made = Participant.objects.get_or_create(
        event=event, moderator=user, defaults={"name": str(user)[:40], "role": Participant.Role.MODERATOR}
    )
    if made:
        streams.open_me(participant)
    participant.event = event
    return participant


def come_in(event: Event, name: str) -> tuple[Participant, str]:
    """A new guest and the secret for the cookie. The name must have passed `sessions.names`."""
    secret = new_secret()
    return come_in_once(event, name, secret), secret


def come_in_once(event: Event, name: str, secret: str) -> Participant:
    """The guest whose cookie is `secret`: new the first time, the same one when the same form arrives again."""
    known = Participant.objects.filter(event=event, devices__digest=digest(secret))
    try:
        return known.first() or _new_guest(event, name, secret)
    except IntegrityError:
        return known.get()


@transaction.atomic
def _new_guest(event: Event, name: str, secret: str) -> Participant:
    participant = Participant.objects.create(event=event, name=name)
    Device.objects.create(participant=participant, digest=digest(secret))
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


def take_over(secret: str) -> tuple[Participant, str] | None:
    """The person behind a hand-over link and a secret for this device; null when it is used, too old or unknown."""
    taken = HandOver.objects.filter(digest=digest(secret), used_at=None, expires_at__gt=timezone.now())
    if not taken.update(used_at=timezone.now()):
        return None
    participant = Participant.objects.select_related("event").get(hand_overs__digest=digest(secret))
    return participant, new_device(participant)


def leave_elsewhere(participant: Participant, secret: str) -> None:
    """Signs this person out on every device but the one with `secret`."""
    participant.devices.exclude(digest=digest(secret)).delete()


def leave(participant: Participant, secret: str) -> bool:
    """Forgets the device with `secret`; true when it was this person's last."""
    participant.devices.filter(digest=digest(secret)).delete()
    return not participant.devices.exists()


def remember(response: HttpResponse, event: Event, secret: str) -> None:
    """Sets the cookie that is this person in this event."""
    response.set_cookie(
        cookie_name(event),
        secret,
        max_age=COOKIE_LIFE,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",
    )


def forget(response: HttpResponse, event: Event) -> None:
    response.delete_cookie(cookie_name(event), samesite="Lax")
