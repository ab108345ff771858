"""What a page shows at first: the parts of its streams, and the cursors from which the browser goes on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sessions.clock import now_ms
from sessions.live import rows, shown
from sessions.live.kinds import KINDS, Read
from sessions.live.ops import Name
from sessions.live.wire import stream_name
from sessions.models import Event, Participant, Stream


@dataclass(frozen=True, slots=True)
class Page:
    """The live side of a page: cursors by stream name, parts by kind of stream, as on the wire for this reader."""

    streams: dict[str, int]
    parts: dict[str, list[dict[str, Any]]]
    me: dict[str, Any]
    epoch: str
    now: int
    event_key: str
    zone: str
    moderates: bool

    def part(self, stream: str, part_id: str) -> dict[str, Any] | None:
        return next((part for part in self.parts.get(stream, []) if part["id"] == part_id), None)

    @property
    def stage(self) -> dict[str, Any]:
        return self.parts["stage"][0]


def page(viewer: Participant, names: Sequence[str]) -> Page:
    """Heads first, parts after: what is committed in between is read again by the browser, never missed.

    `names` as on the wire; the viewer must be allowed to see them. Boards are kept under `board:<id>`.
    """
    streams = find(viewer, [stream_name(name) for name in names])
    audience = audience_of(viewer)
    event = viewer.event
    parts: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for kind in {name.kind for name in streams}:
        of_kind = [stream for name, stream in streams.items() if name.kind == kind]
        parts |= {str(stream): found for stream, found in _shown(event, kind, of_kind, audience)}
    return Page(
        streams={name.on_wire(): stream.head for name, stream in streams.items()},
        parts=parts,
        me={"id": viewer.pk, "name": viewer.name, "role": viewer.role},
        epoch=str(event.epoch),
        now=now_ms(),
        event_key=event.key,
        zone=event.time_zone,
        moderates=audience == "moderators",
    )


def _shown(
    event: Event, kind: str, streams: Sequence[Stream], audience: str
) -> Iterator[tuple[Stream, list[dict[str, Any]]]]:
    if shown.may_keep(event, kind):
        yield from ((stream, shown.kept(event, stream, audience)) for stream in streams)
        return
    found = KINDS[kind].parts([Read(stream, -1) for stream in streams])
    for stream in streams:
        seen: list[dict[str, Any]] = [getattr(part, audience) for part in found.get(stream.pk, [])]
        yield stream, shown.in_order(kind, [part for part in seen if "gone" not in part])


def audience_of(viewer: Participant) -> str:
    return "moderators" if viewer.role == Participant.Role.MODERATOR else "guests"


def find(viewer: Participant, names: Sequence[Name]) -> dict[Name, Stream]:
    """The viewer's streams by name as asked for; unknown ones are absent. One query."""
    [found] = find_all([(viewer, names)])
    return found


def find_all(asked: Sequence[tuple[Participant, Sequence[Name]]]) -> list[dict[Name, Stream]]:
    """`find` for many. One query for all."""
    own = [(viewer.event_id, {_own(viewer, name): name for name in names}) for viewer, names in asked]
    wanted = {key for _event, names in own for key in names}
    events, kinds, refs = {event for event, _names in own}, {n.kind for n in wanted}, {n.ref for n in wanted}
    found = rows.whole(Stream, {"event": events, "kind": kinds, "ref": refs})
    streams = {(row.event_id, row.kind, row.ref): row for row in found}
    return [
        {name: streams[event, *key] for key, name in names.items() if (event, *key) in streams} for event, names in own
    ]


def _own(viewer: Participant, name: Name) -> Name:
    return Name("me", viewer.pk) if name.kind == "me" else name


def who(viewer: Participant, seat: dict[str, Any] | None) -> dict[str, Any]:
    """Who the viewer is, as the `welcome` frame says it; the seat is that of the current session."""
    return {"id": viewer.pk, "name": viewer.name, "role": viewer.role, "seat": seat}
