"""What guests and the moderator do all the time: write, think again, move notes, change tables, hide, say a word."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from sessions.live.client import Frame
from sessions.live.visitor import Form, Visitor
from tests.chaos.history import History
from tests.chaos.people import MOST_BOARDS, Page, Person, Wish

COLOURS = ("butter", "peach", "mint", "sky", "oat")
HABITS = {
    "add": 40,
    "edit": 14,
    "paint": 6,
    "move": 14,
    "throw away": 8,
    "bring back": 6,
    "meddle": 3,
    "change tables": 6,
    "sit anywhere": 2,
    "stand up": 1,
}


class Guest(Person):
    """Sits at tables, writes there. `key` is the event's."""

    def __init__(self, name: str, key: str, **how: Any) -> None:
        super().__init__(name, **how)
        self.key = key
        self.thrown_away: list[tuple[str, str]] = []  # (stream, note)
        self.deeds: dict[str, Callable[[], Wish | None]] = {
            "add": self._add,
            "edit": self._edit,
            "paint": self._paint,
            "move": self._move,
            "throw away": self._throw_away,
            "bring back": self._bring_back,
            "meddle": self._meddle,
            "change tables": self._change_tables,
            "sit anywhere": lambda: Wish("room", "seat.any", {}),
            "stand up": lambda: Wish("room", "seat.leave", {}),
        }

    @property
    def address(self) -> str:
        return f"/e/{self.key}/"

    @property
    def seat(self) -> Frame | None:
        found = self.page.parts["me"].get("seat") if self.page else None
        return found if found and found["table"] else None

    @property
    def board(self) -> str:
        return f"board:{self.seat['board']}" if self.seat else ""

    def follows_its_board(self) -> bool:
        """Those without a seat have none to follow."""
        return self.page is not None and (not self.board or self.board in self.page.cursors)

    async def settle_in(self, page: Page) -> None:
        if "room" not in page.cursors:
            await page.follow("room")
        boards = [name for name in page.cursors if name.startswith("board:")]
        if self.board and self.board not in boards:
            if len(boards) >= MOST_BOARDS:
                await page.leave(boards[0])
            await page.follow(self.board)

    def wish(self) -> Wish | None:
        if self.seat is None:
            return Wish("room", "seat.any", {})
        if self.board not in (self.page.parts if self.page else {}):
            return None
        return self.deeds[draw(self.dice, HABITS)]()

    def notes(self, *, own: bool) -> list[Frame]:
        """Those at the table where they sit."""
        parts = self.page.parts.get(self.board, {}) if self.page else {}
        return [part for part in parts.values() if (part["by"] == self.id) is own]

    def note(self) -> Wish | None:
        """A new one at their table; none where there is no question yet."""
        return self._add()

    def _add(self) -> Wish | None:
        stage = self.page.parts["stage"].get("now") if self.page else None
        if not stage or not self.board:
            return None
        question = self.dice.choice(stage["questions"])["id"]
        data = {"q": question, "text": self.writes(), "colour": self.dice.choice(COLOURS)}
        return Wish(self.board, "note.add", data)

    def _edit(self) -> Wish | None:
        note = chosen(self.dice, self.notes(own=True))
        data = note and {"note": note["note"], "text": self.writes()}
        return Wish(self.board, "note.edit", data, note["edited"]) if note and data else None

    def _paint(self) -> Wish | None:
        note = chosen(self.dice, self.notes(own=True))
        data = note and {"note": note["note"], "colour": self.dice.choice(COLOURS)}
        return Wish(self.board, "note.edit", data) if data else None

    def _move(self) -> Wish | None:
        """Behind another note, or to the front, perhaps to the other question."""
        note = chosen(self.dice, self.notes(own=self.dice.random() < 0.5))
        if note is None or self.page is None:
            return None
        question = self.dice.choice(self.page.parts["stage"]["now"]["questions"])["id"]
        others = [n for n in self.page.parts[self.board].values() if n["q"] == question and n["id"] != note["id"]]
        after = chosen(self.dice, others) if self.dice.random() < 0.8 else None
        return Wish(self.board, "note.move", {"note": note["note"], "after": after and after["note"], "q": question})

    def _throw_away(self) -> Wish | None:
        note = chosen(self.dice, self.notes(own=True))
        if note is None:
            return None
        self.thrown_away.append((self.board, note["note"]))
        return Wish(self.board, "note.gone", {"note": note["note"]})

    def _bring_back(self) -> Wish | None:
        found = chosen(self.dice, self.thrown_away)
        return Wish(found[0], "note.back", {"note": found[1]}) if found else None

    def _meddle(self) -> Wish | None:
        """With somebody else's note: this is refused."""
        note = chosen(self.dice, self.notes(own=False))
        data = note and {"note": note["note"], "text": self.writes()}
        return Wish(self.board, "note.edit", data, note["edited"]) if note and data else None

    def _change_tables(self) -> Wish | None:
        table = chosen(self.dice, list(self.page.parts["room"].values()) if self.page else [])
        return Wish("room", "seat.take", {"table": table["table"]}) if table else None


