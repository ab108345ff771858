"""How often something may go wrong before it has to wait: codes from one address, passwords for one account."""

from sessions.codes import digest
from sessions.limits import Limiter, network

CODES_BY_ADDRESS = Limiter(10, 60)
CODES_IN_SUM = Limiter(1_000, 60)
PASSWORDS_BY_ACCOUNT_HERE = Limiter(10, 15 * 60)  # from one network: whoever guesses locks nobody else out
PASSWORDS_BY_ACCOUNT = Limiter(100, 15 * 60)  # from all together, before the account rests for everybody
PASSWORDS_BY_ADDRESS = Limiter(50, 15 * 60)


def wrong_code(address: str) -> int:
    """Counts a wrong code; seconds to wait when there were too many, from here or in sum. Right codes never wait."""
    wait = CODES_BY_ADDRESS.blocked(network(address)) or CODES_IN_SUM.blocked("")
    if not wait:
        CODES_BY_ADDRESS.fail(network(address))
        CODES_IN_SUM.fail("")
    return wait


def wait_for_sign_in(email: str, address: str) -> int:
    """Seconds until this account may be tried again from this address; 0 when it may be now.

    Whoever has many networks can still make it rest for all: a sign-in link (`manage.py moderator`) does not wait.
    """
    account, place = digest(email), network(address)
    here = max(PASSWORDS_BY_ACCOUNT_HERE.blocked((account, place)), PASSWORDS_BY_ADDRESS.blocked(place))
    return max(here, PASSWORDS_BY_ACCOUNT.blocked(account))


def wrong_password(email: str, address: str) -> None:
    account, place = digest(email), network(address)
    PASSWORDS_BY_ACCOUNT_HERE.fail((account, place))
    PASSWORDS_BY_ACCOUNT.fail(account)
    PASSWORDS_BY_ADDRESS.fail(place)
