"""Named leases with fencing: who is the sequencer, the scheduler's leader, the feeder of a subscription."""

from sqlalchemy import Connection, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from core.store.engine import Database
from core.store.tables import lease


class LeaseStore:
    """Leases judged by the database's clock, so that the holders' clocks do not matter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, name: str, holder: str, ttl_s: float) -> int | None:
        """Takes or renews a lease; returns its fence, or None while somebody else holds it.

        A renewal keeps the fence; every change of holder raises it by one, so work done under an old fence can be refused.
        """
        with self._database.begin() as connection:
            now_ms = database_now_ms(connection)
            free = or_(lease.c.holder == holder, lease.c.expires_ms <= now_ms)
            mine = select(lease.c.holder, lease.c.fence).where(lease.c.name == name, free).with_for_update()
            row = connection.execute(mine).first()
            expires_ms = now_ms + int(ttl_s * 1000)
            if row is not None:
                fence = row.fence if row.holder == holder else row.fence + 1
                connection.execute(
                    update(lease)
                    .where(lease.c.name == name)
                    .values(holder=holder, fence=fence, expires_ms=expires_ms)
                )
                return int(fence)
            return self._first(connection, name, holder, expires_ms)

    def release(self, name: str, holder: str) -> None:
        """Gives a lease back at once, if it is still this holder's; the fence stays."""
        with self._database.begin() as connection:
            connection.execute(
                update(lease).where(lease.c.name == name, lease.c.holder == holder).values(expires_ms=0)
            )

    def holder(self, name: str) -> str | None:
        """Who holds an unexpired lease."""
        with self._database.read() as connection:
            now_ms = database_now_ms(connection)
            return connection.execute(
                select(lease.c.holder).where(lease.c.name == name, lease.c.expires_ms > now_ms)
            ).scalar_one_or_none()

    @staticmethod
    def _first(connection: Connection, name: str, holder: str, expires_ms: int) -> int | None:
        if connection.execute(select(lease.c.name).where(lease.c.name == name)).first() is not None:
            return None
        try:
            with connection.begin_nested():
                connection.execute(
                    insert(lease).values(name=name, holder=holder, fence=1, expires_ms=expires_ms)
                )
        except IntegrityError:
            return None  # another process was first
        return 1


def database_now_ms(connection: Connection) -> int:
    """Unix milliseconds by the database's clock."""
    if connection.dialect.name == "postgresql":
        return int(
            connection.execute(
                text("select (extract(epoch from clock_timestamp()) * 1000)::bigint")
            ).scalar_one()
        )
    return int(
        connection.execute(
            text("select cast((julianday('now') - 2440587.5) * 86400000 as integer)")
        ).scalar_one()
    )
