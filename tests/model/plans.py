"""What is explored: everyday plans for every run, larger ones on demand, and for each rule one that misses it."""

from dataclasses import replace

from tests.model.world import Op, Plan, Rules

ONE = (Op(0),)
TWO = (Op(0, part="a"), Op(1, part="b"))
PLACE = (Op(0, "take"), Op(1, "take"))
SOCKETS = {"cut": 1, "kill": 1, "lost frame": 1, "repeat": 1, "busy": 1, "reload": 1}
HOUSES = {**SOCKETS, "lost hint": 1}
BACKUP = {"restore": 1, "cut": 1, "kill": 1, "lost frame": 1, "reload": 1}

EVERYDAY = {
    "two people write, a socket is cut": Plan(TWO, faults={"cut": 1}),
    "two people write, the server is killed": Plan(TWO, faults={"kill": 1}),
    "two people write, a frame is lost": Plan(TWO, faults={"lost frame": 1}),
    "two people write on two boards, a frame is lost": Plan(
        (Op(0), Op(1, stream=1)), streams=2, faults={"lost frame": 1}
    ),
    "two people want the last place, and ask twice": Plan(PLACE, faults={"repeat": 1}),
    "a place is taken, wanted and given back": Plan((Op(0, "take"), Op(1, "take"), Op(0, "clear"))),
    "one writes, whatever happens to sockets and server happens twice": Plan(ONE, faults=SOCKETS, together=2),
    "one writes, two look on, anything happens": Plan(ONE, people=3, faults=SOCKETS, together=1),
    "two processes, anything happens": Plan(ONE, processes=2, faults=HOUSES, together=1),
    "an older backup is restored, or anything else happens": Plan(
        TWO[:1], before=(Op(-1, part="b"),), faults=BACKUP, together=1
    ),
    "an older backup is restored and anything else happens, nobody writes": Plan(
        (), before=ONE, faults=BACKUP, together=2
    ),
}
LARGER = {
    "two people write, anything happens": Plan(TWO, faults=SOCKETS, together=1),
    "two people write the same note, anything happens": Plan((*ONE, Op(1)), faults=SOCKETS, together=1),
    "two processes, anything happens twice": Plan(ONE, processes=2, faults=HOUSES, together=2),
    "an older backup is restored and anything else happens": Plan(
        TWO[:1], before=(Op(-1, part="b"),), faults=BACKUP, together=2
    ),
}


def without(rule: str, plan: Plan) -> Plan:
    return replace(plan, rules=Rules(**{rule: False}))


STORED_TWICE = "something is stored twice"
NOT_STORED = "Ben: what was acknowledged is not stored"
PASSED = "the cursor has passed a part that is not there"
OTHERWISE = "the page shows something else than the store has"
MISSED = {  # rule -> what happens without it, and what that breaks
    "dedupe": (Plan(ONE, faults={"cut": 1}), STORED_TWICE),
    "refusals_remembered": (
        Plan((Op(0, "clear"), Op(1, "take")), before=(Op(-1, "take"),), faults={"repeat": 1}),
        "Cem: what was refused is stored",
    ),
    "commit_before_ack": (Plan(ONE, faults={"kill": 1}), NOT_STORED),
    "commit_before_hint": (Plan(ONE), f"Ben: {OTHERWISE}"),
    "heads_before_parts": (Plan(TWO), f"Ben: {PASSED}"),
    "cursor_check": (Plan(TWO, faults={"lost frame": 1}), f"Ben: {PASSED}"),
    "heartbeat": (Plan(ONE, processes=2, faults={"lost hint": 1}), f"Ben: {OTHERWISE}"),
    "epoch_check": (Plan(ONE, faults={"restore": 1}), NOT_STORED),
    "begun_anew": (Plan((), before=ONE, faults={"restore": 1}), f"Ben: {OTHERWISE}"),
    "offered_again": (Plan(ONE, faults={"restore": 1}), NOT_STORED),
    "outbox_until_answered": (Plan(ONE), "Ben: what is not acknowledged is in no outbox"),
    "sent_again": (Plan(ONE, faults={"cut": 1}), "Ben: the outbox never empties"),
}
