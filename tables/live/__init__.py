"""The kinds of stream that `tables` brings to the live engine."""

from sessions.live.kinds import register as register_kind


def register() -> None:
    from tables.live.board import BoardKind
    from tables.live.gallery import GalleryKind
    from tables.live.me import MeKind
    from tables.live.room import RoomKind

    for kind in (RoomKind(), BoardKind(), GalleryKind(), MeKind()):
        register_kind(kind)
