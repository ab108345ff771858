"""What clients did and heard, written down as it happens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.chaos.evidence import Deed


@dataclass(frozen=True, slots=True)
class Line:
    """`at` in seconds since the start; `page` and `conn` count the pages of this client and the sockets of the page.

    `what` is `wants`, `sends`, `ack`, `err`, `opens`, `dies`; `said` the frame, if there is one.
    """

    at: float
    who: str
    page: int
    conn: int
    what: str
    said: Mapping[str, Any]


class History:
    def __init__(self) -> None:
        self.began = time.monotonic()
        self.lines: list[Line] = []
        self.people: dict[str, int] = {}  # ids of participants by the name of the client

    @property
    def now(self) -> float:
        return time.monotonic() - self.began

    def note(self, who: str, page: int, conn: int, what: str, said: Mapping[str, Any] | None = None) -> None:
        self.lines.append(Line(round(self.now, 4), who, page, conn, what, said or {}))

    def deeds(self) -> dict[str, Deed]:
        """Every operation with what became of it, as its author knows."""
        found: dict[str, Deed] = {}
        for line in self.lines:
            op = str(line.said.get("id", ""))
            if line.what in {"wants", "sends"} and op not in found:
                found[op] = self._deed(line)
            deed = found.get(op)
            if deed is None:
                continue
            if line.what == "sends":
                deed.sent += 1
            elif line.what == "ack":
                deed.seqs.append(line.said["seq"])
            elif line.what == "err":
                (deed.retries if line.said.get("retry") else deed.refusals).append(line.said["code"])
        return found

    def _deed(self, line: Line) -> Deed:
        op = line.said
        return Deed(op["id"], line.who, self.people[line.who], op["s"], op["k"], op["d"], op.get("base"))

    def resent(self) -> int:
        """How many operations were sent more than once."""
        return sum(deed.sent > 1 for deed in self.deeds().values())

    def as_json(self) -> Iterator[str]:
        return (json.dumps(asdict(line), ensure_ascii=False) for line in self.lines)

    def write(self, path: Path) -> None:
        path.write_text("".join(f"{line}\n" for line in self.as_json()), encoding="utf-8")
