"""The moderator, signed in by the link that our command prints."""

from __future__ import annotations

import json
from typing import Any

from tests.bench import web
from tests.bench.site import Site
from tests.chaos.crowd import signed_in


class Moderator:
    """With a console's socket."""

    def __init__(self, cookies: str, wire: web.Wire) -> None:
        self.cookies, self.wire = cookies, wire

    @classmethod
    async def comes(cls, site: Site, key: str, *streams: str) -> Moderator:
        """`streams` are followed besides `stage` and `me`, from their beginning."""
        jar = await signed_in(site.house.url, site.house.moderator_link())
        cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
        headers = {"Cookie": cookies, "Sec-Fetch-Site": "same-origin"}
        wire = await web.Wire.open(site.where, f"/live/{key}/?as=moderator", headers=headers)
        await wire.say({"t": "hello", "v": 1, "streams": dict.fromkeys(("stage", "me", *streams), 0)})
        return cls(cookies, wire)

    async def does(self, frame: dict[str, Any]) -> None:
        """Raises `ConnectionError` when it is refused."""
        await self.wire.say(frame)
        while True:
            _opcode, payload = await self.wire.hear()
            answer = json.loads(payload)
            if answer.get("id") == frame["id"]:
                if answer["t"] != "ack":
                    raise ConnectionError(f"refused: {answer}")
                return

    def close(self) -> None:
        self.wire.close()
