"""Who may do what: one table of role x action x phase. Views, sockets and templates ask here and nowhere else."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from sessions.phases import Phase


class Role(StrEnum):
    OUTSIDER = "outsider"
    GUEST = "guest"  # without a seat
    SEATED = "seated"
    HOST = "host"
    MODERATOR = "moderator"
    REMOVED = "removed"


class Action(StrEnum):
    JOIN = "join"
    SEE = "see"  # stage and room
    SIT = "sit"  # take, change, leave one's own seat
    PUT = "put"  # anyone's seat, tables, persons
    READ = "read"  # a board at which one has or had a seat
    READ_ANY = "read_any"  # every board
    POST = "post"
    CHANGE_OWN = "change_own"  # edit, delete, bring back
    CHANGE_ANY = "change_any"
    MOVE = "move"
    HIDE = "hide"
    TAKE_HOME = "take_home"
    LEAD = "lead"  # phases, clock, words


IN_ROOM = frozenset({Role.GUEST, Role.SEATED, Role.HOST})
AT_TABLE = frozenset({Role.SEATED, Role.HOST})
MODERATOR = frozenset({Role.MODERATOR})
EVERYONE = IN_ROOM | MODERATOR

ALL = frozenset(Phase)
OPEN = ALL - {Phase.CLOSED, Phase.ARCHIVED}
DOORS = OPEN - {Phase.DRAFT}
WALK = frozenset({Phase.GALLERY, Phase.CLOSED, Phase.ARCHIVED})
TALK = frozenset({Phase.SEATING, Phase.RUNNING})

# action -> role -> phases in which it is allowed
TABLE: dict[Action, list[tuple[frozenset[Role], frozenset[Phase]]]] = {
    Action.JOIN: [(frozenset({Role.OUTSIDER}), DOORS)],
    Action.SEE: [(EVERYONE, ALL)],
    Action.SIT: [(IN_ROOM, TALK)],
    Action.PUT: [(MODERATOR, OPEN)],
    Action.READ: [(AT_TABLE, ALL), (IN_ROOM, WALK), (MODERATOR, ALL)],
    Action.READ_ANY: [(IN_ROOM, WALK), (MODERATOR, ALL)],
    Action.POST: [(AT_TABLE, frozenset({Phase.RUNNING})), (MODERATOR, OPEN)],
    Action.CHANGE_OWN: [(AT_TABLE, OPEN), (frozenset({Role.GUEST}), OPEN), (MODERATOR, OPEN)],
    Action.CHANGE_ANY: [(MODERATOR, OPEN)],
    Action.MOVE: [(AT_TABLE, frozenset({Phase.RUNNING})), (MODERATOR, OPEN)],
    Action.HIDE: [(MODERATOR, OPEN)],
    Action.TAKE_HOME: [(IN_ROOM, frozenset({Phase.GALLERY})), (MODERATOR, OPEN)],
    Action.LEAD: [(MODERATOR, ALL)],
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Who someone is at the moment and what time it is in the event."""

    role: Role
    phase: Phase


def may(action: Action, standing: Standing) -> bool:
    return _allowed(action, standing.role, standing.phase)


def refusal(action: Action, standing: Standing) -> str | None:
    """Null when allowed, else the code of `sync.md` that says why not."""
    return _refusal(action, standing.role, standing.phase)


@cache
def _allowed(action: Action, role: Role, phase: Phase) -> bool:
    """Asked for each note; the table does not change."""
    return any(role in roles and phase in phases for roles, phases in TABLE[action])


@cache
def _refusal(action: Action, role: Role, phase: Phase) -> str | None:
    if _allowed(action, role, phase):
        return None
    if any(role in roles for roles, _phases in TABLE[action]):
        ended = phase in {Phase.CLOSED, Phase.ARCHIVED} or action in {Action.POST, Action.MOVE}
        return "session_closed" if ended else "not_allowed_now"
    if role is Role.GUEST and action in {Action.POST, Action.MOVE, Action.READ}:
        return "no_seat"
    return "not_allowed"
