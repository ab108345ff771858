"""Home, join, hand-over, me, language: how people come in, go on elsewhere, and leave."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.http import Http404, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sessions import identity
from sessions.codes import digest
from sessions.models import Device, Event, HandOver, Participant
from sessions.phases import Phase
from tables.models import Seat
from tests.cast import browser_of, come_in, put

FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
ASTRONAUT = "\U0001f469\U0001f3fd\u200d\U0001f680"


def ticket(browser: Client, event: Event) -> str:
    answer = browser.get(f"/j/{event.join_code}/")
    found: str = answer.context["form"].initial["ticket"]
    return found


def enter(browser: Client, event: Event, name: str, **data: str) -> HttpResponse:
    return browser.post(f"/j/{event.join_code}/", {"name": name, "ticket": ticket(browser, event), **data})


# ── home ──
def test_home_asks_for_the_code_and_leads_moderators_to_their_door(client: Client, db: None) -> None:
    page = client.get("/").content.decode()
    assert '<label for="id_code">Event code</label>' in page
    assert ">Join</button>" in page
    assert ">Sign in</a>" in page


@pytest.mark.parametrize("disguise", [str, str.lower, lambda c: f" {c[:4]}-{c[4:]} ", lambda c: c.replace("0", "o")])
def test_the_code_is_understood_as_people_type_it(client: Client, event: Event, disguise: Callable[[str], str]) -> None:
    Event.objects.filter(pk=event.pk).update(join_code="K0M2QXHB")
    answer = client.post("/", {"code": disguise("K0M2QXHB")})
    assert (answer.status_code, answer["Location"]) == (302, "/j/K0M2QXHB/")


@pytest.mark.parametrize("code", ["ZZZZZZZZ", "", "x" * 5000, "\x00", "../../etc", "٣٣٣٣٣٣٣٣"])
def test_a_wrong_code_is_explained_beside_its_field(client: Client, event: Event, code: str) -> None:
    assert client.post("/", {"code": event.join_code}).status_code == 302
    answer = client.post("/", {"code": code})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'aria-invalid="true"' in page
    assert 'id="id_code_error"' in page


def test_only_wrong_codes_are_counted_and_right_ones_never_wait(client: Client, event: Event) -> None:
    for _ in range(20):
        assert client.post("/", {"code": event.join_code}).status_code == 302
    answers = [client.post("/", {"code": "ZZZZZZZZ"}).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    assert int(client.get("/j/ZZZZZZZZ/")["Retry-After"]) > 0
    assert client.get("/j/ZZZZZZZZ/").status_code == 429
    assert client.post("/", {"code": "ZZZZZZZZ"}, REMOTE_ADDR="192.0.2.7").status_code == 422
    assert client.post("/", {"code": event.join_code}).status_code == 302
    assert client.get(f"/j/{event.join_code}/").status_code == 200


def test_a_hit_and_a_miss_cost_the_same_queries(client: Client, event: Event) -> None:
    with CaptureQueriesContext(
        connection,
    ) as hit:
        client.post("/", {"code": event.join_code})
    with CaptureQueriesContext(connection) as miss:
        client.post("/", {"code": "ZZZZZZZZ"})
    assert len(hit) == len(miss) == 1


# ── join ──
def test_a_guest_comes_in_with_a_name_and_is_known_from_then_on(client: Client, event: Event) -> None:
    page = client.get(f"/j/{event.join_code}/").content.decode()
    assert event.title in page
    assert '<label for="id_name">Your name</label>' in page
    assert "Come in</button>" in page
    answer = enter(client, event, "Cem")
    assert (answer.status_code, answer["Location"]) == (302, f"/e/{event.key}/")
    cookie = client.cookies[identity.cookie_name(event)]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    cem = Participant.objects.get(event=event, name="Cem")
    assert cem.devices.get().digest == digest(cookie.value.partition(".")[0])
    again = client.get(f"/j/{event.join_code}/")
    assert (again.status_code, again["Location"]) == (302, f"/e/{event.key}/")


def test_the_link_is_understood_in_small_letters(client: Client, event: Event) -> None:
    answer = client.get(f"/j/{event.join_code.lower()}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/j/{event.join_code}/")


def test_an_unknown_link_says_so(client: Client, event: Event) -> None:
    answer = client.get("/j/ZZZZZZZZ/")
    assert answer.status_code == 404
    assert "There is no event with this code" in answer.content.decode()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ada \n Lovelace ", "Ada Lovelace"),
        ("A\x00d\x1ba\x85", "Ada"),
        ("Ame\u0301lie", "Amélie"),
        (FAMILY * 8, FAMILY * 8),
        ("\u202eevil", "evil"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("{{7*7}}", "{{7*7}}"),
        ("x" * 40, "x" * 40),
    ],
)
def test_a_name_is_kept_as_it_is_meant(client: Client, event: Event, typed: str, kept: str) -> None:
    assert enter(client, event, typed).status_code == 302
    assert Participant.objects.get(event=event).name == kept


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "a name that can be seen"),
        (" \t ", "a name that can be seen"),
        ("\u200b\u200d", "a name that can be seen"),
        ("\u2800", "a name that can be seen"),
        ("\u3164", "a name that can be seen"),
        ("x" * 41, "too long"),
        (ASTRONAUT * 40, "too long"),
        ("ß" * 101, "too long"),
    ],
)
def test_a_name_nobody_could_read_is_refused(client: Client, event: Event, typed: str, says: str) -> None:
    assert enter(Client(), event, "Cem").status_code == 302
    answer = enter(client, event, typed)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert Participant.objects.filter(event=event).count() == 1


def test_markup_in_names_and_titles_is_shown_as_text(client: Client, event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(title='"><img src=x onerror=alert(1)>', purpose="</p><script>x</script>")
    page = client.get(f"/j/{event.join_code}/").content.decode()
    assert "<img" not in page
    assert "<script>x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_a_double_tap_on_come_in_is_one_person(client: Client, event: Event) -> None:
    form = {"name": "Cem", "ticket": ticket(client, event)}
    other = Client()
    first, second = client.post(f"/j/{event.join_code}/", form), other.post(f"/j/{event.join_code}/", form)
    assert first.status_code == second.status_code == 302
    assert Participant.objects.filter(event=event).count() == 1
    name = identity.cookie_name(event)
    assert secret_of(client, name) == secret_of(other, name)


def secret_of(client: Client, name: str) -> str:
    """Without the time until which the browser keeps it, which is another one a second later."""
    return client.cookies[name].value.partition(".")[0]


@pytest.mark.django_db(transaction=True)
def test_even_at_the_same_moment(event: Event) -> None:
    form = {"name": "Cem", "ticket": ticket(Client(), event)}
    start = threading.Barrier(4)

    def tap() -> None:
        start.wait()
        assert Client().post(f"/j/{event.join_code}/", form).status_code == 302
        connection.close()

    taps = [threading.Thread(target=tap) for _ in range(4)]
    for one in taps:
        one.start()
    for one in taps:
        one.join()
    assert Participant.objects.filter(event=event).count() == 1
    assert Device.objects.filter(participant__event=event).count() == 1


def test_the_cookie_cannot_be_read_off_the_form(client: Client, event: Event) -> None:
    given = ticket(client, event)
    client.post(f"/j/{event.join_code}/", {"name": "Cem", "ticket": given})
    assert given not in client.cookies[identity.cookie_name(event)].value


def test_a_weak_ticket_is_not_taken(event: Event) -> None:
    for name in ("Cem", "Dana"):
        assert enter(Client(), event, name, ticket="a").status_code == 302
    assert Participant.objects.filter(event=event).count() == 2


@pytest.mark.parametrize("phase", [Phase.LOBBY, Phase.SEATING, Phase.RUNNING, Phase.OVER, Phase.GALLERY])
def test_late_guests_come_in_at_every_phase(client: Client, event: Event, phase: Phase) -> None:
    put(event, phase, session=1)
    assert enter(client, event, "Cem").status_code == 302


@pytest.mark.parametrize(
    ("phase", "doors", "status", "says"),
    [
        (Phase.DRAFT, True, 403, "The doors are not open yet"),
        (Phase.RUNNING, False, 403, "The doors are closed"),
        (Phase.CLOSED, True, 410, "This event is over"),
        (Phase.ARCHIVED, True, 410, "This event is over"),
    ],
)
def test_nobody_comes_in_through_closed_doors(
    client: Client, event: Event, phase: Phase, doors: bool, status: int, says: str
) -> None:
    assert client.get(f"/j/{event.join_code}/").status_code == 200
    put(event, phase, session=1, doors_open=doors)
    for answer in (
        client.get(f"/j/{event.join_code}/"),
        client.post(f"/j/{event.join_code}/", {"name": "Eve", "ticket": "t" * 32}),
    ):
        assert answer.status_code == status
        assert says in answer.content.decode()
    assert not Participant.objects.filter(event=event).exists()


def test_who_is_in_passes_closed_doors(event: Event, cem: Participant) -> None:
    put(event, Phase.RUNNING, session=1, doors_open=False)
    answer = browser_of(cem).get(f"/j/{event.join_code}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/e/{event.key}/")


@pytest.mark.django_db(transaction=True)
def test_who_comes_in_while_the_event_is_deleted_hears_that_there_is_none(event: Event) -> None:
    assert identity.come_in_once(event, "Cem", "secret").event == event
    Event.objects.get(pk=event.pk).delete()
    with pytest.raises(Http404):
        identity.come_in_once(event, "Dana", "another")


# ── hand-over ──
def link_of(person: Participant) -> str:
    return f"/h/{identity.new_hand_over(person)}/"


def test_a_second_device_becomes_the_same_person(client: Client, event: Event, cem: Participant) -> None:
    link = link_of(cem)
    assert "Are you <bdi>Cem</bdi>?" in client.get(link).content.decode()
    assert client.get(link).status_code == 200, "looking uses nothing up"
    answer = client.post(link)
    assert (answer.status_code, answer["Location"]) == (302, f"/e/{event.key}/")
    for browser in (client, browser_of(cem)):
        assert browser.get(f"/e/{event.key}/me/").context["participant"] == cem


def test_a_hand_over_link_works_once(cem: Participant) -> None:
    link = link_of(cem)
    assert Client().post(link).status_code == 302
    again = Client().post(link)
    assert again.status_code == 410
    assert "no longer works" in again.content.decode()
    assert Client().get(link).status_code == 410
    assert cem.devices.count() == 2


def test_a_hand_over_link_is_good_for_five_minutes(client: Client, cem: Participant) -> None:
    assert client.get(link_of(cem)).status_code == 200
    link = link_of(cem)
    HandOver.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(link).status_code == 410
    assert client.post(link).status_code == 410


def test_leaving_on_other_devices_makes_links_that_nobody_used_lead_nowhere(cem: Participant, event: Event) -> None:
    link, used = (f"/h/{identity.new_hand_over(cem)}/" for _link in range(2))
    assert Client().post(used).status_code == 302
    assert browser_of(cem).post(f"/e/{event.key}/me/others/").status_code == 302
    assert Client().post(link).status_code == 404
    assert Client().post(used).status_code == 410


def test_an_invented_hand_over_link_is_nothing(client: Client, cem: Participant) -> None:
    assert client.get(link_of(cem)).status_code == 200
    assert client.get("/h/invented/").status_code == 404
    assert client.post("/h/invented/").status_code == 404


def test_a_removed_person_has_no_second_device(client: Client, cem: Participant) -> None:
    link = link_of(cem)
    Participant.objects.filter(pk=cem.pk).update(removed_at=timezone.now())
    answer = client.post(link)
    assert answer.status_code == 403
    assert "You were removed" in answer.content.decode()


# ── me ──
def test_the_page_about_me_makes_a_link_with_a_picture(event: Event, cem: Participant) -> None:
    browser = browser_of(cem)
    page = browser.get(f"/e/{event.key}/me/").content.decode()
    assert "Continue on another device" in page
    assert "What is kept of me" in page
    with_link = browser.post(f"/e/{event.key}/me/link/")
    link = with_link.context["link"]
    assert link.startswith("http://testserver/h/")
    assert "<svg" in with_link.content.decode()
    assert Client().post(link.removeprefix("http://testserver")).status_code == 302
    assert "You are here on 2 devices." in browser.get(f"/e/{event.key}/me/").content.decode()


def test_leaving_on_other_devices_leaves_this_one_in(client: Client, event: Event, cem: Participant) -> None:
    client.post(link_of(cem))
    browser_of(cem).post(f"/e/{event.key}/me/others/")
    assert browser_of(cem).get(f"/e/{event.key}/me/").status_code == 200
    answer = client.get(f"/e/{event.key}/me/")
    assert answer.status_code == 401
    assert "Please join again" in answer.content.decode()


def test_leaving_forgets_the_device_and_frees_the_seat(event: Event, cem: Participant) -> None:
    browser = browser_of(cem)
    assert Seat.objects.filter(participant=cem).exists()
    answer = browser.post(f"/e/{event.key}/me/leave/")
    assert answer.status_code == 200
    assert answer["Clear-Site-Data"] == '"storage"'
    assert answer.cookies[identity.cookie_name(event)]["max-age"] == 0
    assert not cem.devices.exists()
    assert not Seat.objects.filter(participant=cem).exists()
    assert browser_of(cem).get(f"/e/{event.key}/me/").status_code == 401


def test_leaving_on_one_of_two_devices_keeps_the_seat(client: Client, event: Event, cem: Participant) -> None:
    client.post(link_of(cem))
    client.post(f"/e/{event.key}/me/leave/")
    assert Seat.objects.filter(participant=cem).exists()
    assert browser_of(cem).get(f"/e/{event.key}/me/").status_code == 200


def test_strangers_have_no_page_about_me(event: Event, cem: Participant, eve: Participant) -> None:
    assert browser_of(cem).get(f"/e/{event.key}/me/").status_code == 200
    for stranger in (Client(), browser_of(eve)):
        answer = stranger.get(f"/e/{event.key}/me/")
        assert (answer.status_code, answer["Location"]) == (302, f"/j/{event.join_code}/")
    assert browser_of(cem).get("/e/ZZZZZZZZ/me/").status_code == 404


@pytest.mark.parametrize("path", ["link", "others", "leave"])
def test_looking_at_an_address_changes_nothing(event: Event, cem: Participant, path: str) -> None:
    assert browser_of(cem).get(f"/e/{event.key}/me/{path}/").status_code == 405
    assert cem.devices.count() == 1


def test_a_removed_person_reads_why(event: Event, cem: Participant) -> None:
    Participant.objects.filter(pk=cem.pk).update(removed_at=timezone.now())
    answer = browser_of(cem).get(f"/e/{event.key}/me/")
    assert answer.status_code == 403
    assert "You were removed" in answer.content.decode()
    again = browser_of(cem).get(f"/j/{event.join_code}/", follow=True)
    assert again.status_code == 403


# ── language ──
def test_the_language_is_kept_and_leads_back(client: Client, event: Event) -> None:
    assert '<html lang="en"' in client.get("/").content.decode()
    answer = client.post("/language/", {"language": "de", "next": f"/j/{event.join_code}/"})
    assert (answer.status_code, answer["Location"]) == (302, f"/j/{event.join_code}/")
    assert '<html lang="de"' in client.get("/").content.decode()


@pytest.mark.parametrize(
    "evil",
    ["//evil.example", "https:/evil", "\\\\evil", "/\\evil", "/%0d%0aSet-Cookie:x=1\r\nx", "https://evil.example/"],
)
def test_no_wish_leads_out_of_the_house(client: Client, db: None, evil: str) -> None:
    answer = client.post("/language/", {"language": "de", "next": evil})
    assert answer["Location"] == "/"


def test_an_unknown_language_changes_nothing(client: Client, db: None) -> None:
    client.post("/language/", {"language": "xx"})
    assert "language" not in client.cookies


def test_about_says_what_is_kept(client: Client, db: None) -> None:
    assert client.get("/about/").status_code == 200


def test_who_guests_are_does_not_show_in_another_event(event: Event, elsewhere: Event) -> None:
    cem = come_in(event, "Cem")
    browser = browser_of(cem)
    assert browser.get(f"/j/{event.join_code}/").status_code == 302
    assert browser.get(f"/j/{elsewhere.join_code}/").status_code == 200
