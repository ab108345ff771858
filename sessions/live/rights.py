"""What a socket may see is asked again when something it hangs on has changed."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from sessions.live.follower import Follower
from sessions.live.kinds import KINDS
from sessions.live.ops import Name
from sessions.live.threads import in_thread
from sessions.logins import account_of
from sessions.models import Device, Participant, Stream

if TYPE_CHECKING:
    from sessions.live.hub import Hub

ALWAYS = frozenset({"stage", "room", "me"})


async def check(hub: "Hub", followers: Collection[Follower]) -> None:
    """Asks for all of them at once; ends what they lost, sends away who was removed or signed out here."""
    if not followers:
        return
    wanted = {pk for follower in followers for pk, sub in follower.subs.items() if sub.name.kind not in ALWAYS}
    logins = {follower.login for follower in followers if follower.login is not None}
    viewers = {follower.viewer.pk for follower in followers}
    people, allowed, devices, accounts = await in_thread(_read, viewers, wanted, logins)
    for follower in followers:
        person = people.get(follower.viewer.pk)
        if person is None or person.removed_at is not None:
            hub.leave(follower)  # at once: what else there is to say is not for them
            follower.told("removed" if person else "not_found")
            follower.close(4403 if person else 4404)
            continue
        left = follower.device is not None and follower.device not in devices
        if left or (follower.login is not None and accounts[follower.login] != person.moderator_id):
            hub.leave(follower)
            follower.told("sign_in")
            follower.close(4401)
            continue
        for pk in [pk for pk in follower.subs if pk in wanted and (person.pk, pk) not in allowed]:
            sub = follower.subs[pk]
            hub.leave(follower, [pk])
            follower.end(sub.name, "not_allowed_now")


def concerned(hub: "Hub", touched: Mapping[int, Name]) -> list[Follower]:
    """The stage concerns everybody at it; a person's own stream that person. Seats alone take nothing away."""
    found: dict[Follower, None] = {}
    for pk, name in touched.items():
        if name.kind in {"stage", "me"}:
            found |= dict.fromkeys(hub.followers.get(pk, {}))
    return list(found)


def _read(
    viewers: Collection[int], wanted: Collection[int], logins: Collection[str]
) -> tuple[dict[int, Participant], set[tuple[int, int]], set[str], dict[str, int | None]]:
    """Who they are now, which streams they may follow, the devices that are still theirs, and whose the logins are."""
    people = Participant.objects.select_related("event").in_bulk(list(viewers))
    devices = set(Device.objects.filter(participant__in=people).values_list("digest", flat=True))
    accounts = {key: account.pk if (account := account_of(key)) else None for key in logins}
    return people, visible(people.values(), Stream.objects.filter(pk__in=wanted)), devices, accounts


def visible(viewers: Iterable[Participant], streams: Iterable[Stream]) -> set[tuple[int, int]]:
    """Which (participant id, stream id) pairs may be followed; streams of other events never."""
    those, rows = list(viewers), list(streams)
    events = {viewer.pk: viewer.event_id for viewer in those}
    allowed: set[tuple[int, int]] = set()
    for kind in {row.kind for row in rows}:
        of_kind = [row for row in rows if row.kind == kind]
        in_event = {row.pk: row.event_id for row in of_kind}
        found = KINDS[kind].visible(those, of_kind)
        allowed |= {(viewer, pk) for viewer, pk in found if events[viewer] == in_event[pk]}
    return allowed
