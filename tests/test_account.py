"""How moderators come in: password, one-time link, a new password."""

import re
from datetime import timedelta
from unittest import mock

import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sessions.codes import login_digest
from sessions.logins import SessionStore
from sessions.models import Moderator, SignInLink
from tests.forms_found import forms_in

PASSWORD = "the kettle sings at five"


def sign_in(
    browser: Client, password: str = PASSWORD, *, email: str = "ada@zoomcafe.example", **more: str
) -> HttpResponse:
    return browser.post("/sign-in/", {"email": email, "password": password, **more})


def is_in(browser: Client) -> bool:
    return bool(browser.get("/password/").status_code == 200)


def test_ada_signs_in_and_out(client: Client, ada: Moderator) -> None:
    page = client.get("/sign-in/").content.decode()
    for words in ('">Email</label>', '">Password</label>', ">Sign in</button>"):
        assert words in page
    answer = sign_in(client)
    assert (answer.status_code, answer["Location"]) == (302, "/events/")
    assert is_in(client)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").status_code == 302
    assert not is_in(client)


def test_the_database_does_not_tell_by_which_cookie_ada_is_signed_in(client: Client, ada: Moderator) -> None:
    sign_in(client)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    [row] = Session.objects.all()
    assert key not in (row.session_key, row.session_data)
    copied = Client()
    copied.cookies[settings.SESSION_COOKIE_NAME] = row.session_key
    assert not is_in(copied)
    copied.cookies[settings.SESSION_COOKIE_NAME] = row.session_key[:32]
    assert not is_in(copied)
    copied.cookies[settings.SESSION_COOKIE_NAME] = key
    assert is_in(copied)
    client.post("/sign-out/")
    assert not Session.objects.exists()
    assert not is_in(copied)


def test_a_sign_in_that_has_expired_is_none(client: Client, ada: Moderator) -> None:
    sign_in(client)
    Session.objects.update(expire_date=timezone.now())
    assert not is_in(client)


@pytest.mark.django_db(transaction=True)
async def test_a_sign_in_is_kept_in_the_same_way_by_who_does_not_wait() -> None:
    login = SessionStore()
    await login.aset("cup", "full")
    await login.asave()
    key = str(login.session_key)
    assert await Session.objects.filter(pk=login_digest(key)).acount() == await Session.objects.acount() == 1
    assert await SessionStore(key).aget("cup") == "full"
    assert await login.aexists(key)
    assert not await login.aexists(login_digest(key))
    await SessionStore(login_digest(key)).adelete()
    assert await login.aexists(key)
    await login.adelete()
    assert not await Session.objects.aexists()
    await SessionStore().adelete()


def test_capitals_and_spaces_around_the_address_do_not_matter(client: Client, ada: Moderator) -> None:
    assert sign_in(client, email=" Ada@ZoomCafe.example ").status_code == 302


@pytest.mark.parametrize(
    "evil", ["//evil.example", "https:/evil", "\\\\evil", "%0d%0aSet-Cookie", "https://evil.example"]
)
def test_next_leads_only_into_this_house(ada: Moderator, evil: str) -> None:
    assert sign_in(Client(), next="/events/new/")["Location"] == "/events/new/"
    assert sign_in(Client(), next=evil)["Location"] == "/events/"
    assert Client().get("/sign-in/", {"next": evil}).context["next"] == "/events/"


def test_known_and_unknown_addresses_get_the_same_answer(ada: Moderator) -> None:
    """Same text, same status, same number of hash computations and of queries; also without a password, or inactive."""
    Moderator.objects.named("ben@zoomcafe.example")
    inactive = Moderator.objects.named("cem@zoomcafe.example")
    Moderator.objects.filter(pk=inactive.pk).update(is_active=False)
    seen = []
    for email in ("ada", "ben", "cem", "nobody"):
        with (
            mock.patch.object(
                MD5PasswordHasher, "encode", autospec=True, side_effect=MD5PasswordHasher.encode
            ) as hashed,
            CaptureQueriesContext(connection) as queries,
        ):
            answer = sign_in(Client(), "wrong password", email=f"{email}@zoomcafe.example")
        page = answer.content.decode().partition("<main")[2].partition("</main>")[0].replace(f"{email}@", "@")
        words = [line for line in page.splitlines() if "csrf" not in line]
        seen.append((answer.status_code, words, hashed.call_count, len(queries)))
    assert seen[0][0] == 422
    assert seen[1:] == seen[:-1]


def test_a_refused_sign_in_keeps_the_address_as_it_was_typed(ada: Moderator) -> None:
    for typed in ("Ada.At@Home.example", " x", "y" * 300):
        (form,) = (form for form in forms_in(sign_in(Client(), "x", email=typed).content.decode()) if form.typed())
        assert form.typed() == {"email": typed}


def test_a_refused_sign_in_says_so_where_the_focus_is(ada: Moderator) -> None:
    page = sign_in(Client(), "guessed").content.decode()
    [alert] = re.findall(r'<div[^>]*id="wrong"[^>]*>', page)
    assert 'role="alert" tabindex="-1" autofocus' in alert


