"""One-time links: a token that opens one target once, for a short while."""

import hashlib
import secrets

from sqlalchemy import delete, insert, select, update

from core.store.engine import Database
from core.store.leases import database_now_ms
from core.store.tables import one_time_link


class LinkStore:
    """Only the hash of a token is stored."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, target: str, ttl_s: float = 600) -> str:
        """A fresh token for ``target``, good once and for ``ttl_s``."""
        token = secrets.token_urlsafe(32)
        with self._database.begin() as connection:
            now_ms = database_now_ms(connection)
            connection.execute(delete(one_time_link).where(one_time_link.c.expires_ms < now_ms - 86_400_000))
            connection.execute(
                insert(one_time_link).values(
                    token=_hash(token), target=target, expires_ms=now_ms + int(ttl_s * 1000)
                )
            )
        return token

    def redeem(self, token: str) -> str | None:
        """The token's target, once; None when it is unknown, used or expired."""
        with self._database.begin() as connection:
            now_ms = database_now_ms(connection)
            open_ = (
                (one_time_link.c.token == _hash(token))
                & one_time_link.c.used_ms.is_(None)
                & (one_time_link.c.expires_ms > now_ms)
            )
            if connection.execute(update(one_time_link).where(open_).values(used_ms=now_ms)).rowcount == 0:
                return None
            found = connection.execute(
                select(one_time_link.c.target).where(one_time_link.c.token == _hash(token))
            )
            return str(found.scalar_one())


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
