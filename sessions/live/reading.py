"""What a page shows at first: the parts of its streams, and the cursors from which the browser goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sessions.clock import now_ms
from sessions.live import rows
from sessions.live.kinds import KINDS, Read
from sessions.live.ops import Name
from sessions.live.wire import stream_name
from sessions.models import Participant, Stream


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
    parts: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for kind in {name.kind for name in streams}:
        reads = [Read(stream, -1) for name, stream in streams.items() if name.kind == kind]
        found = KINDS[kind].parts(reads)
        for read in reads:
            shown = [getattr(part, audience) for part in found.get(read.stream.pk, [])]
            there = [part for part in shown if "gone" not in part]
            parts[str(read.stream)] = sorted(there, key=_place) if kind == "board" else there
    event = viewer.event
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


def _place(part: dict[str, Any]) -> tuple[str, str]:
    return part["order"], part["id"]


def audience_of(viewer: Participant) -> str:
    return "moderators" if viewer.role == Participant.Role.MODERATOR else "guests"


def find(viewer: Participant, names: Sequence[Name]) -> dict[Name, Stream]:
    """The viewer's streams by name as asked for; unknown ones are absent. One query."""
    own = {Name("me", viewer.pk) if name.kind == "me" else name: name for name in names}
    among = {"event": [viewer.event_id], "kind": {name.kind for name in own}, "ref": {name.ref for name in own}}
    found = rows.whole(Stream, among)
    return {own[key]: row for row in found if (key := Name(row.kind, row.ref)) in own}


def who(viewer: Participant) -> dict[str, Any]:
    """Who the viewer is, as the `welcome` frame says it; the seat is that of the current session."""
    return {"id": viewer.pk, "name": viewer.name, "role": viewer.role, "seat": KINDS["me"].seat(viewer)}
