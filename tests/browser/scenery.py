"""The sample's evening, stopped where it is worth looking at. Run beside a server: `manage.py shell -c "…"`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from django.utils import timezone

from sessions import identity
from sessions.clock import now_ms
from sessions.live import streams
from sessions.live.ops import Name, Op
from sessions.live.uuid7 import uuid7
from sessions.models import Event, Moderator, Participant
from sessions.phases import Phase
from tables.models import Board, Note, Seat
from tables.plan import build
from tables.samples.content import content
from tables.samples.loading import carry_out, invite, moderator_of, plan
from tables.samples.story import Story

# How many acts of the story have been played, and the phase the event then stands in.
SCENES: dict[str, tuple[int, Phase, int | None]] = {
    "draft": (0, Phase.DRAFT, None),
    "lobby": (2, Phase.LOBBY, None),
    "seating": (4, Phase.SEATING, 1),
    "running": (12, Phase.RUNNING, 2),
    "over": (12, Phase.OVER, 2),
    "gallery": (15, Phase.GALLERY, None),
    "closed": (16, Phase.CLOSED, None),
    "broken": (0, Phase.DRAFT, None),
}
HAS_LEFT = 7  # every seventh seat is free again
WORD = {"en": "Fresh coffee by the window.", "de": "Am Fenster gibt es frischen Kaffee."}
OWN = {"en": ("Ask the neighbours first", "Never mind"), "de": ("Zuerst die Nachbarschaft fragen", "Vergessen Sie das")}


@dataclass(frozen=True)
class Scene:
    """What a browser needs to be there: the event's key and join code, a guest's cookie, ways for others."""

    key: str
    code: str
    name: str
    cookie: str
    removed: str
    board: int
    hand_over: str


def set_up(language: str) -> str:
    """Makes every scene with texts in `language`; JSON of the scenes by name."""
    ada = Moderator.objects.named("ada@example.org", name="Ada")
    scenes = {name: asdict(scene(ada, name, language)) for name in SCENES}
    elsewhere = Moderator.objects.named("mallory@example.org", name="Mallory")
    Event.objects.filter(key=scenes["broken"]["key"]).update(owner=elsewhere, time_zone="No/Where")
    return json.dumps(scenes)


def scene(owner: Moderator, name: str, language: str) -> Scene:
    words = content(language)
    acts, phase, number = SCENES[name]
    event = build(owner, replace(plan(language), title=words.title, starts_at=timezone.now()))
    moderator = moderator_of(event)
    invite(event, words)
    streams.open_for(event)
    for _at, act in zip(range(acts), Story(event, words, moderator).acts(), strict=False):
        carry_out(act)
    guest, removed = event.participants.filter(role=Participant.Role.GUEST)[:2]
    if phase not in {Phase.DRAFT, Phase.CLOSED}:
        lead(moderator, phase, number)
        some_leave(moderator, guest)
        does(moderator, "room", "person.set", p=removed.pk, removed=True)
    if name == "running":
        hide_one(moderator, guest)
    return Scene(
        key=event.key,
        code=event.join_code,
        name=guest.name,
        cookie=identity.new_device(guest),
        removed=identity.new_device(removed),
        board=Board.objects.filter(session__event=event).order_by("pk")[0].pk,
        hand_over=identity.new_hand_over(guest),
    )


def lead(moderator: Participant, phase: Phase, number: int | None) -> None:
    does(moderator, "stage", "phase.go", phase=str(phase), **({"session": number} if number else {}))
    if phase is Phase.RUNNING:
        does(moderator, "stage", "clock.add", minutes=-8)
        does(moderator, "stage", "word.say", text=WORD[moderator.event.language])


def some_leave(moderator: Participant, guest: Participant) -> None:
    event = Event.objects.prefetch_related("sessions").get(pk=moderator.event_id)
    seats = Seat.objects.filter(session=event.current_session()).exclude(participant=guest).order_by("pk")
    for person in seats.values_list("participant_id", flat=True)[::HAS_LEFT]:
        does(moderator, "room", "seat.put", p=person, table=None)


def hide_one(moderator: Participant, guest: Participant) -> None:
    """A note of the guest's at the table they sit at."""
    seat = Seat.objects.filter(participant=guest, session__number=2).get()
    board = Board.objects.get(session=seat.session, table=seat.table)
    question = seat.session.questions.all()[0]
    stream = f"board:{board.pk}"
    for text in OWN[moderator.event.language]:
        does(guest, stream, "note.add", q=question.pk, text=text, colour="sky")
    note = Note.objects.filter(board=board, author=guest).latest("pk")
    does(moderator, stream, "note.hide", note=note.pk)


def does(who: Participant, stream: str, kind: str, **data: object) -> None:
    name, _, ref = stream.partition(":")
    now = now_ms()
    op = Op(uuid7(now), who.event_id, who.pk, Name(name, int(ref)) if ref else Name(name), kind, data, None, now)
    [answer] = streams.apply([op])
    if answer.code:
        raise ValueError(f"{kind}: {answer.code}")
