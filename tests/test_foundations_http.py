"""What every answer is wrapped in, asked with Django's client: the same layers as behind the server."""

import gzip
import json
import re
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

from sessions.models import Moderator

PAGES = {
    "/": 200,
    "/healthz": 200,
    "/readyz": 200,
    "/static/css/base.css": 200,
    "/static/nothing.css": 404,
    "/nothing": 404,
    "/test/garbled": 400,
    "/test/denied": 403,
    "/test/limited": 429,
    "/test/broken": 500,
    "/test/locked": 503,
    "/test/write": 405,
}
SURE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture(autouse=True)
def _pages_of_tests(settings: Settings, db: None) -> None:
    settings.ROOT_URLCONF = "tests.foundation_urls"


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False, headers={"accept-language": "en"})


def policy(response: Any) -> dict[str, list[str]]:
    parts = [part.split() for part in response["Content-Security-Policy"].split(";")]
    return {name: sources for name, *sources in parts}


@pytest.mark.parametrize(("path", "status"), PAGES.items())
def test_every_answer_forbids_what_nobody_needs(browser: Client, path: str, status: int) -> None:
    response = browser.get(path)
    assert response.status_code == status
    assert {name: response.get(name) for name in SURE} == SURE
    assert re.fullmatch(r"[0-9a-f]{16}", response["X-Request-ID"])
    rules = policy(response)
    assert rules["default-src"] == rules["frame-ancestors"] == ["'none'"]
    assert "unsafe" not in response["Content-Security-Policy"]


@pytest.mark.parametrize(("path", "status"), [(p, s) for p, s in PAGES.items() if "static" not in p])
def test_every_page_forbids_what_only_pages_can_do(browser: Client, path: str, status: int) -> None:
    response = browser.get(path)
    assert response.status_code == status
    assert "camera=()" in response["Permissions-Policy"]
    assert (policy(response)["base-uri"], policy(response)["form-action"]) == (["'none'"], ["'self'"])


def test_scripts_need_the_nonce_of_their_own_page(browser: Client) -> None:
    first, second = browser.get("/"), browser.get("/")
    [nonce] = re.findall(r"'nonce-([^']+)'", first["Content-Security-Policy"])
    assert policy(first)["script-src"] == [f"'nonce-{nonce}'"]
    assert f'nonce="{nonce}"' in first.content.decode()
    assert first["Content-Security-Policy"] != second["Content-Security-Policy"]


@pytest.mark.parametrize(("path", "status"), [(p, s) for p, s in PAGES.items() if s >= 400 and "static" not in p])
def test_errors_are_pages_of_ours(browser: Client, path: str, status: int) -> None:
    response = browser.get(path)
    text = response.content.decode()
    assert text.count("<h1>") == 1
    assert response["X-Request-ID"] in text
    assert not re.search(r"Traceback|ZeroDivision|Cem's secret|database is locked|/tests/", text)


@pytest.mark.parametrize(("path", "status"), [(p, s) for p, s in PAGES.items() if s >= 400 and "static" not in p])
def test_htmx_gets_the_same_message_as_a_fragment(browser: Client, path: str, status: int) -> None:
    response = browser.get(path, headers={"HX-Request": "true"})
    text = response.content.decode()
    assert response.status_code == status
    assert text.startswith('<div class="banner')
    assert f'data-status="{status}"' in text
    assert response["X-Request-ID"] in text


@pytest.mark.parametrize(
    ("path", "status", "code", "retry"),
    [
        ("/nothing", 404, "not_found", False),
        ("/test/locked", 503, "busy", True),
        ("/test/limited", 429, "rate_limited", True),
    ],
)
def test_the_live_client_gets_a_frame(browser: Client, path: str, status: int, code: str, *, retry: bool) -> None:
    response = browser.get(path, headers={"Accept": "application/json"})
    frame = json.loads(response.content)
    assert (response.status_code, frame["t"], frame["code"], frame["retry"]) == (status, "err", code, retry)


