"""The database: connections, transactions, and one table from foreign errors to ours.

SQLite: WAL, ``synchronous=FULL``, one writer per process at a time, ``BEGIN IMMEDIATE``. PostgreSQL: psycopg 3 behind a pool that
drops connections which are gone or read-only (SQLSTATE 25006 after a failover). No driver exception leaves a transaction block.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

from core.store.failures import FOREIGN, classify, unreached

DialectName = Literal["sqlite", "postgresql"]

BUSY_TIMEOUT_S = 10.0
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={int(BUSY_TIMEOUT_S * 1000)}",
    "temp_store=MEMORY",
    "case_sensitive_like=ON",  # as on PostgreSQL; and a prefix can use an index
    "cache_size=-32768",
    "wal_autocheckpoint=8192",  # pages, 32 MB: a batch dirties a few megabytes of scattered index pages
    "journal_size_limit=67108864",
)
_WRITERS: dict[str, threading.RLock] = {}
_WRITERS_LOCK = threading.Lock()


class Database:
    """A database by URL (``sqlite:////path`` or ``postgresql://user@host/name``); construction does no I/O.

    ``statement_timeout_s`` and ``lock_timeout_s`` bound every statement on PostgreSQL; ``pool_size`` bounds the connections.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        application_name: str = "licence-hub",
        statement_timeout_s: float = 60.0,
        lock_timeout_s: float = 20.0,
        pool_size: int = 8,
    ) -> None:
        self.url = _with_driver(make_url(url))
        self.dialect: DialectName = "sqlite" if self.url.get_backend_name() == "sqlite" else "postgresql"
        if self.dialect == "sqlite":
            self.engine = _sqlite_engine(self.url, pool_size)
            self._writer: threading.RLock | None = _writer_of(str(self.url.database))
        else:
            timeouts = {"statement_timeout": statement_timeout_s, "lock_timeout": lock_timeout_s}
            options = " ".join(f"-c {name}={int(seconds * 1000)}" for name, seconds in timeouts.items())
            arguments = {"options": options, "application_name": application_name}
            self.engine = _postgresql_engine(self.url, pool_size, arguments)
            self._writer = None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction: commits at the end of the block, rolls back when it raises.

        Raises ``TransientError``, ``Unavailable``, ``DataError`` or ``InternalError`` in place of whatever the driver raised.
        """
        if self._writer is None:
            with self._transaction(write=True) as connection:
                yield connection
            return
        with self._writer, self._transaction(write=True) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction (one view of the data on SQLite, one per statement on PostgreSQL); raises as ``begin`` does."""
        with self._transaction(write=False) as connection:
            yield connection

    def close(self) -> None:
        """Closes the pool; the next transaction opens a new one."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[Connection]:
        connection: Connection | None = None
        try:
            connection = self.engine.connect().execution_options(hub_write=write)
            with connection.begin():
                yield connection
        except FOREIGN as error:
            failure = classify(error)
            if failure.disconnect:
                self._forget(connection)
            raise (unreached(error, self._place) if connection is None else failure.error()) from None
        finally:
            if connection is not None:
                connection.close()

    @property
    def _place(self) -> str:
        """Where the database is, without user and password."""
        if self.dialect == "sqlite":
            return str(self.url.database)
        return f"{self.url.host or 'localhost'}:{self.url.port or 5432}/{self.url.database or ''}"

    def _forget(self, connection: Connection | None) -> None:
        """Pre-ping passes on a server that has become read-only, so every pooled connection of that age goes."""
        if connection is not None and not connection.invalidated:
            connection.invalidate()
        self.engine.dispose()


def driver_connection(connection: Connection) -> Any:
    """The driver's own connection inside the transaction of ``connection``: ``sqlite3`` or ``psycopg``, for the hot path."""
    return connection.connection.driver_connection


def _with_driver(url: URL) -> URL:
    backend = url.get_backend_name()
    if backend == "sqlite":
        return url.set(drivername="sqlite+pysqlite")
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise ValueError("the store is kept in sqlite: or postgresql:")


def _writer_of(path: str) -> threading.RLock:
    with _WRITERS_LOCK:
        return _WRITERS.setdefault(str(Path(path).resolve()), threading.RLock())


def _sqlite_engine(url: URL, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_use_lifo=True,  # the same connection writes again: its page cache is warm
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
    )
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = (
        None  # the module's own transaction handling would begin too late, and deferred
    )
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A deferred transaction that turns from reading to writing fails at once, whatever the busy time-out."""
    write = connection.get_execution_options().get("hub_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _postgresql_engine(url: URL, pool_size: int, arguments: dict[str, str]) -> Engine:
    timeouts = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        pool_recycle=1800,
        pool_pre_ping=True,
        pool_use_lifo=True,
        connect_args={"tcp_user_timeout": 15000, **timeouts, **arguments},
    )
