"""Part templates: filled on the server, blank for the browser, refused when they hold what only one side knows."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils.translation import override

from sessions.live.checks import check_parts, part_templates, problems
from sessions.live.marks import read
from sessions.live.markup import MarksError

BERLIN = ZoneInfo("Europe/Berlin")
NOON = 1_629_802_800_000  # 2021-08-24T11:00:00Z, 13:00 in Berlin


def filled(inner: str, **values: Any) -> str:
    """What stands inside the root, filled."""
    html = read(f"<div>{inner}</div>").render({"id": "x", "seq": 1, **values}, BERLIN)
    return html[html.index(">") + 1 : -len("</div>")]


def test_the_root_says_which_part_it_is_and_how_new() -> None:
    html = read("<li class=note></li>", "rail-").render({"id": "note:ab-c", "seq": 7}, BERLIN)
    assert html == '<li class="note" id="rail-note-ab-c" data-part="note:ab-c" data-seq="7"></li>'


def test_the_blank_template_is_the_same_html_with_its_marks() -> None:
    assert (
        read('<p> <b data-text="a">x</b>\n  <br> &amp; &lt; </p>').blank
        == '<p> <b data-text="a">x</b> <br> &amp; &lt; </p>'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ben & <b>Cem</b> \"x\" 'y'", "Ben &amp; &lt;b&gt;Cem&lt;/b&gt; &quot;x&quot; 'y'"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("one\r\ntwo", "one&#13;\ntwo"),
        (None, ""),
        (0, "0"),
        (2.0, "2"),
        (2.5, "2.5"),
        (True, "true"),
        ([1], ""),
        ({"a": 1}, ""),
    ],
)
def test_text_is_text(value: object, text: str) -> None:
    assert filled('<b data-text="a">old <i>x</i></b>', a=value) == f'<b data-text="a">{text}</b>'


@pytest.mark.parametrize(
    ("mark", "values", "attrs"),
    [
        ("title:a", {"a": 'x" onclick="y'}, ' title="x&quot; onclick=&quot;y"'),
        ("title:a", {"a": None}, ""),
        ("title:a", {}, ""),
        ("disabled:a", {"a": True}, ' disabled=""'),
        ("disabled:a", {"a": False}, ""),
        ("aria-pressed:a", {"a": False}, ' aria-pressed="false"'),
        ("aria-pressed:a", {"a": True}, ' aria-pressed="true"'),
        ("id:name-{a}-{b.c}", {"a": 3, "b": {"c": "d"}}, ' id="name-3-d"'),
        ("id:name-{a}", {"a": None}, ""),
        ("data-x:a data-y:b", {"a": 1, "b": ""}, ' data-x="1" data-y=""'),
        ("href:a", {"a": "https://talk.example/x"}, ' href="https://talk.example/x"'),
        ("href:a", {"a": "/e/x/"}, ' href="/e/x/"'),
        ("href:a", {"a": "javascript:alert(1)"}, ""),
        ("href:a", {"a": "//evil.example"}, ""),
        ("href:a", {"a": "data:text/html,x"}, ""),
        ("href:/e/{a}/", {"a": "k"}, ' href="/e/k/"'),
    ],
)
def test_attributes_are_set_and_removed(mark: str, values: dict[str, Any], attrs: str) -> None:
    assert filled(f'<a data-attr="{mark}"></a>', **values) == f'<a data-attr="{mark}"{attrs}></a>'


def test_an_attribute_takes_the_place_of_the_written_one() -> None:
    assert filled('<a title="old" data-attr="title:a"></a>', a="new") == '<a data-attr="title:a" title="new"></a>'


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ("a", True), ("zero", False), ("empty", False), ("none", False), ("list", False), ("no", False),
        ("unknown", False), ("!a", False), ("!none", True), ("word=over", True), ("word=lobby|over", True),
        ("word=run", False), ("!word=over", False), ("number=3", True), ("deep.word=x", True), ("a.b", False),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_hidden(condition: str, shown: bool) -> None:
    values = {"a": 1, "zero": 0, "empty": "", "none": None, "list": [], "no": False, "word": "over", "number": 3}
    hidden = "" if shown else ' hidden=""'
    assert (
        filled(f'<i data-if="{condition}" hidden></i>', **values, deep={"word": "x"})
        == f'<i data-if="{condition}"{hidden}></i>'
    )


def test_items_stand_after_their_template() -> None:
    inner = '<ul data-each="seats"> <template><li data-attr="data-p:p"><b data-text="name"></b></li></template> </ul>'
    template = '<ul data-each="seats"><template><li data-attr="data-p:p"><b data-text="name"></b></li></template>'
    items = "".join(
        f'<li data-attr="data-p:p" data-p="{p}"><b data-text="name">{name}</b></li>'
        for p, name in ((1, "Ben"), (2, "Cem"))
    )
    assert filled(inner, seats=[{"p": 1, "name": "Ben"}, {"p": 2, "name": "Cem"}]) == f"{template}{items}</ul>"
    assert filled(inner, seats=None) == f"{template}</ul>"


def test_items_may_be_plain_words() -> None:
    assert filled('<ul data-each="a"><template><li data-text="."></li></template></ul>', a=["x", "<"]).endswith(
        '</template><li data-text=".">x</li><li data-text=".">&lt;</li></ul>'
    )


@pytest.mark.parametrize(("n", "shown"), [(0, "zero"), (1, "one"), (2, "other"), (None, "zero")])
def test_one_form_of_the_plural_is_shown(n: int | None, shown: str) -> None:
    forms = "".join(f'<i data-form="{form}"></i>' for form in ("zero", "one", "other"))
    html = filled(f'<p data-n="n">{forms}</p>', n=n)
    assert html.count("hidden") == 2
    assert f'<i data-form="{shown}"></i>' in html


def test_without_a_form_for_nothing_nothing_is_many() -> None:
    assert '<i data-form="other"></i>' in filled(
        '<p data-n="n"><i data-form="one"></i><i data-form="other"></i></p>', n=0
    )


def test_times_stand_in_the_zone_of_the_event() -> None:
    inner = '<time data-time="at"></time>'
    assert filled(inner, at=NOON) == '<time data-time="at" datetime="2021-08-24T11:00:00Z">13:00</time>'
    assert filled(inner, at=None) == inner


@pytest.mark.parametrize(
    "html",
    [
        "", "text", "<p></p><p></p>", "<p>", "<p></i></p>", "<div><textarea></textarea></div>", "<div><input></div>",
        "<div><script></script></div>", "<p onclick=x></p>", '<p style="color:red"></p>',
        '<p data-attr="onclick:a"></p>',
        '<p data-attr="style:a"></p>', '<p data-attr="title"></p>', '<p data-attr="data-text:a"></p>',
        '<ul data-each="a"><li></li></ul>', '<ul data-each="a"><template><li></li><li></li></template></ul>',
        '<p><i data-form="one"></i></p>', '<p data-n="a"><i data-form="one" data-if="b"></i></p>',
    ],
)  # fmt: skip
def test_what_is_no_part_template_is_refused(html: str) -> None:
    with pytest.raises(MarksError):
        read(html)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>{{ name }}</p>", "data-text"),
        ("<p>{% if x %}{% endif %}</p>", "not known to the browser"),
        ("{% load i18n %}<p>{% blocktranslate with a=b %}x{% endblocktranslate %}</p>", "not known to the browser"),
        ('<p data-html="a"></p>', "data-html is no mark"),
        ('<p data-text="a" data-each="b"></p>', "cannot stand on one element"),
        ('<p data-if="a" data-for="mine"></p>', "cannot stand on one element"),
        ("<p></p><p></p>", "exactly one root"),
        ("<p><textarea></textarea></p>", "cannot stand in a part"),
    ],
)
def test_the_check_says_what_keeps_a_template_from_being_a_part(
    tmp_path: Path, source: str, words: str, settings: Any
) -> None:
    (tmp_path / "tables" / "parts").mkdir(parents=True)
    (tmp_path / "tables" / "parts" / "wrong.html").write_text(source)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    assert part_templates(tmp_path) == ["tables/parts/wrong.html"]
    found = list(problems(tmp_path, "tables/parts/wrong.html"))
    assert found
    assert all(words in problem for problem in found)


def test_all_our_part_templates_pass_the_check(settings: Any) -> None:
    assert check_parts() == []
    assert len(part_templates(settings.BASE_DIR / "templates")) > 10


def test_a_page_gets_the_part_and_its_blank_template_in_its_language() -> None:
    page = Template(
        '{% load live %}{% part "tables/parts/note.html" note prefix="a-" %}'
        '{% part_template "note" "tables/parts/note.html" %}'
    )
    note = {
        "id": "note:1",
        "seq": 4,
        "text": "Ask <first>",
        "order": "a",
        "colour": "mint",
        "by": 5,
        "name": "Cem",
        "at": NOON,
    }
    with override("en"):
        html = page.render(Context({"note": note}))
    assert html.startswith('<li class="note"')
    assert 'id="a-note-1" data-part="note:1" data-seq="4"' in html
    assert "Ask &lt;first&gt;" in html
    assert '<template id="part-note"><li class="note"' in html
    assert html.count(">Saved<") == 2


class Page:
    event_key, epoch, now, zone = "K7M2QXHB", "e-1", 5, "Europe/Berlin"
    streams = {"stage": 3}
    parts = {"stage": [{"id": "now", "title": 'It\'s <b>"here"</b> & now'}]}

    def __init__(self, role: str) -> None:
        self.me = {"id": 5, "name": "O'Neill", "role": role}


def test_the_page_says_where_the_browser_goes_on_from() -> None:
    html = Template("{% load live %}<main {% live_attrs live %}>").render(Context({"live": Page("guest")}))
    assert 'data-live="/live/K7M2QXHB/" data-event="K7M2QXHB" data-epoch="e-1" data-now="5"' in html
    assert 'data-me=\'{"id":5,"name":"O&#39;Neill","role":"guest"}\'' in html
    assert 'It&#39;s &lt;b&gt;\\"here\\"&lt;/b&gt; &amp; now' in html


def test_a_moderators_page_says_so_in_its_address() -> None:
    html = Template("{% load live %}{% live_attrs live %}").render(Context({"live": Page("moderator")}))
    assert 'data-live="/live/K7M2QXHB/?as=moderator"' in html


def test_every_plain_form_gets_an_id_of_its_own() -> None:
    ids = Template("{% load live %}{% op_id %} {% op_id %}").render(Context()).split()
    assert len(set(ids)) == 2
    assert all(len(one) == 36 and one[14] == "7" for one in ids)
