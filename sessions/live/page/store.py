"""The parts a page knows, by stream and id, as the server said them last; the twin of `static/js/store.js`."""

from collections.abc import Iterable, Mapping
from typing import Any

Part = dict[str, Any]


class Store:
    def __init__(self, parts: Mapping[str, Iterable[Part]]) -> None:
        self.streams: dict[str, dict[str, Part]] = {
            s: {part["id"]: part for part in there} for s, there in parts.items()
        }
        self.stale: dict[str, set[str]] = {}

    def carry_out(self, effect: Mapping[str, Any]) -> None:
        """What an effect of `core.step` does to the parts; other effects are none of its business."""
        match effect["do"]:
            case "put":
                self.put(effect["s"], effect["parts"])
            case "stale":
                self.mark_stale(effect["s"])
            case "drop":
                self.drop_stale(effect["s"])
            case "end":
                self.forget(effect["s"])

    def put(self, s: str, parts: Iterable[Part]) -> None:
        known, stale = self.streams.setdefault(s, {}), self.stale.get(s, set())
        for part in parts:
            stale.discard(part["id"])
            if part.get("gone"):
                known.pop(part["id"], None)
            else:
                known[part["id"]] = part

    def mark_stale(self, s: str) -> None:
        """From here on everything of `s` is doubtful until it comes again."""
        self.stale[s] = set(self.streams.get(s, ()))

    def drop_stale(self, s: str) -> None:
        """What has not come again is gone."""
        for part_id in self.stale.pop(s, ()):
            self.streams[s].pop(part_id, None)

    def forget(self, s: str) -> None:
        self.streams.pop(s, None)
        self.stale.pop(s, None)
