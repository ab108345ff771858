"""What an attacker makes of a form that is filled in: other values, other names, and bodies that are none."""

from collections.abc import Callable
from functools import partial
from urllib.parse import quote, quote_plus

from hypothesis import strategies as st

from tests.forms_found import Field, Form
from tests.hostile import TEXTS

TOKEN = "a" * 32
Pair = tuple[str, str]
Body = tuple[bytes, str]  # and its type
DATES = ["0000-01-01T00:00", "0001-01-01T00:00", "2026-02-30T10:00", "10000-01-01T00:00", "2026-03-29T02:30", "now"]
FIGURES = ["-1", "0", "51", "1e3", "٣", "1.5", "9" * 5_000, "NaN", " 7 ", "+5", "0x10", "1_000"]
WISHES = ["save", "add-session", "remove-session:", "question-up:n1:n1", "explode", "add-question:" + "9" * 30]
PLACES = ["//evil.example", "https:/evil.example", "\\\\evil.example", "/\r\nSet-Cookie: a=b", "javascript:alert(1)"]
LONG = ["\n\n a", "x" * 60_000, "a" + "\u0301\u0316" * 20_000, "https://" + "ä" * 9_000 + ".example"]
VALUES = st.sampled_from([*TEXTS, *DATES, *FIGURES, *WISHES, *PLACES, *LONG, "on", "true"]) | st.text(max_size=12)
UPLOADED = "\0a file\0"  # instead of a value
Change = Callable[[list[Pair], int, Pair], None]


def swap(pairs: list[Pair], at: int, more: Pair) -> None:
    pairs[at] = (pairs[at][0], more[1])


def leave_out(pairs: list[Pair], at: int, more: Pair) -> None:
    del pairs[at]


def double(pairs: list[Pair], at: int, more: Pair) -> None:
    pairs.append((pairs[at][0], more[1]))


def add(pairs: list[Pair], at: int, more: Pair) -> None:
    pairs.append(more)


def upload(pairs: list[Pair], at: int, more: Pair) -> None:
    pairs[at] = (pairs[at][0], UPLOADED)


def everything(pairs: list[Pair], at: int, more: Pair) -> None:
    pairs[:] = [(name, more[1]) for name, _value in pairs]


CHANGES: list[Change] = [swap, swap, swap, swap, leave_out, double, add, upload, everything]
NAMES = [
    "title",
    "owner",
    "role",
    "is_staff",
    "key",
    "next",
    "id",
    "csrfmiddlewaretoken",
    "",
    "\0",
    "x" * 500,
    "t1-name",
]
SPOILED = st.lists(
    st.tuples(st.sampled_from(CHANGES), st.integers(0, 99), st.tuples(st.sampled_from(NAMES), VALUES)), max_size=4
)


def filled_in(form: Form, wrong: list[tuple[Change, int, Pair]]) -> list[Pair]:
    """The token is in a header, so that it is not the first thing that is wrong."""
    fields = (found for found in form.fields if found.name != "csrfmiddlewaretoken")
    pairs = [(found.name, found.value or usual(found)) for found in fields]
    for change, at, more in wrong:
        if pairs:
            change(pairs, at % len(pairs), more)
    return pairs


def usual(found: Field) -> str:
    return found.choices[-1] if found.choices else "Benches" if found.is_typed else ""


def urlencoded(pairs: list[Pair]) -> Body:
    quoted = (f"{quote_plus(n, errors='replace')}={quote_plus(v, errors='replace')}" for n, v in pairs)
    return "&".join(quoted).encode(), "application/x-www-form-urlencoded"


def multipart(pairs: list[Pair]) -> Body:
    def part(name: str, value: str) -> str:
        said = f'Content-Disposition: form-data; name="{quote(name, safe=" -_", errors="replace")}"'
        if value == UPLOADED:
            return f'--b\r\n{said}; filename="../../x.svg"\r\nContent-Type: image/svg+xml\r\n\r\n<svg/>\r\n'
        return f"--b\r\n{said}\r\n\r\n{value}\r\n"

    whole = "".join(part(name, value) for name, value in pairs) + "--b--\r\n"
    return whole.encode("utf-8", "replace"), "multipart/form-data; boundary=b"


def broken(pairs: list[Pair], *, how: str) -> Body:
    (content, kind), (short, usual_kind) = multipart(pairs), urlencoded(pairs)
    encoded = content.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n%", 1)
    return {
        "half": (content[: len(content) // 2], kind),
        "no boundary": (content, "multipart/form-data"),
        "another boundary": (content, "multipart/form-data; boundary=c"),
        "an endless boundary": (content, f"multipart/form-data; boundary={'b' * 900}"),
        "base64": (encoded, kind),
        "another charset": (content, f"{kind}; charset=utf-16"),
        "no UTF-8": (short.replace(b"e", b"%ff") + b"&\xff=%ed%a0%80", usual_kind),
        "text": (content, "text/plain"),
        "JSON": (b'{"t":"op","id":7}', "application/json"),
    }[how]


BROKEN = (
    "half",
    "no boundary",
    "another boundary",
    "an endless boundary",
    "base64",
    "another charset",
    "no UTF-8",
    "text",
    "JSON",
)
GOOD_BODIES = (urlencoded, urlencoded, urlencoded, multipart)
BODIES = (urlencoded, urlencoded, urlencoded, multipart)
HOWS = [
    "half",
    "no boundary",
    "another boundary",
    "an endless boundary",
    "base64",
    "charset",
    "no UTF-8",
    "text",
    "JSON",
]
BODIES = st.sampled_from([*GOOD_BODIES * 5, *(partial(broken, how=how) for how in BROKEN)])
GOOD, HTMX = {"x_csrftoken": TOKEN}, {"hx_request": "true"}
HEADERS = st.sampled_from([*[GOOD] * 5, *[GOOD | HTMX] * 2, HTMX, {}])
