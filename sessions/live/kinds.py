"""The kinds of stream. Each says which operations it takes, how it judges them and how its parts are read.

`sessions` brings `stage` and `me`; `tables` registers the others, so that this package knows none of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sessions.live.fields import Fields
from sessions.live.ops import Answer, Name, Op

if TYPE_CHECKING:
    from sessions.ledger import Erased, What
    from sessions.live.scene import Scene
    from sessions.live.wire import Encoded
    from sessions.models import Event, Participant, Stream

EVERY_STREAM = "every stream of the event"


class Part(NamedTuple):
    """One part as guests and as moderators get it (the same object when there is no difference)."""

    id: str
    seq: int
    guests: dict[str, Any]
    moderators: dict[str, Any]

    @classmethod
    def same(cls, part_id: str, seq: int, fields: dict[str, Any]) -> "Part":
        both = {"id": part_id, "seq": seq, **fields}
        return cls(part_id, seq, both, both)

    @classmethod
    def gone(cls, part_id: str, seq: int) -> "Part":
        return cls.same(part_id, seq, {"gone": True})


@dataclass(frozen=True, slots=True)
class Read:
    """A wish for all parts of `stream` with a seq above `after`."""

    stream: "Stream"
    after: int


class Kind:
    """What one kind of stream can do. The methods with a default are the optional ones."""

    name: str
    operations: Mapping[str, Fields] = {}
    usual = ""  # the one of them that nearly all are
    may_govern = True  # whether an operation may lock `EVERY_STREAM`
    keeps = False  # whether pages may keep its parts: seen by many, none goes without a word but in a draft

    def locks(self, op: Op) -> Sequence[Name] | str:
        """The streams an operation is judged by, or `EVERY_STREAM`."""
        raise NotImplementedError(op.kind)

    def load(self, scene: "Scene", ops: Sequence[Op]) -> Any:
        """Reads what judging these operations needs, in a fixed number of queries."""

    def again(self, _scene: "Scene", _state: Any, _ops: Sequence[Op]) -> bool:
        """Whether the `state` that earlier batches left is all that these operations are judged by; makes it so, and
        reads for the scene whoever acts and was not there before.
        """
        return False

    def lasting(self, _state: Any, _earlier: Any, _ops: Sequence[Op]) -> Any:
        """What of the state by which these were judged, and of an earlier one, is kept for `again`; null: nothing."""
        return None

    def judge_together(self, _scene: "Scene", _state: Any, _ops: Sequence[Op]) -> list[Answer] | None:
        """Carries all of these out, as `judge` would one after the other, and answers; null: they must go that way, and
        nothing has happened yet.
        """
        return None

    def judge(self, scene: "Scene", state: Any, op: Op) -> None:
        """Carries the operation out on the scene, where its actor is, without database access, or raises `Refused`."""
        raise NotImplementedError(op.kind)

    def parts(self, reads: Sequence[Read]) -> dict[int, list[Part]]:
        """Parts by stream id; the number of queries does not depend on the number of reads."""
        raise NotImplementedError(self.name)

    def raised(self, _state: Any, _after: Mapping[int, int]) -> "dict[int, list[Encoded]] | None":
        """By `ref`, what `parts` would find above these seqs, from the state that was judged; null: it must be read."""
        return None

    def visible(self, viewers: Iterable["Participant"], streams: Sequence["Stream"]) -> set[tuple[int, int]]:
        """Which (participant id, stream id) may be followed."""
        return {(viewer.pk, stream.pk) for viewer in viewers for stream in streams}

    def seats(self, _viewers: Sequence["Participant"]) -> dict[int, dict[str, Any]]:
        """For `me` only: the seats in the current session as `welcome` says them, by the id of who has one."""
        return {}

    def closed(self, scene: "Scene", event: "Event") -> None:
        """What has to go for good when the event is closed."""

    def new_session(self, scene: "Scene", event: "Event") -> None:
        """Raises the parts that another session changes."""

    def tombstones(self) -> Iterable[tuple["What", str, object]]:
        """What is erased by now in all events: with the event's key and the id the ledger knows it by."""
        return ()

    def returned(self, _event: "Event", _what: "What", _since: Mapping[str, int]) -> Iterable[tuple[str, int]]:
        """Which of these erased ids an operation brought back after the moment (ms) that stands with them, and when."""
        return ()

    def withdraw(self, scene: "Scene", event: "Event", erased: "Erased") -> None:
        """Takes away again what an older copy of the data brought back."""

    def glance(self, _events: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Console numbers by event id."""
        return {}


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    KINDS[kind.name] = kind


def fields_of(stream: Name, op_kind: str) -> Fields | None:
    """The fields an operation on this stream takes; null when there is no such operation."""
    kind = KINDS.get(stream.kind)
    return kind.operations.get(op_kind) if kind else None