def test_errors_speak_the_language_of_the_reader(browser: Client) -> None:
    german = browser.get("/nothing", headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"})
    assert german["Content-Language"] == "de"
    assert b'<html lang="de"' in german.content


def test_the_language_one_chose_wins_over_the_browser(browser: Client) -> None:
    browser.cookies["language"] = "en"
    response = browser.get("/", headers={"Accept-Language": "de"})
    assert response["Content-Language"] == "en"
    assert {"Cookie", "Accept-Language"} <= set(response["Vary"].split(", "))


@pytest.mark.parametrize("asked", ["fr", "", "*", "xx;q=nonsense", "de" * 3000])
def test_other_languages_get_english(browser: Client, asked: str) -> None:
    assert browser.get("/", headers={"Accept-Language": asked})["Content-Language"] == "en"


def test_a_reason_is_said_why_something_is_not_allowed(browser: Client) -> None:
    assert b"Only the moderator can do this." in browser.get("/test/denied").content


@pytest.mark.parametrize("path", ["/test/limited", "/test/locked"])
def test_who_has_to_wait_is_told_how_long(browser: Client, path: str) -> None:
    assert int(browser.get(path)["Retry-After"]) in {2, 7}


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_other_methods_are_refused_and_told_which_there_are(browser: Client, method: str) -> None:
    response = browser.generic(method, "/")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST")


def test_a_page_that_only_writes_cannot_be_read(browser: Client) -> None:
    assert browser.post("/test/write", {"text": "coffee"}).content == b"coffee"
    assert {browser.get("/test/write")["Allow"], browser.head("/test/write")["Allow"]} == {"POST"}


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_write_nothing_here(browser: Client, site: str) -> None:
    assert browser.post("/test/write", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert browser.post("/test/write", headers={"Sec-Fetch-Site": site}).status_code == 403
    assert browser.get("/test/long", headers={"Sec-Fetch-Site": site}).status_code == 200


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "application/json"])
def test_without_a_token_nothing_is_written(kind: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.get("/")
    token = re.findall(rb'name="csrfmiddlewaretoken" value="([^"]+)"', strict.get("/").content)[0].decode()
    assert strict.post("/test/write", {"csrfmiddlewaretoken": token, "text": "x"}).status_code == 200
    refused = strict.post("/test/write", "text=x", content_type=kind, headers={"HX-Request": "true"})
    assert refused.status_code == 403
    assert b"reload" in refused.content


def test_what_one_typed_is_kept_when_the_page_was_too_old() -> None:
    strict = Client(enforce_csrf_checks=True, headers={"Referer": "http://testserver/sign-in/?next=/me"})
    typed = {
        "text": "</textarea><b>more bikes",
        "password": "the kettle sings",
        "q": "12",
        "csrfmiddlewaretoken": "old",
    }
    text = strict.post("/test/write", typed).content.decode()
    assert re.findall(r"<textarea[^>]*>\n([^<]*)</textarea>", text) == ["&lt;/textarea&gt;&lt;b&gt;more bikes"]
    assert 'href="http://testserver/sign-in/?next=/me"' in text
    assert "kettle" not in text


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_a_refusal_leads_to_no_other_site(page: str) -> None:
    text = Client(enforce_csrf_checks=True, headers={"Referer": page}).post("/test/write").content.decode()
    assert "evil" not in text
    assert "alert(1)" not in text


def test_readyz_misses_a_migration(browser: Client) -> None:
    MigrationRecorder(connection).record_unapplied("tables", "0001_first")
    response = browser.get("/readyz")
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert b"migrate" in response.content


def test_the_token_is_masked_anew_in_every_page(browser: Client) -> None:
    tokens = {re.findall(rb'csrfmiddlewaretoken" value="([^"]+)"', browser.get("/").content)[0] for _ in range(3)}
    assert len(tokens) == 3


def test_pages_are_packed_and_padded(browser: Client) -> None:
    packed = [browser.get("/test/long", headers={"Accept-Encoding": "gzip"}) for _ in range(4)]
    assert {p["Content-Encoding"] for p in packed} == {"gzip"}
    assert {gzip.decompress(p.content) for p in packed} == {b"coffee " * 500}
    assert len({len(p.content) for p in packed}) > 1
    assert "Content-Encoding" not in browser.get("/test/long")


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "", "testserver:99999x", "a b"])
def test_foreign_hosts_are_refused(browser: Client, host: str) -> None:
    assert browser.get("/", headers={"Host": "testserver"}).status_code == 200
    assert browser.get("/", headers={"Host": host}).status_code == 400


def test_who_asks_at_another_address_hears_where_and_the_log_which_settings(
    browser: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.BASE_URL = "https://cafe.example"
    page = browser.get("/", headers={"Host": "10.0.0.7:8000", "Accept-Language": "de"}).content.decode()
    assert "<h1>Das Café hat eine andere Adresse</h1>" in page
    assert 'href="https://cafe.example/">Zur Startseite</a>' in page
    said = [record.getMessage() for record in caplog.records if "refused" in record.msg]
    assert said == ["page refused: host (ours are those of BASE_URL and TRUSTED_ORIGINS, or ALLOWED_HOSTS)"]


def test_probes_may_come_by_any_address(browser: Client) -> None:
    assert browser.get("/healthz", headers={"Host": "10.0.0.7:8000"}).content == b"ok\n"
    assert browser.get("/readyz", headers={"Host": "10.0.0.7:8000"}).content == b"ok\n"


def test_probes_take_nothing(browser: Client) -> None:
    for probe in ("/healthz", "/readyz"):
        assert (browser.head(probe).status_code, browser.post(probe).status_code) == (200, 405)


def test_healthz_asks_no_database(browser: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        browser.get("/healthz")


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(browser: Client, ada: Moderator) -> None:
    browser.post("/sign-in/", {"email": ada.email, "password": "the kettle sings at five"})
    flags = {name: (morsel["httponly"], morsel["samesite"]) for name, morsel in browser.cookies.items()}
    assert flags == {"zoomcafe": (True, "Lax"), "csrf": (True, "Lax")}


def test_a_proxy_we_trust_may_name_the_request(browser: Client, settings: Settings) -> None:
    named = {"X-Request-ID": "0123456789abcdef-edge"}
    assert browser.get("/", headers=named)["X-Request-ID"] != named["X-Request-ID"]
    settings.TRUSTED_PROXIES = 1
    assert browser.get("/", headers=named)["X-Request-ID"] == named["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{16}", browser.get("/", headers={"X-Request-ID": "a\tb<c>"})["X-Request-ID"])


def test_home_may_be_found_by_search_engines_and_nothing_else(browser: Client) -> None:
    assert "X-Robots-Tag" not in browser.get("/")
    assert browser.get("/sign-in/")["X-Robots-Tag"] == "noindex, nofollow"


def test_pages_are_not_kept_by_caches_between(browser: Client) -> None:
    assert browser.get("/")["Cache-Control"] == "private, no-cache"
