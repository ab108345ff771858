"""`python -m tests.model`: for each rule the shortest way in which a promise breaks without it."""

import sys

from tests.model.explore import explore
from tests.model.plans import MISSED, without

if __name__ == "__main__":
    for rule, (plan, _sentence) in MISSED.items():
        sys.stdout.write(f"Without {rule}: {explore(without(rule, plan)).told()}\n\n")
