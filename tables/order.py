"""Places in a list as text: between any two there is always room for one more."""

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def at_end(seq: int) -> str:
    """The place of what was written as `seq`: after everything written or moved before.

    No place ends in the lowest digit: there would be no room between it and the same without that digit.
    """
    return f"{seq:08x}{DIGITS[len(DIGITS) // 2]}"


def between(before: str, after: str | None) -> str:
    """A place after `before` ("" is the start) and before `after` (null is the end)."""
    if after is not None:
        same = _shared(before, after)
        if same:
            return after[:same] + between(before[same:], after[same:])
    low = DIGITS.index(before[0]) if before else 0
    high = DIGITS.index(after[0]) if after else len(DIGITS)
    if high - low > 1:
        return DIGITS[(low + high) // 2]
    return DIGITS[low] + between(before[1:], None)


def _shared(before: str, after: str) -> int:
    """How many digits both begin with; a missing digit of `before` counts as the lowest."""
    same = 0
    while same < len(after) and (before[same] if same < len(before) else DIGITS[0]) == after[same]:
        same += 1
    return same
