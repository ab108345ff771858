"""How often something may go wrong before it has to wait: codes from one address, passwords for one account."""

from sessions.codes import digest
from sessions.limits import Limiter, network

CODES_BY_ADDRESS = Limiter(10, 60)
CODES_IN_SUM = Limiter(1_000, 60)
PASSWORDS_BY_ACCOUNT = Limiter(10, 15 * 60)
PASSWORDS_BY_ADDRESS = Limiter(50, 15 * 60)


def wrong_code(address: str) -> int:
    """Counts a wrong code; seconds to wait when there were too many, from here or in sum. Right codes never wait."""
    wait = CODES_BY_ADDRESS.blocked(network(address)) or CODES_IN_SUM.blocked("")
    if not wait:
        CODES_BY_ADDRESS.fail(network(address))
        CODES_IN_SUM.fail("")
    return wait


def wait_for_sign_in(email: str, address: str) -> int:
    """Seconds until this account may be tried again from this address; 0 when it may be now."""
    return max(PASSWORDS_BY_ACCOUNT.blocked(digest(email)), PASSWORDS_BY_ADDRESS.blocked(network(address)))


def wrong_password(email: str, address: str) -> None:
    PASSWORDS_BY_ACCOUNT.fail(digest(email))
    PASSWORDS_BY_ADDRESS.fail(network(address))
