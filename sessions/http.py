from typing import TYPE_CHECKING

from django import http
from django.contrib.auth.models import AnonymousUser

from sessions.models import Moderator, Participant

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from sessions.live.shared import Shared


class HttpRequest(http.HttpRequest):
    """The request our views see: who sits behind it and whether htmx asks."""

    htmx: "HtmxDetails"
    participant: Participant | None
    user: Moderator | AnonymousUser
    request_id: str
    csp_nonce: str
    shared: "dict[str, Shared]"  # what the tokens in the page stand for; missing where there are none
