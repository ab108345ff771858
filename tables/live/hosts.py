"""Who is the host of a table: what else changes when somebody becomes it, or is it no longer."""

from sessions.live.ops import Name, Refused
from sessions.live.scene import Scene
from sessions.models import Event, Participant
from tables.live.floor import Floor
from tables.models import Table


def appoint(scene: Scene, floor: Floor, event: Event, table: Table, pk: int | None) -> None:
    """Makes this person the host of the table, null: nobody. One table has one host, one host has one table."""
    if pk == table.host_id:
        return
    person = None if pk is None else floor.person(event, pk)
    if person is not None and person.removed_at is not None:
        raise Refused("not_found")
    if table.host_id is not None:
        step_down(scene, floor, event, floor.people[table.host_id])
    if person is not None:
        _welcome(scene, floor, event, table, person)


def step_down(scene: Scene, floor: Floor, event: Event, person: Participant) -> None:
    """The host is a guest again and stays on the chair they have; whoever is no host stays none."""
    if _leaves_table(scene, floor, event, person):
        _becomes(scene, event, person, Participant.Role.GUEST)


def _welcome(scene: Scene, floor: Floor, event: Event, table: Table, person: Participant) -> None:
    _leaves_table(scene, floor, event, person)
    table.host = person
    scene.saves.update(table, "host")
    _becomes(scene, event, person, Participant.Role.HOST)
    floor.keep_first_chair(scene, event, table, person)


def _leaves_table(scene: Scene, floor: Floor, event: Event, person: Participant) -> bool:
    """Whether there was a table of theirs; it has no host now."""
    table = floor.hosted_by(person)
    if table is None:
        return False
    table.host = None
    scene.saves.free(table, "host")
    scene.saves.update(table, "host")
    floor.raise_table(scene, event, table)
    return True


def _becomes(scene: Scene, event: Event, person: Participant, role: Participant.Role) -> None:
    person.role = role
    person.me_seq = scene.raise_head(event, Name("me", person.pk), "person")
    scene.saves.update(person, "role", "me_seq")