class Moderator(Person):
    """One of Ada's tabs: looks after some of the boards."""

    sees = "moderators"

    def __init__(self, name: str, key: str, boards: list[int], **how: Any) -> None:
        super().__init__(name, **how)
        self.key, self.boards = key, [f"board:{board}" for board in boards]
        self.pace = 2.0
        self.leaves_alone: set[int] = set()  # people who shall sit where they sit

    @property
    def address(self) -> str:
        return f"/events/{self.key}/console/"

    async def settle_in(self, page: Page) -> None:
        for stream in [stream for stream in ("room", *self.boards) if stream not in page.cursors]:
            await page.follow(stream)

    def wish(self) -> Wish | None:
        board = self.dice.choice(self.boards)
        note = chosen(self.dice, list(self.page.parts.get(board, {}).values()) if self.page else [])
        match draw(self.dice, {"hide": 30, "edit": 20, "gone": 5, "put": 25, "word": 20}):
            case "hide" if note:
                return Wish(board, "note.show" if note["hidden"] else "note.hide", {"note": note["note"]})
            case "edit" if note:
                return Wish(board, "note.edit", {"note": note["note"], "text": self.writes()}, note["edited"])
            case "gone" if note:
                return Wish(board, "note.gone", {"note": note["note"]})
            case "put":
                return self._put()
            case "word":
                return Wish("stage", "word.say", {"text": self.writes()})
        return None

    def _put(self) -> Wish | None:
        """Somebody who sits to another table, or to none."""
        tables = list(self.page.parts["room"].values()) if self.page else []
        sitting = {seat["p"] for table in tables for seat in table["seats"]}
        person = chosen(self.dice, sorted(sitting - self.leaves_alone))
        if person is None:
            return None
        table = self.dice.choice(tables)["table"] if self.dice.random() < 0.8 else None
        return Wish("room", "seat.put", {"p": person, "table": table})


def draw(dice: random.Random, weights: dict[str, int]) -> str:
    return dice.choices(list(weights), list(weights.values()))[0]


def chosen(dice: random.Random, things: list[Any]) -> Any:
    """One of them; none of none."""
    return dice.choice(things) if things else None


async def signed_in(url: str, link: str) -> dict[str, str]:
    """The cookies of the moderator who has followed the link, by the wire at `url`."""
    visitor = Visitor(url)
    page = await visitor.get(urlsplit(link).path)
    own = next(form for form in page.forms if not form.action)
    await visitor.submit(page, {}, form=Form(page.address, own.fields))
    return visitor.cookies


def guests_of(lines: str, key: str, *, urls: list[str], history: History, seed: int) -> list[Guest]:
    """Guests as `manage.py guests` prints them: a name, a tab, a Cookie header."""
    found = []
    for number, line in enumerate(lines.splitlines()):
        name, value = line.split("\t")[1].split("=", 1)
        found.append(
            Guest(
                f"g{number}",
                key,
                url=urls[number % len(urls)],
                cookies={name: value},
                history=history,
                dice=random.Random(f"{seed}/{number}"),
            )
        )
    return found
