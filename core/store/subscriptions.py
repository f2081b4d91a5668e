"""How far each subscriber of the journal has acknowledged."""

import msgspec
from sqlalchemy import insert, select, update

from core.errors import FenceLost
from core.store.engine import Database
from core.store.leases import database_now_ms
from core.store.tables import subscription


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """State of one feed."""

    name: str
    delivered: int
    """Last journal number the destination acknowledged; -1: none."""
    failures: int
    """Consecutive failures."""
    retry_ms: int
    """Unix milliseconds before which it is not tried again."""
    stopped: str
    """Why the feed stopped for good, or empty."""


class SubscriptionStore:
    """Cursors of the journal feed; every write is fenced by the feeder's lease."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def progress(self, name: str) -> Progress:
        """The feed's state; a feed seen for the first time starts before the first entry."""
        with self._database.read() as connection:
            row = connection.execute(select(subscription).where(subscription.c.name == name)).first()
        if row is None:
            return self._begun(name)
        return Progress(
            name=name,
            delivered=row.delivered,
            failures=row.failures,
            retry_ms=row.retry_ms,
            stopped=row.stopped,
        )

    def all(self) -> list[Progress]:
        """Every feed's state."""
        with self._database.read() as connection:
            names = list(
                connection.execute(select(subscription.c.name).order_by(subscription.c.name)).scalars()
            )
        return [self.progress(name) for name in names]

    def is_due(self, progress: Progress) -> bool:
        """Whether a feed that failed may be tried again by now."""
        if not progress.retry_ms:
            return True
        with self._database.read() as connection:
            return database_now_ms(connection) >= progress.retry_ms

    def delivered(self, name: str, fence: int, number: int) -> None:
        """The destination has acknowledged everything up to ``number``."""
        self._write(name, fence, delivered=number, failures=0, retry_ms=0)

    def failed(self, name: str, fence: int, failures: int, delay_s: float) -> None:
        """An attempt failed; the next one is due after ``delay_s``."""
        self._write(name, fence, failures=failures, delay_s=delay_s)

    def stopped(self, name: str, fence: int, reason: str) -> None:
        """The destination refuses for good."""
        self._write(name, fence, stopped=reason)

    def resume(self, name: str) -> None:
        """Starts a stopped feed again from where it stood."""
        with self._database.begin() as connection:
            connection.execute(
                update(subscription)
                .where(subscription.c.name == name)
                .values(stopped="", failures=0, retry_ms=0)
            )

    def _begun(self, name: str) -> Progress:
        """Only the feed's leaseholder comes here, so nobody else inserts meanwhile."""
        with self._database.begin() as connection:
            start = {"name": name, "delivered": -1, "fence": 0, "updated_ms": database_now_ms(connection)}
            connection.execute(insert(subscription).values(start))
        return Progress(name=name, delivered=-1, failures=0, retry_ms=0, stopped="")

    def _write(self, name: str, fence: int, *, delay_s: float | None = None, **values: object) -> None:
        with self._database.begin() as connection:
            now_ms = database_now_ms(connection)
            if delay_s is not None:
                values["retry_ms"] = now_ms + int(delay_s * 1000)
            statement = update(subscription).where(subscription.c.name == name, subscription.c.fence <= fence)
            if connection.execute(statement.values(fence=fence, updated_ms=now_ms, **values)).rowcount == 0:
                raise FenceLost(f"the feed of {name} has another feeder")
