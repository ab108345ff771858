"""Operations as they travel inside: what somebody wants, and the answer to it."""

from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

JUDGED_WITHIN_MS: int = settings.LIMIT_JUDGED_SECONDS * 1_000


class Name(NamedTuple):
    """A stream inside its event. `ref` as in `Stream`."""

    kind: str
    ref: int = 0

    def on_wire(self) -> str:
        return f"{self.kind}:{self.ref}" if self.kind == "board" and self.ref else self.kind


class Op(NamedTuple):
    """One operation whose fields have passed `fields.py`.

    `arrived` is in ms, server clock; `base` an `edited` or null.
    """

    id: UUID
    event_id: int
    actor_id: int
    stream: Name
    kind: str
    data: dict[str, Any]
    base: int | None
    arrived: int


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """A final no with a code of `sync.md`. `part` is the current part of a conflict.

    `names` of tables with free seats complete the sentence; null: it says nothing of them.
    """

    def __init__(self, code: str, *, names: tuple[str, ...] | None = None, part: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code, self.names, self.part = code, names, part
        self.op_id: str | None = None  # of a frame that could be read that far


class Answer(NamedTuple):
    """What an operation gets: a `seq` after commit, or a `code`."""

    op_id: UUID
    stream: Name
    seq: int | None = None
    dup: bool = False
    code: str | None = None
    names: tuple[str, ...] | None = None
    part: dict[str, Any] | None = None
    after_ms: int | None = None
