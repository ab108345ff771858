"""Words that nothing may break, such as addresses: they stay inside what holds them, on a phone and on a desk."""

import json
from typing import Any

from sessions import identity
from sessions.clock import now_ms
from sessions.live import streams
from sessions.live.ops import Op
from sessions.live.uuid7 import uuid7
from sessions.live.wire import stream_name
from sessions.models import Event, Participant, Question
from tables.models import Board, Table
from tests.browser.house import House, People, Person
from tests.browser.test_hostile_browser import comes_as
from tests.cafe import Cafe

ADDRESS = f"https://meet.cafe.example/{'j' * 160}"
NAME = "Ü" * 40
PARTS = "main :is(h1, h2, p, li:not(.note), .btn, .card, .note-by, form)"
CUT_OFF = """(parts) => {
  const clips = (one) => getComputedStyle(one).textOverflow === "ellipsis" || one.closest(".hear, [aria-hidden=true]");
  const width = document.documentElement.clientWidth;
  const shown = [...document.querySelectorAll(parts)].filter((one) => one.checkVisibility() && !clips(one));
  const out = shown.filter((one) => one.getBoundingClientRect().right > width + 1 || one.scrollWidth > one.clientWidth + 1);
  return out.map((one) => `${location.pathname} ${width} ${one.localName}.${one.className}`);
}"""  # noqa: E501 - as it stands in the browser


def set_up() -> None:
    """In the server's database; prints what the test needs as JSON."""
    cafe = Cafe()
    ada, cem = cafe.moderator, cafe.cem
    event = Event.objects.filter(pk=cafe.event.pk)
    event.update(
        title=f"Café {ADDRESS}", purpose=f"Look at {ADDRESS} first.", talk_link="https://" + "w" * 60 + ".example"
    )
    Table.objects.filter(event=cafe.event, number=1).update(talk_link=ADDRESS)
    assert cafe.does(ada, "room", "person.set", p=cem.pk, name=NAME).code is None
    assert cafe.does(ada, "room", "table.set", table=cafe.table(1).pk, name="T" * 40).code is None
    assert cafe.does(ada, "stage", "word.say", text=f"We meet at {ADDRESS}").code is None
    cafe.steps(1)
    print(json.dumps({"key": cafe.event.key, "code": cafe.event.join_code, "cem": cafe.cookie(cem)}))  # noqa: T201


def sit_down(key: str) -> None:
    """Cem at table 1, where session 1 runs, with a note that is an address."""
    event = Event.objects.get(key=key)
    ada, cem = identity.moderator_in(event, event.owner), event.participants.get(name=NAME)
    board = Board.objects.get(session__event=event, session__number=1, table__number=1)
    question = Question.objects.get(session=board.session, number=1)
    note = {"q": question.pk, "text": ADDRESS, "colour": "mint"}
    act(ada, "stage", "phase.next")
    act(cem, "room", "seat.take", table=board.table_id)
    act(ada, "stage", "phase.next")
    act(cem, f"board:{board.pk}", "note.add", **note)


def open_gallery(key: str) -> None:
    event = Event.objects.get(key=key)
    ada, cem = identity.moderator_in(event, event.owner), event.participants.get(name=NAME)
    act(ada, "stage", "phase.go", phase="gallery")
    act(ada, "gallery", "closing.set", text=ADDRESS)
    act(cem, "gallery", "takeaway.set", text=ADDRESS)


def act(who: Participant | None, stream: str, kind: str, **data: Any) -> None:
    assert who is not None
    [answer] = streams.apply([Op(uuid7(), who.event_id, who.pk, stream_name(stream), kind, data, None, now_ms())])
    assert answer.code is None, answer


def run(house: House, call: str) -> str:
    module = "tests.browser.test_long_words"
    return house.does("shell", "-v0", "-c", f"from {module} import open_gallery, set_up, sit_down; {call}")


def sticks_out(person: Person, *addresses: str) -> list[str]:
    """What leaves the window or the box it stands in, at these addresses."""
    found = []
    for address in addresses:
        person.page.goto(address)
        found += person.page.evaluate(CUT_OFF, PARTS)
    return found


def test_long_words_stay_inside_their_boxes(house: House, visitors: People) -> None:
    cast = json.loads(run(house, "set_up()").splitlines()[-1])
    guest, lead = f"{house.url}/e/{cast['key']}", f"{house.url}/events/{cast['key']}"
    eve, ada = comes_as(visitors, house, "", width=360, height=740), comes_as(visitors, house, "")
    cems = [comes_as(visitors, house, cast["cem"], width=width, height=800) for width in (360, 1440)]
    ada.page.goto(house.moderator_link())
    ada.page.get_by_role("button", name="Sign in").click()

    assert sticks_out(eve, f"{house.url}/j/{cast['code']}/") == []
    assert [sticks_out(cem, f"{guest}/lobby/", f"{guest}/me/") for cem in cems] == [[], []]
    run(house, f"sit_down('{cast['key']}')")
    assert [sticks_out(cem, f"{guest}/table/", f"{guest}/lobby/") for cem in cems] == [[], []]
    assert sticks_out(ada, f"{lead}/console/", f"{lead}/screen/", f"{lead}/", f"{house.url}/events/") == []
    run(house, f"open_gallery('{cast['key']}')")
    walk = (f"{guest}/gallery/", f"{guest}/gallery/?view=wall")
    assert [sticks_out(cem, *walk) for cem in cems] == [[], []]
