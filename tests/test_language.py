"""The button for the other language: it leads to the page one is on, and never to an address that answers no GET."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from sessions.live.uuid7 import uuid7
from sessions.models import Event, Moderator, Participant
from tables.models import Table
from tests.cast import browser_of, come_in
from tests.forms_found import forms_in
from tests.pages import reads
from tests.test_hostile_pages import filled, routes

pytestmark = pytest.mark.django_db(transaction=True)


def places_in(html: str) -> set[str]:
    """Where the page goes with another language; empty where it offers none."""
    found = [form for form in forms_in(html) if form.action == "/language/"]
    return {field.value for form in found for field in form.fields if field.name == "next"}


def goes_on_in_german(browser: Client, html: str) -> str:
    [place] = places_in(html)
    answer = browser.post("/language/", {"language": "de", "next": place}, follow=True)
    assert (answer.status_code, '<html lang="de"' in answer.content.decode()) == (200, True)
    return answer.redirect_chain[-1][0]


def test_a_page_is_shown_again_as_it_was_asked_for(event: Event, cem: Participant) -> None:
    browser = browser_of(cem)
    for place in ("/about/", f"/e/{event.key}/me/", f"/e/{event.key}/lobby/?view=list"):
        assert goes_on_in_german(browser, browser.get(place).content.decode()) == place


def test_a_link_for_another_device_gives_way_to_the_page_about_me(event: Event, cem: Participant) -> None:
    browser = browser_of(cem)
    page = browser.post(f"/e/{event.key}/me/link/").content.decode()
    assert reads(page, "Link to your seat")
    assert goes_on_in_german(browser, page) == f"/e/{event.key}/me/"


def test_words_that_were_refused_are_on_no_other_page(event: Event, cem: Participant) -> None:
    browser, board = browser_of(cem), f"board:{Table.objects.get(event=event, number=2).boards.first().pk}"
    answer = browser.post(f"/live/{event.key}/ops", op(board, "note.add", q="1", text="Benches", colour="mint"))
    assert (answer.status_code, reads(answer.content.decode(), "Not saved")) == (422, True)
    assert places_in(answer.content.decode()) == set()


def test_where_nothing_was_typed_the_way_leads_back(event: Event, table_1: Table) -> None:
    lobby, late = f"/e/{event.key}/lobby/", browser_of(come_in(event, "Late"))
    Table.objects.filter(pk=table_1.pk).update(open=False)
    answer = late.post(f"/live/{event.key}/ops", op("room", "seat.take", table=table_1.pk, next=lobby))
    assert (answer.status_code, reads(answer.content.decode(), "Not saved")) == (422, True)
    assert goes_on_in_german(late, answer.content.decode()) == lobby


@pytest.mark.parametrize("stale", [False, True], ids=["fresh forms", "stale forms"])
def test_no_page_leads_to_an_address_without_a_page(
    event: Event, ada: Moderator, cem: Participant, *, stale: bool
) -> None:
    """Whoever posts wherever, as somebody who may or not."""
    removed = come_in(event, "Removed")
    Participant.objects.filter(pk=removed.pk).update(removed_at=timezone.now())
    offers = 0
    for address in addresses(event):
        for browser in visitors(event, ada, cem, removed, stale=stale):
            page = browser.post(address, {"text": "Benches"}).content.decode()
            for place in places_in(page):
                assert browser.get(place).status_code != 405, (address, place)
                offers += 1
    assert stale or offers > 10


def addresses(event: Event) -> list[str]:
    """Every address there is; deleting, leaving and signing out come last."""
    found = [filled(route.replace("<int:board>", "1"), event.key) for route, _entry in routes()]
    return sorted(found, key=lambda place: place.rstrip("/").endswith(("leave", "sign-out", "delete")))


def visitors(event: Event, ada: Moderator, cem: Participant, removed: Participant, *, stale: bool) -> Iterator[Client]:
    forger = come_in(event, "Forger")
    forger.secret = "x" * 32  # type: ignore[attr-defined]
    for person in (None, cem, removed, forger, ada):
        browser = browser_of(person)
        browser.handler.enforce_csrf_checks = stale
        yield browser


def op(stream: str, kind: str, **values: object) -> dict[str, object]:
    return {"id": str(uuid7()), "s": stream, "k": kind, **values}
