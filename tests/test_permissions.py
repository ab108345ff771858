"""The table of design.md 7, cell by cell: role x action x phase, written down a second time on purpose."""

import pytest

from sessions.permissions import Action, Role, Standing, may, refusal
from sessions.phases import Phase

PHASES = ["draft", "lobby", "seating", "running", "over", "gallery", "closed", "archived"]
# one column per phase: + allowed, - not
CELLS = {
    "join": {"outsider": "-+++++--"},
    "see": {"guest": "++++++++", "seated": "++++++++", "host": "++++++++", "moderator": "++++++++"},
    "sit": {"guest": "--++----", "seated": "--++----", "host": "--++----"},
    "put": {"moderator": "++++++--"},
    "read": {"guest": "-----+++", "seated": "++++++++", "host": "++++++++", "moderator": "++++++++"},
    "read_any": {"guest": "-----+++", "seated": "-----+++", "host": "-----+++", "moderator": "++++++++"},
    "post": {"seated": "---+----", "host": "---+----", "moderator": "++++++--"},
    "change_own": {"guest": "++++++--", "seated": "++++++--", "host": "++++++--", "moderator": "++++++--"},
    "change_any": {"moderator": "++++++--"},
    "move": {"seated": "---+----", "host": "---+----", "moderator": "++++++--"},
    "hide": {"moderator": "++++++--"},
    "take_home": {"guest": "-----+--", "seated": "-----+--", "host": "-----+--", "moderator": "++++++--"},
    "lead": {"moderator": "++++++++"},
}


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("role", list(Role))
def test_every_cell_of_the_table(action: Action, role: Role) -> None:
    expected = CELLS[action].get(role, "--------")
    found = "".join("+" if may(action, Standing(role, Phase(phase))) else "-" for phase in PHASES)
    assert found == expected


def test_every_action_has_its_row() -> None:
    assert set(CELLS) == set(Action)


@pytest.mark.parametrize(
    ("action", "role", "phase", "code"),
    [
        (Action.POST, Role.SEATED, Phase.RUNNING, None),
        (Action.POST, Role.SEATED, Phase.GALLERY, "session_closed"),
        (Action.POST, Role.GUEST, Phase.RUNNING, "no_seat"),
        (Action.SIT, Role.GUEST, Phase.LOBBY, "not_allowed_now"),
        (Action.LEAD, Role.GUEST, Phase.LOBBY, "not_allowed"),
        (Action.CHANGE_OWN, Role.GUEST, Phase.CLOSED, "session_closed"),
        (Action.SEE, Role.REMOVED, Phase.LOBBY, "not_allowed"),
    ],
)
def test_a_no_says_why(action: Action, role: Role, phase: Phase, code: str | None) -> None:
    assert refusal(action, Standing(role, phase)) == code
