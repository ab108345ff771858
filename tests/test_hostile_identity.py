"""Forged, foreign, stale and borrowed identities (A43, A44, A46 to A49, A53, A54, A56, A64, A90, A97)."""

import threading
from datetime import UTC, datetime, timedelta
from http.cookies import Morsel
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from sessions import identity, tries
from sessions.models import Device, Event, Moderator, Participant
from sessions.views import account
from tests.cast import browser_of, come_in

PASSWORD = "the kettle sings at five"
PAGES = ("", "lobby/", "table/", "gallery/", "me/")


def with_cookie(value: str, event: Event) -> Client:
    return Client(headers={"accept-language": "en", "cookie": f"{identity.cookie_name(event)}={value}"})


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "value",
    ["forged", "x" * 10_000, '"\\000\\000"', "\xff\xfe", ".", ".9999999999", '"', "a.b.c", "%00"],
    ids=["A43 forged", "A43 10 kB", "NUL", "no ASCII", "a dot", "a time alone", "a quote", "dots", "percent"],
)
def test_a_forged_cookie_is_asked_to_join_again(event: Event, cem: Participant, page: str, value: str) -> None:
    event.participants.filter(pk=cem.pk).update(
        name="Cem Öz"
    )  # which stands in no token by chance, as three letters do
    assert "Cem Öz" in browser_of(cem).get(f"/e/{event.key}/me/").content.decode()
    answer = with_cookie(value, event).get(f"/e/{event.key}/{page}")
    assert answer.status_code == 401
    assert "Cem Öz" not in answer.content.decode()


def test_a_cookie_tossed_beside_the_real_one_is_nobody(event: Event, cem: Participant) -> None:
    """A56"""
    real = f"{cem.secret}; {identity.cookie_name(event)}=tossed"  # type: ignore[attr-defined]
    assert with_cookie(cem.secret, event).get(f"/e/{event.key}/me/").status_code == 200  # type: ignore[attr-defined]
    assert with_cookie(real, event).get(f"/e/{event.key}/me/").status_code == 401


def test_a_token_of_another_event_opens_nothing_here(event: Event, cem: Participant, eve: Participant) -> None:
    """A43"""
    assert with_cookie(cem.secret, event).get(f"/e/{event.key}/me/").status_code == 200  # type: ignore[attr-defined]
    assert with_cookie(eve.secret, event).get(f"/e/{event.key}/me/").status_code == 401  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "key", ["\\000" * 11, "x" * 32, "A" * 32, "../../../etc/passwd", "\xff" * 32, "' OR 1=1 --                    "]
)
def test_a_session_that_was_never_ours_is_none(ada: Moderator, key: str) -> None:
    stranger = Client(headers={"cookie": f'{settings.SESSION_COOKIE_NAME}="{key}"'})
    assert browser_of(ada).get("/events/").status_code == 200
    assert stranger.get("/").status_code == 200
    assert stranger.get("/events/").status_code == 302
    assert stranger.get("/sign-in/").status_code == 200


def test_after_leaving_on_other_devices_the_other_one_is_nobody(event: Event, cem: Participant) -> None:
    """A44"""
    other = with_cookie(identity.new_device(cem), event)
    assert other.get(f"/e/{event.key}/me/").status_code == 200
    assert browser_of(cem).post(f"/e/{event.key}/me/others/").status_code == 302
    assert other.get(f"/e/{event.key}/me/").status_code == 401
    assert browser_of(cem).get(f"/e/{event.key}/me/").status_code == 200


def test_who_was_removed_cannot_come_in_again_with_the_same_cookie(event: Event, cem: Participant) -> None:
    """A53"""
    browser = browser_of(cem)
    assert browser.get(f"/j/{event.join_code}/").status_code == 302
    Participant.objects.filter(pk=cem.pk).update(removed_at=timezone.now())
    for page in PAGES:
        assert browser.get(f"/e/{event.key}/{page}").status_code == 403
    browser.post(f"/j/{event.join_code}/", {"name": "Cem"})
    assert browser.get(f"/e/{event.key}/").status_code == 403
    assert event.participants.filter(name="Cem").count() == 1


