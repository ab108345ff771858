"""Every form there is, filled in by an attacker: never a fault of ours, and what was typed is not lost.

The forms are found on the pages, the addresses that take POST in the resolver; who adds one need not remember this.
`TEST_MORE=10` sends ten times as many, other ones each time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.test import Client
from django.urls import resolve
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from sessions import identity, tries
from sessions.limits import Limiter
from sessions.models import Event, Moderator, Participant
from sessions.phases import Phase
from tables.models import Note, Seat, Table
from tests.cafe import Cafe
from tests.cast import put
from tests.forms_found import Form, forms_in
from tests.forms_spoiled import (
    BODIES,
    GOOD_BODIES,
    HEADERS,
    SPOILED,
    TOKEN,
    UPLOADED,
    Body,
    Pair,
    filled_in,
    urlencoded,
)
from tests.hostile import faults_in, thorough
from tests.test_hostile_pages import Asked, Door, filled, routes
from zoomcafe.lanes import Lanes, Pages

pytestmark = pytest.mark.django_db(transaction=True)
PHASES = {Phase.LOBBY: None, Phase.SEATING: 1, Phase.RUNNING: 1, Phase.GALLERY: None}
WHO = ("ada", "cem", "eve", "nobody")
LANES = 2
EMPTY_HANDED = {302, 303}
OWN_PAGES = {401, 403, 410, 422, 429}


@dataclass
class Place:
    """A form on a page: who sees it there, when, and the how manieth that goes to the same address."""

    who: str
    phase: Phase
    page: str  # route
    action: str  # route
    number: int
    form: Form

    def __repr__(self) -> str:
        return f"{self.action} as {self.who} sees it in {self.phase} on {self.page}, number {self.number}"


class Town(Door):
    """The café behind its front door, with everybody who may stand before it."""

    def __init__(self, pages: Pages, log: pytest.LogCaptureFixture) -> None:
        self.log = log
        cafe = Cafe().runs()
        super().__init__(cafe, pages)
        identity.new_device(cafe.cem)
        _nobody, cem, ada = self.cookies
        eve = f"{identity.cookie_name(cafe.eve.event)}={cafe.eves_secret}"
        self.known = {"ada": ada, "cem": cem, "eve": eve, "nobody": ""}

    def is_whole(self) -> bool:
        """Nobody has deleted the event, gone, or signed out, as they may."""
        secret = identity.digest(self.cafe.secrets[self.cafe.cem.pk])
        stays = Participant.objects.filter(pk=self.cafe.cem.pk, removed_at=None, devices__digest=secret).exists()
        session = Client()
        session.cookies[settings.SESSION_COOKIE_NAME] = self.known["ada"].partition("=")[2]
        return stays and Event.objects.filter(pk=self.cafe.event.pk).exists() and "_auth_user_id" in session.session

    def renewed(self) -> Town:
        return self if self.is_whole() else Town(self.pages, self.log)

    def address(self, route: str) -> str:
        """The route, leading to what there is in this café."""
        if route.startswith("/h/"):
            return filled(route, identity.new_hand_over(self.cafe.dana))
        if route.startswith("/sign-in/<"):
            return filled(route, self.cafe.ada.new_link())
        if route.startswith("/j/"):
            return filled(route, Event.objects.get(pk=self.cafe.event.pk).join_code)
        return filled(route.replace("<int:board>", str(self.cafe.board().pk)), self.cafe.event.key)

    async def look(self, who: str, address: str) -> str:
        _status, headers, content = await self.ask(address, cookie=f"csrf={TOKEN}; {self.known[who]}")
        return content.decode() if headers.get("content-type", "").startswith("text/html") else ""

    async def forms(self, who: str, phase: Phase) -> list[Place]:
        found = []
        await sync_to_async(put)(self.cafe.event, phase, session=PHASES[phase])
        for route, _entry in routes():
            address = await sync_to_async(self.address)(route)
            for number, form in enumerate(forms_in(await self.look(who, address))):
                found.append(Place(who, phase, route, route_of(urljoin(address, form.action)), number, form))
        return found

    async def form_now(self, place: Place) -> tuple[str, Form]:
        """Where it sends, and the form as it stands on the page now; as it was found when it is not there."""
        await sync_to_async(put)(self.cafe.event, place.phase, session=PHASES[place.phase])
        address = await sync_to_async(self.address)(place.page)
        found = forms_in(await self.look(place.who, address))[place.number : place.number + 1]
        if found and route_of(urljoin(address, found[0].action)) == place.action:
            return urljoin(address, found[0].action), found[0]
        return await sync_to_async(self.address)(place.action), place.form

    async def send(self, who: str, address: str, body: Body, **headers: str) -> Asked:
        cookie = f"csrf={TOKEN}; {self.known[who]}"
        content, kind = body
        said = {"content_type": kind, "content_length": str(len(content)), **headers}
        return await self.ask(address, method="POST", cookie=cookie, body=content, **said)

    def facts(self) -> list[Any]:
        """What neither a guest nor anybody from outside can change by a form of theirs."""
        here: Any = {"event": self.cafe.event.pk}
        shown = [
            Event.objects.filter(pk=self.cafe.event.pk).values_list("title", "phase", "doors_open", "join_code"),
            Table.objects.filter(**here).order_by("pk").values_list("name", "cap", "open", "host"),
            Participant.objects.filter(**here, moderator=None, removed_at=None).order_by("pk")[:3].values_list("name"),
            Moderator.objects.order_by("pk").values_list("email", "name", "password"),
        ]
        return [list(rows) for rows in shown]

    def words(self) -> list[Any]:
        """What nobody from outside can change."""
        rows = Note.objects.filter(board__session__event=self.cafe.event.pk).order_by("pk").values_list("text", "seq")
        seats = (
            Seat.objects.filter(session__event=self.cafe.event.pk).order_by("pk").values_list("participant", "table")
        )
        return [list(rows), list(seats)]

    def complains_of_nothing(self) -> None:
        assert faults_in(self.log.records) == []
        self.log.clear()


def route_of(address: str) -> str:
    return f"/{resolve(address.partition('?')[0]).route}"


class Square:
    """Where the towns stand; the forms were found in the first."""

    def __init__(self, town: Town, found: list[Place]) -> None:
        self.town = town
        self.found = found

    async def ready(self) -> Town:
        for limiter in vars(tries).values():
            if isinstance(limiter, Limiter):
                limiter.forget()
        self.town = await sync_to_async(self.town.renewed)()
        self.town.log.clear()
        return self.town

    def forms(self, nth: int) -> list[Place]:
        """One for each address, wherever it stands."""
        found: dict[str, list[Place]] = {}
        for place in self.found:
            found.setdefault(place.action, []).append(place)
        return [those[nth % len(those)] for those in found.values()]


@pytest.fixture
async def square(transactional_db: None, settings: Settings, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Square]:
    settings.LIMIT_OPS_BURST = settings.LIMIT_OPS_PER_SECOND = 100_000
    lanes = Lanes(LANES, patience=60)
    town = await sync_to_async(Town)(Pages(lanes), caplog)
    found = [place for who in WHO for phase in PHASES for place in await town.forms(who, phase)]
    yield Square(town, found)
    await close(lanes)


async def close(lanes: Lanes) -> None:
    import asyncio

    from sessions.live import threads

    loop = asyncio.get_running_loop()
    await asyncio.gather(*(asyncio.wrap_future(lanes.submit(connections.close_all), loop=loop) for _ in range(LANES)))
    lanes.shutdown()
    await threads.close()
    await sync_to_async(connections.close_all)()


async def takes_post(town: Town, route: str) -> bool:
    """Whether a POST gets as far as the view, with names that lead nowhere."""
    status, _headers, _content = await town.send("ada", filled(route, "0"), urlencoded([]), x_csrftoken=TOKEN)
    return status != 405


async def test_every_address_that_takes_post_has_a_form_that_is_fuzzed(square: Square) -> None:
    posting = {route for route, _entry in routes() if await takes_post(await square.ready(), route)}
    assert posting == {place.action for place in square.found}


@dataclass
class Sent:
    """What was sent, and what came back."""

    place: Place
    form: Form
    pairs: list[Pair]
    is_good: bool  # as a body
    headers: dict[str, str]
    status: int
    answered: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def typed(self) -> dict[str, str]:
        """What a person has typed; nothing when what the page keeps beside it has been touched."""
        names = {found.name for found in self.form.fields if found.is_typed}
        page = [(name, value) for name, value in self.pairs if name not in names]
        if page != [(name, value) for name, value in filled_in(self.form, []) if name not in names]:
            return {}
        return {name: value for name, value in dict(self.pairs).items() if name in names and is_text(value)}


def is_text(value: str) -> bool:
    """Something to lose, and possible to send."""
    return bool(value.strip()) and value.isprintable() and value != UPLOADED


@thorough(14)
@given(
    nth=st.integers(0, 99),
    who=st.sampled_from([None, None, None, *WHO]),
    wrong=SPOILED,
    body=BODIES,
    headers=HEADERS,
)
async def test_every_form_gets_an_answer_and_keeps_what_was_typed(
    square: Square, nth: int, who: str | None, wrong: Any, body: Callable[..., Body], headers: dict[str, str]
) -> None:
    for place in square.forms(nth):
        town = await square.ready()
        address, form = await town.form_now(place)
        before = await sync_to_async(town.facts)(), await sync_to_async(town.words)()
        pairs = filled_in(form, wrong)
        sender = who or place.who
        answer = await town.send(sender, address, body(pairs), **headers)
        assert_is_answered(Sent(place, form, pairs, body in GOOD_BODIES, headers, *answer))
        if await sync_to_async(town.is_whole)():
            facts, words = await sync_to_async(town.facts)(), await sync_to_async(town.words)()
            assert (place, sender == "ada" or facts == before[0]) == (place, True)
            assert (place, sender in {"ada", "cem"} or words == before[1]) == (place, True)
        town.complains_of_nothing()


def assert_is_answered(sent: Sent) -> None:
    kind = sent.answered.get("content-type", "")
    assert sent.status < 500
    assert kind in {"text/html; charset=utf-8", "application/json"}
    assert "Traceback" not in sent.text
    assert sent.answered.get("location", "/").startswith("/")
    assert "evil" not in sent.answered.get("location", "")
    assert sent.content or sent.status in EMPTY_HANDED
    if kind.startswith("text/html"):
        assert_is_kept(sent)


def assert_is_kept(sent: Sent) -> None:
    """A form that is refused comes back with its words; whatever htmx gets instead of them is a fragment."""
    if sent.status == 422 and sent.is_good:
        shown = [found.value for form in forms_in(sent.text) for found in form.fields]
        lost = {name: value for name, value in sent.typed().items() if value not in shown}
        assert (sent.place, lost) == (sent.place, {})
    elif sent.status >= 400 and sent.status not in OWN_PAGES:
        assert ("<html" in sent.text) is ("hx_request" not in sent.headers)
