"""Partitions on PostgreSQL: months of UUIDv7 for what grows with intake, number ranges for the journal.

Every partitioned table has a default partition, so that a row is never refused for want of one.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, text

from core.store.engine import Database
from core.store.schema import truncate_ddl
from core.store.tables import INSERT_ONLY, PARTITIONED

JOURNAL_RANGE = 10_000_000
"""Journal entries per partition."""


def ensure_partitions(owner: Database, months_ahead: int = 3, now_ms: int | None = None) -> list[str]:
    """Creates the partitions of this month, ``months_ahead`` more and the next journal ranges; returns the names created.

    A range that has rows in the default partition already is left there. Does nothing on SQLite.
    """
    if owner.dialect != "postgresql":
        return []
    created = []
    with owner.begin() as connection:
        connection.execute(text("LOCK TABLE hub_meta IN SHARE ROW EXCLUSIVE MODE"))
        present = {str(row[0]) for row in connection.execute(text(_PRESENT))}
        for table, name, low, high in _wanted(
            connection, months_ahead, now_ms or time.time_ns() // 1_000_000
        ):
            if name not in present and not _in_default(connection, table, low, high):
                connection.exec_driver_sql(
                    f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{low}') TO ('{high}')"
                )
                if table in INSERT_ONLY:
                    connection.exec_driver_sql(truncate_ddl(name))
                created.append(name)
    return created


_PRESENT = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'"


def _wanted(connection: Connection, months_ahead: int, now_ms: int) -> Iterator[tuple[str, str, str, str]]:
    for table in ("ledger", "raw_frame"):
        for year, month in _months(now_ms, months_ahead):
            bounds = [str(_lowest(at)) for at in (datetime(year, month, 1, tzinfo=UTC), _next(year, month))]
            yield (table, f"{table}_p{year}_{month:02}", bounds[0], bounds[1])
    size = connection.execute(text("SELECT coalesce(max(size), 0) FROM journal_head")).scalar_one()
    first = int(size) // JOURNAL_RANGE
    for index in (first, first + 1):
        yield ("journal", f"journal_p{index}", str(index * JOURNAL_RANGE), str((index + 1) * JOURNAL_RANGE))


def _in_default(connection: Connection, table: str, low: str, high: str) -> bool:
    column = PARTITIONED[table]
    query = (
        f"SELECT EXISTS (SELECT 1 FROM {table}_pdefault WHERE {column} >= '{low}' AND {column} < '{high}')"  # noqa: S608  # computed bounds
    )
    return bool(connection.exec_driver_sql(query).scalar_one())


def _months(now_ms: int, ahead: int) -> Iterator[tuple[int, int]]:
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    for _ in range(ahead + 1):
        yield (at.year, at.month)
        at = _next(at.year, at.month)


def _next(year: int, month: int) -> datetime:
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _lowest(at: datetime) -> UUID:
    return UUID(int=int(at.timestamp() * 1000) << 80)