def test_codes_tried_from_many_addresses_wait_and_people_who_know_one_never_do(event: Event) -> None:
    """A48, A49"""
    for _many in range(1_000):
        tries.CODES_IN_SUM.fail("")
    wrong = Client(REMOTE_ADDR="203.0.113.9").get("/j/ZZZZZZZZ/")
    assert (wrong.status_code, int(wrong["Retry-After"]) > 0) == (429, True)
    for guest in range(150):
        answer = Client(REMOTE_ADDR="203.0.113.9").post(f"/j/{event.join_code}/", {"name": f"Guest {guest}"})
        assert answer.status_code == 302


@pytest.mark.parametrize("typed", ["", "x" * 90_000, "\x00\x00", "١٢٣٤٥٦٧٨", "%00", "K7M2QXHB'--", "\ud7ff" * 50, "  "])
def test_whatever_is_typed_as_a_code_is_answered_in_a_sentence(event: Event, typed: str) -> None:
    answer = Client(headers={"accept-language": "en"}).post("/", {"code": typed})
    assert answer.status_code == 422
    assert "Traceback" not in answer.content.decode()


@pytest.mark.parametrize("site", ["cross-site", "same-site", "\xff", "none, cross-site"])
@pytest.mark.parametrize("path", ["/", "/sign-in/", "/sign-out/", "/language/", "/events/new/", "/live/ABCDEFGH/ops"])
def test_other_sites_post_nothing(db: None, path: str, site: str) -> None:
    """A54, login from elsewhere too"""
    answer = Client(headers={"sec-fetch-site": site, "accept-language": "en"}).post(path, {"email": "ada"})
    assert answer.status_code == 403
    assert "Another website tried" in answer.content.decode()


def test_plain_text_that_looks_like_an_operation_needs_the_token_as_well(event: Event, cem: Participant) -> None:
    """A54"""
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser_of(cem).cookies
    for kind in ("text/plain", "application/json", "application/x-www-form-urlencoded"):
        assert strict.generic("POST", f"/live/{event.key}/ops", b'{"t":"op"}', content_type=kind).status_code == 403


# ── passwords ──
def test_only_so_many_passwords_are_computed_at_once_and_the_next_is_told(ada: Moderator) -> None:
    """A90"""
    attempt = {"email": ada.email, "password": PASSWORD}
    taken = 0
    while account.lane.acquire(blocking=False):
        taken += 1
    try:
        late = Client(headers={"accept-language": "en"}).post("/sign-in/", attempt)
    finally:
        for _each in range(taken):
            account.lane.release()
    assert (taken, late.status_code, late["Retry-After"]) == (4, 429, "2")
    assert "Many people are signing in just now." in late.content.decode()
    assert Client().post("/sign-in/", attempt).status_code == 302


def test_a_password_computed_leaves_its_lane_whatever_comes_of_it(ada: Moderator) -> None:
    """A90"""
    for password in ("wrong", PASSWORD, "x" * 300) * 3:
        Client().post("/sign-in/", {"email": ada.email, "password": password})
    assert isinstance(account.lane, threading.BoundedSemaphore)
    assert all(account.lane.acquire(blocking=False) for _four in range(4))
    account.lane.release(4)


@pytest.mark.parametrize(
    "email", ["", "\x00", "x" * 100_000, "ada@zoomcafe.example\nBcc: x", "ADA@ZOOMCAFE.EXAMPLE\u200b", "'--", "١"]
)
def test_whatever_is_typed_as_an_address_is_wrong_in_the_same_words(ada: Moderator, email: str) -> None:
    """A47"""
    seen = [
        (answer.status_code, "That did not work" in answer.content.decode())
        for answer in (
            Client(headers={"accept-language": "en"}).post("/sign-in/", {"email": address, "password": "wrong"})
            for address in (ada.email, email)
        )
    ]
    assert seen == [(422, True)] * 2