def test_after_ten_wrong_passwords_an_account_rests_for_who_guesses(ada: Moderator) -> None:
    """Everybody else comes in: ten requests must not lock a moderator out of their own event (A46)."""
    Moderator.objects.named("ben@zoomcafe.example")
    answers = [sign_in(Client(), "wrong").status_code for _ in range(10)]
    assert answers == [422] * 10
    late = sign_in(Client())
    assert late.status_code == 429
    assert int(late["Retry-After"]) > 0
    assert "That did not work" in late.content.decode()
    assert sign_in(Client(), "wrong", email="ben@zoomcafe.example").status_code == 422
    assert sign_in(Client(REMOTE_ADDR="192.0.2.9")).status_code == 302


def test_guesses_from_many_places_are_counted_together(ada: Moderator) -> None:
    places = [Client(REMOTE_ADDR=f"192.0.2.{n}") for n in range(1, 12)]
    answers = [sign_in(client, "wrong").status_code for client in places for _ in range(10)]
    assert answers == [422] * 100 + [429] * 10
    assert sign_in(Client(REMOTE_ADDR="198.51.100.1")).status_code == 429


def test_one_address_may_not_try_many_accounts(ada: Moderator) -> None:
    answers = [sign_in(Client(), "wrong", email=f"{i}@zoomcafe.example").status_code for i in range(51)]
    assert answers == [422] * 50 + [429]
    elsewhere = Client(REMOTE_ADDR="192.0.2.9")
    assert sign_in(elsewhere).status_code == 302


def test_a_password_of_a_megabyte_is_not_even_hashed(ada: Moderator) -> None:
    with mock.patch.object(MD5PasswordHasher, "encode", autospec=True, side_effect=MD5PasswordHasher.encode) as hashed:
        assert sign_in(Client(), "x" * 257).status_code == 422
    assert hashed.call_count == 0


# ── one-time links ──
def test_a_link_signs_in_once_and_looking_uses_nothing_up(client: Client, ada: Moderator) -> None:
    link = f"/sign-in/{ada.new_link()}/"
    for _ in range(2):
        page = client.get(link)
        assert page.status_code == 200
        assert ">Sign in</button>" in page.content.decode()
    answer = client.post(link)
    assert (answer.status_code, answer["Location"]) == (302, "/events/")
    assert is_in(client)
    other = Client()
    assert other.get(link).status_code == 410
    assert other.post(link).status_code == 410
    assert not is_in(other)


def test_a_link_is_good_for_a_day(client: Client, ada: Moderator) -> None:
    link = f"/sign-in/{ada.new_link()}/"
    assert client.get(link).status_code == 200
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.post(link).status_code == 410
    assert not is_in(client)


def test_an_invented_link_is_nothing(client: Client, ada: Moderator) -> None:
    assert client.get(f"/sign-in/{ada.new_link()}/").status_code == 200
    assert client.get("/sign-in/invented/").status_code == 404
    assert client.post("/sign-in/invented/").status_code == 404


# ── password ──
def test_a_new_password_ends_every_other_way_in(client: Client, ada: Moderator) -> None:
    other, link = Client(), f"/sign-in/{ada.new_link()}/"
    sign_in(client)
    sign_in(other)
    answer = client.post("/password/", {"present": PASSWORD, "new": "four words nobody would"})
    assert (answer.status_code, answer["Location"]) == (302, "/password/?done")
    assert "The new password is saved." in client.get("/password/?done").content.decode()
    assert not is_in(other)
    assert Client().get(link).status_code == 404
    assert sign_in(Client()).status_code == 422
    assert sign_in(Client(), "four words nobody would").status_code == 302


def test_who_came_by_link_need_not_know_the_present_password(client: Client, ada: Moderator) -> None:
    client.post(f"/sign-in/{ada.new_link()}/")
    assert "present" not in client.get("/password/").context["form"].fields
    assert client.post("/password/", {"new": "four words nobody would"}).status_code == 302
    assert sign_in(Client(), "four words nobody would").status_code == 302
    assert "present" in client.get("/password/").context["form"].fields


@pytest.mark.parametrize(
    ("present", "new"),
    [("wrong", "four words nobody would"), (PASSWORD, "short"), (PASSWORD, "password1234"), (PASSWORD, "x" * 257)],
)
def test_a_bad_new_password_is_explained(client: Client, ada: Moderator, present: str, new: str) -> None:
    sign_in(client)
    answer = client.post("/password/", {"present": present, "new": new})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert sign_in(Client()).status_code == 302


def test_the_password_page_is_for_those_who_are_in(client: Client, db: None) -> None:
    answer = client.get("/password/")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=%2Fpassword%2F")


def test_a_forged_form_is_refused(ada: Moderator) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert sign_in(browser).status_code == 403
    assert not is_in(browser)
