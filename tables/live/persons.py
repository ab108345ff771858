"""Renaming and removing a person: what else changes when they do."""

from typing import Any

from sessions.ledger import What
from sessions.live.ops import Name, Refused
from sessions.live.scene import Scene
from sessions.models import Event, Participant
from tables.live import hosts
from tables.live.floor import Floor
from tables.live.gallery import raise_exhibit


def change(scene: Scene, floor: Floor, event: Event, person: Participant, wishes: dict[str, Any]) -> None:
    """Carries out `person.set`; everything that shows the person gets a new seq."""
    if not wishes.keys() - {"p"}:
        raise Refused("bad_field")
    if "name" in wishes:
        _rename(scene, floor, event, person, wishes["name"])
    if wishes.get("removed") is True and person.removed_at is None:
        _remove(scene, floor, event, person)
    if wishes.get("removed") is False:
        person.removed_at = None
        scene.erase(event, What.PERSON_BACK, person.pk)
    person.me_seq = scene.raise_head(event, Name("me", person.pk), "person")
    scene.saves.update(person, "name", "removed_at", "me_seq")


def _rename(scene: Scene, floor: Floor, event: Event, person: Participant, name: str) -> None:
    person.name = name
    session = event.current_session()
    seat = floor.seats.get((session.pk, person.pk)) if session else None
    shown_at = [floor.tables[seat.table_id]] if seat is not None else []
    for table in {*shown_at, *filter(None, [floor.hosted_by(person)])}:
        floor.raise_table(scene, event, table)
    for note in floor.notes[person.pk]:
        note.seq = scene.raise_head(event, Name("board", note.board_id), f"note:{note.pk}")
        scene.saves.update(note, "seq")
    for board in {note.board_id: note.board for note in floor.notes[person.pk]}.values():
        raise_exhibit(scene, event, board)
        scene.saves.update(board, "gallery_seq")
    takeaway = floor.takeaways.get(person.pk)
    if takeaway is not None:
        takeaway.seq = scene.raise_head(event, Name("gallery"), f"takeaway:{person.pk}")
        scene.saves.update(takeaway, "seq")


def _remove(scene: Scene, floor: Floor, event: Event, person: Participant) -> None:
    floor.move(scene, event, person, None)
    hosts.step_down(scene, floor, event, person)
    person.removed_at = scene.moment
    scene.erase(event, What.PERSON_REMOVED, person.pk)
