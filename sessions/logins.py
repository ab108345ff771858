"""Where it is kept that a moderator's browser is signed in: in the database, under the digest of its cookie."""

from typing import Any

from django.contrib.auth import get_user
from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.http import HttpRequest
from django.utils import timezone

from sessions.codes import SESSION_KEY, login_digest
from sessions.models.moderator import Moderator


class SessionStore(db.SessionStore):
    """Django's own, but whoever reads the database or a copy of it cannot go on as somebody who is signed in."""

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        found = self._rows().first()
        return self._known(found)

    async def _aget_session_from_db(self) -> AbstractBaseSession | None:
        found = await self._rows().afirst()
        return self._known(found)

    def _rows(self) -> Any:
        return self.model.objects.filter(
            session_key=login_digest(self.session_key or ""), expire_date__gt=timezone.now()
        )

    def _known(self, found: AbstractBaseSession | None) -> AbstractBaseSession | None:
        if found is None:
            self._session_key = None  # a new one will get a key of ours
        return found

    def exists(self, session_key: str) -> bool:
        return super().exists(login_digest(session_key))

    async def aexists(self, session_key: str) -> bool:
        return await super().aexists(login_digest(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        return _put_away(super().create_model_instance(data))

    async def acreate_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        return _put_away(await super().acreate_model_instance(data))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(login_digest(key))

    async def adelete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            await super().adelete(login_digest(key))


def _put_away(row: AbstractBaseSession) -> AbstractBaseSession:
    row.session_key = login_digest(row.session_key)
    return row


def account_of(key: str) -> Moderator | None:
    """Who is signed in by this cookie, as Django's middleware would find it."""
    if not SESSION_KEY.fullmatch(key):
        return None
    request = HttpRequest()
    request.session = SessionStore(key)
    user = get_user(request)
    return user if isinstance(user, Moderator) else None