# ── how long a cookie is kept ──
def cookie_of(answer: Any, event: Event) -> Morsel[str] | None:
    return answer.cookies.get(identity.cookie_name(event))


def days_kept(cookie: Morsel[str]) -> float:
    return float(cookie["max-age"]) / 86_400


def planned(event: Event, **ahead: float) -> Event:
    """Two sessions of 20 minutes, each with 5 to find a seat, 20 in the gallery: over after 70 minutes."""
    event.starts_at = timezone.now() + timedelta(**ahead)
    event.save(update_fields=["starts_at"])
    return event


@pytest.mark.parametrize(
    ("ahead", "kept"),
    [(-400, 1.0), (-1, 1.0), (0, 1 + 70 / 1440), (10, 11 + 70 / 1440)],
    ids=["long ago", "over", "now", "soon"],
)
def test_a_cookie_goes_a_day_after_the_event_or_after_today(event: Event, ahead: int, kept: float) -> None:
    """A97"""
    planned(event, days=ahead)
    cookie = cookie_of(Client().post(f"/j/{event.join_code}/", {"name": "Cem"}), event)
    assert cookie is not None
    assert days_kept(cookie) == pytest.approx(kept, abs=0.001)


def known_until(event: Event, person: Participant, **left: float) -> Client:
    until = int((timezone.now() + timedelta(**left)).timestamp())
    return with_cookie(f"{person.secret}.{until}", event)  # type: ignore[attr-defined]


def test_a_cookie_slides_while_people_look_and_only_when_half_its_day_is_over(event: Event) -> None:
    """A97"""
    planned(event, days=-3)
    cem = come_in(event, "Cem")
    for page in PAGES[:2]:
        path = f"/e/{event.key}/{page}"
        assert cookie_of(known_until(event, cem, hours=13).get(path), event) is None
        renewed = cookie_of(known_until(event, cem, hours=11).get(path), event)
        assert renewed is not None
        assert days_kept(renewed) == pytest.approx(1, abs=0.001)
        assert renewed.value.startswith(f"{cem.secret}.")  # type: ignore[attr-defined]
        assert (renewed["httponly"], renewed["samesite"]) == (True, "Lax")


def test_a_cookie_follows_an_event_that_is_put_off(event: Event) -> None:
    """A97"""
    planned(event, days=7)
    cem = come_in(event, "Cem")
    renewed = cookie_of(known_until(event, cem, days=5).get(f"/e/{event.key}/"), event)
    assert renewed is not None
    assert days_kept(renewed) == pytest.approx(8 + 70 / 1440, abs=0.001)


def test_leaving_clears_the_cookie_even_when_it_was_to_be_renewed(event: Event) -> None:
    """A97"""
    planned(event, days=-3)
    cem = come_in(event, "Cem")
    answer = known_until(event, cem, hours=1).post(f"/e/{event.key}/me/leave/")
    cookie = cookie_of(answer, event)
    assert cookie is not None
    assert (cookie.value, cookie["max-age"], answer["Clear-Site-Data"]) == ("", 0, '"storage"')
    assert not Device.objects.filter(participant=cem).exists()


@pytest.mark.parametrize("value", ["{}", "{}.", "{}.x", "{}." + "9" * 40, "{}.-5", "{}.9999999999"])
def test_a_time_nobody_set_harms_nobody(event: Event, value: str) -> None:
    cem = come_in(event, "Cem")
    shown = value.format(cem.secret)  # type: ignore[attr-defined]
    assert with_cookie(shown, event).get(f"/e/{event.key}/me/").status_code == 200


def test_a_moderators_visit_leaves_no_guests_cookie(event: Event, ada: Moderator) -> None:
    planned(event, days=-3)
    assert cookie_of(browser_of(ada).get(f"/e/{event.key}/me/"), event) is None


def test_the_planned_end_is_that_of_the_run_sheet(event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(starts_at=datetime(2026, 11, 23, 10, tzinfo=UTC))
    assert identity.planned_end(Event.objects.get(pk=event.pk)) == datetime(2026, 11, 23, 11, 10, tzinfo=UTC)
