"""Static files: named by their content, packed, kept for a year, and there before anything is collected."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest
from django.contrib.staticfiles.finders import get_finder
from django.core.management import call_command
from django.template import Context, Template
from django.test import Client, RequestFactory
from pytest_django import Settings

from zoomcafe import modules, static, storage

SOURCES = {
    "js/table.js": """\
import { fill } from "./fill.js";
import * as clock from './parts/clock.js'
import "./side.js";
import {
  one,
  two,
} from "./fill.js";
export { cup } from "./parts/clock.js";
/** @param {import("./gone.js").Note} note drawn by `import "./gone.js"` */
// import { gone } from "./gone.js";
export async function more() { return await import("./later.js"); }
export const text = "import { nothing } from './gone.js'";
""",
    "js/fill.js": "import './side.js';\nexport const fill = 1, one = 1, two = 2;\n" + "// coffee\n" * 40,
    "js/parts/clock.js": 'import { fill } from "../fill.js";\nexport const cup = fill;\n',
    "js/side.js": "export {};\n",
    "js/later.js": "export default 1;\n",
    "css/base.css": "@import 'tokens.css';\nbody { background: url(../img/cloth.svg) }\n" + "p { margin: 0 }\n" * 40,
    "css/tokens.css": ":root { --ink: #2a211b }\n",
    "img/cloth.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "img/touch.png": "\x89PNG",
}


@pytest.fixture(autouse=True)
def _sources(tmp_path: Path, settings: Settings) -> Iterator[None]:
    for name, text in SOURCES.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    settings.STATICFILES_DIRS = [tmp_path / "source"]
    settings.STATIC_ROOT = tmp_path / "collected"
    forget()
    yield
    forget()


def forget() -> None:
    """What is remembered for the life of a process."""
    get_finder.cache_clear()
    modules.remembered.cache_clear()
    static.staticfiles_storage._wrapped = storage.ModuleStorage()


@pytest.fixture
def names() -> dict[str, str]:
    """Collects; the names by which files are served then."""
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["django_*"])
    forget()
    return static.hashed_names()


def text_of(name: str, settings: Settings) -> str:
    return (Path(settings.STATIC_ROOT) / name).read_text(encoding="utf-8")


def get(name: str, **headers: str) -> Any:
    return Client().get(f"/static/{name}", headers={key.replace("_", "-"): value for key, value in headers.items()})


def test_modules_import_each_other_by_hashed_names(names: dict[str, str], settings: Settings) -> None:
    text = text_of(names["js/table.js"], settings)

    def short(name: str) -> str:
        return names[name].removeprefix("js/")

    assert f'import {{ fill }} from "./{short("js/fill.js")}";' in text
    assert f'import * as clock from "./{short("js/parts/clock.js")}"' in text
    assert f'import "./{short("js/side.js")}";' in text
    assert f'two,\n}} from "./{short("js/fill.js")}";' in text
    assert f'export {{ cup }} from "./{short("js/parts/clock.js")}";' in text
    assert f'await import("./{short("js/later.js")}")' in text
    assert f'from "../{short("js/fill.js")}"' in text_of(names["js/parts/clock.js"], settings)


def test_what_only_looks_like_an_import_stays(names: dict[str, str], settings: Settings) -> None:
    text = text_of(names["js/table.js"], settings)
    assert SOURCES["js/table.js"].count("./gone.js") == 4
    assert text.count("./gone.js") == 1  # in a string; the comments stay at home


def test_a_change_far_down_renames_all_above(names: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "source/js/side.js").write_text("export const other = 1;\n", encoding="utf-8")
    call_command("collectstatic", interactive=False, verbosity=0)
    forget()
    changed = {name for name, hashed in static.hashed_names().items() if names.get(name, hashed) != hashed}
    assert changed == {"js/side.js", "js/fill.js", "js/parts/clock.js", "js/table.js"}


def test_a_missing_module_ends_collecting(tmp_path: Path) -> None:
    (tmp_path / "source/js/side.js").write_text('import { x } from "./nowhere.js";\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"js/nowhere\.js"):
        call_command("collectstatic", interactive=False, verbosity=0)


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("identity", None),
        ("", None),
    ],
)
def test_the_smallest_body_the_browser_takes(names: dict[str, str], accepted: str, encoding: str | None) -> None:
    response = get(names["css/base.css"], accept_encoding=accepted)
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[encoding]
    assert (response.get("Content-Encoding"), response["Vary"]) == (encoding, "Accept-Encoding")
    assert b"margin" in unpack(response.content)
    assert int(response["Content-Length"]) == len(response.content)


def test_hashed_files_are_kept_for_a_year_and_others_asked_for_again(names: dict[str, str]) -> None:
    assert get(names["js/fill.js"])["Cache-Control"] == "public, max-age=31536000, immutable"
    assert get("js/fill.js")["Cache-Control"] == "no-cache"


def test_what_the_browser_has_is_not_sent_again(names: dict[str, str]) -> None:
    first = get("js/fill.js")
    again = get("js/fill.js", if_none_match=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert get("js/fill.js", if_none_match='"other"').status_code == 200


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("js/fill.js", "text/javascript; charset=utf-8"),
        ("css/base.css", "text/css; charset=utf-8"),
        ("img/cloth.svg", "image/svg+xml; charset=utf-8"),
        ("img/touch.png", "image/png"),
    ],
)
def test_files_say_what_they_are(name: str, kind: str) -> None:
    assert get(name)["Content-Type"] == kind


def test_files_are_there_before_anything_is_collected() -> None:
    response = get("js/table.js")
    assert (response.status_code, response["Cache-Control"]) == (200, "no-cache")
    assert response.content.decode() == SOURCES["js/table.js"]
    assert Template("{% load static %}{% static 'js/table.js' %}").render(Context()) == "/static/js/table.js"


@pytest.mark.parametrize(
    "name",
    [
        "../settings.py",
        "%2e%2e/settings.py",
        "js/../../secret_key",
        "/etc/passwd",
        "js",
        "js/",
        "",
        "a\0b",
        "staticfiles.json",
    ],
)
def test_nothing_else_is_served(names: dict[str, str], name: str) -> None:
    assert get(name).status_code == 404


def test_new_files_are_found_without_a_restart(names: dict[str, str], tmp_path: Path) -> None:
    assert get(names["js/side.js"]).status_code == 200
    (tmp_path / "source/js/side.js").write_text("export const fresh = 1;\n", encoding="utf-8")
    call_command("collectstatic", interactive=False, verbosity=0)
    forget()
    fresh = static.hashed_names()["js/side.js"]
    assert fresh != names["js/side.js"]
    assert get(fresh).content == b"export const fresh = 1;\n"


def test_pages_of_before_an_update_still_find_their_files(names: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "source/js/side.js").write_text("export const fresh = 1;\n", encoding="utf-8")
    call_command("collectstatic", interactive=False, verbosity=0)
    forget()
    assert get(static.hashed_names()["js/side.js"]).content == b"export const fresh = 1;\n"
    old = get(names["js/side.js"])
    assert (old.content, old["Cache-Control"]) == (b"export {};\n", "public, max-age=31536000, immutable")
    assert get("js/side.0123456789ab.js").status_code == 404
    assert get("../secret.0123456789ab.js").status_code == 404


def test_the_list_of_files_is_never_away(
    names: dict[str, str], monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    before = manifest.read_text(encoding="utf-8")
    seen = []
    save = storage.ModuleStorage._save

    def look(self: storage.ModuleStorage, name: str, content: Any) -> str:
        saved: str = save(self, name, content)
        seen.append(manifest.read_text(encoding="utf-8"))
        return saved

    monkeypatch.setattr(storage.ModuleStorage, "_save", look)
    (tmp_path / "source/js/side.js").write_text("export const fresh = 1;\n", encoding="utf-8")
    call_command("collectstatic", interactive=False, verbosity=0)
    assert set(seen) == {before}
    assert manifest.read_text(encoding="utf-8") != before


def test_the_whole_graph_is_fetched_in_one_round(names: dict[str, str]) -> None:
    request = RequestFactory().get("/")
    request.csp_nonce = "n0nce"  # type: ignore[attr-defined]
    html = Template("{% module 'js/table.js' %}").render(Context({"request": request}))
    assert re.findall(r'<link rel="modulepreload" href="/static/([^"]+)" nonce="n0nce">', html) == [
        names[name] for name in ("js/table.js", "js/fill.js", "js/parts/clock.js", "js/side.js")
    ]
    assert html.endswith(f'<script type="module" src="/static/{names["js/table.js"]}" nonce="n0nce"></script>')


def test_a_module_that_two_entries_share_is_named_once(names: dict[str, str]) -> None:
    html = Template("{% modulepreload 'js/fill.js' %}{% modulepreload 'js/parts/clock.js' %}").render(Context())
    hashed = [names[name] for name in ("js/fill.js", "js/side.js", "js/parts/clock.js")]
    assert re.findall(r'href="/static/([^"]+)"', html) == hashed


def test_files_are_only_read(names: dict[str, str]) -> None:
    response = Client().post("/static/js/fill.js")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
