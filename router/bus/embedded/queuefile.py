"""The embedded bus's file: its tables, its connections and what SQLite's errors mean for the hub.

Small, often changed rows (``entry``) are apart from the bodies (``content``): handing a message out never rewrites its body.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from weakref import WeakValueDictionary

import msgspec

from contracts.fault import Fault, Rule
from core.errors import ConfigError, HubError, Unavailable, Unroutable
from core.ports.bus import Channel, Message
from router.bus.embedded.doorbell import Doorbell

SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 2.0
"""Waiting for other writers, first in this process, then for other processes."""

RESERVE_BYTES = 64 * 1024 * 1024
"""Free disk space below which publishes are refused: acknowledging needs room, too, or a full disk could never be drained."""

_SCHEMA = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE content (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, headers BLOB, body BLOB NOT NULL
) STRICT;
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY, channel TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    handed INTEGER NOT NULL DEFAULT 0, due_ms INTEGER, holder TEXT
) STRICT;
CREATE INDEX entry_ready ON entry (channel, seq) WHERE due_ms IS NULL;
CREATE INDEX entry_waiting ON entry (due_ms) WHERE due_ms IS NOT NULL;
CREATE TABLE parked (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, content INTEGER NOT NULL, channel TEXT NOT NULL, tries INTEGER NOT NULL,
    reason TEXT NOT NULL, parked_at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE probe (one INTEGER PRIMARY KEY CHECK (one = 1), at_ms INTEGER NOT NULL) STRICT;
PRAGMA user_version = 1;
COMMIT;
"""
# entry.due_ms: null = ready; else not before that time: the end of a lease when there is a holder, of a retry delay when not.
# entry.handed: times handed out since the last settlement.

_OTHER_VERSION = Rule(
    code="bus.file-version",
    en="the bus file was made by another version of the hub (layout {found}, this hub needs {needed})",
    zh="总线文件由其他版本的系统创建（结构版本 {found}，本系统需要 {needed}）",
    remedy_en="drain it with the version that made it, then start with a new file",
    remedy_zh="请用创建它的版本消费完毕，再以新文件启动",
)
_NOT_A_BUS = Rule(
    code="bus.not-a-bus-file",
    en="the file holds something else than a bus",
    zh="该文件不是总线文件",
    remedy_en="point the setting to a path of its own",
    remedy_zh="请将该设置指向独立的路径",
)


class Shared:
    """What all connections of this process to one file have in common: one writer at a time, and the doorbell."""

    def __init__(self) -> None:
        self.writing = threading.Lock()
        self.doorbell = Doorbell()


_shared: WeakValueDictionary[Path, Shared] = WeakValueDictionary()
_shared_lock = threading.Lock()


class QueueFile:
    """One bus file; connects on demand."""

    def __init__(self, path: Path, reserve_bytes: int = RESERVE_BYTES) -> None:
        self.path = path.absolute()
        self._reserve_bytes = reserve_bytes
        with _shared_lock:
            shared = _shared.get(self.path) or Shared()
            _shared[self.path] = shared
        self.shared = shared

    def create(self) -> None:
        """Makes the file and its tables if missing. Raises ``ConfigError`` when it holds another layout."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = sqlite3.connect(self.path, isolation_level=None, timeout=BUSY_TIMEOUT_S)
            try:
                self._create(connection)
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    def _create(self, connection: sqlite3.Connection) -> None:
        with self.shared.writing:
            try:
                if _layout(connection) == 0 and not _tables(connection):
                    connection.executescript(_SCHEMA)
            except sqlite3.Error:
                if _layout(connection) != SCHEMA_VERSION:  # else another process made it in the meantime
                    raise
        found = _layout(connection)
        if found != SCHEMA_VERSION:
            raise ConfigError("bus", [self._foreign(found)])

    def _foreign(self, found: int) -> Fault:
        if found == 0:
            return _NOT_A_BUS.at("/bus/url", self.path)
        return _OTHER_VERSION.at("/bus/url", self.path, found=found, needed=SCHEMA_VERSION)

    def check_room(self) -> None:
        """Raises ``Unavailable`` when the disk has less than the reserve left, or the file's folder is gone."""
        try:
            disk = os.statvfs(self.path.parent)
        except OSError as error:
            raise _unavailable(self.path, str(error)) from error
        free_bytes = disk.f_bavail * disk.f_frsize
        if free_bytes < self._reserve_bytes:
            raise _unavailable(self.path, f"only {free_bytes >> 20} MB free on its disk")

    def session(self, *, durable: bool) -> "Session":
        """A connection. ``durable``: its commits survive a power cut (``synchronous=FULL``).

        Claims and settlements need only survive the process: what a power cut undoes of them is delivered again.
        """
        return Session(self, durable=durable)


class Session:
    """One connection, shared by the threads that hold the session; closed by its owner."""

    def __init__(self, file: QueueFile, *, durable: bool) -> None:
        self._file = file
        self._turn = threading.RLock()
        self._durable = durable
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A write transaction.

        Raises ``Unavailable`` (busy, full or broken) or ``Unroutable`` (no such table); then nothing was changed.
        """
        with self._exclusive() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def reclaim(self, pages: int) -> None:
        """Gives free pages back to the file system; raises as ``write``."""
        with self._exclusive() as connection:
            # A script, because ``execute`` stops this statement after its first page.
            connection.executescript(f"PRAGMA incremental_vacuum({pages})")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with; raises as ``write``."""
        with self._turn, self._translating():
            yield self._connected()

    def close(self) -> None:
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _exclusive(self) -> Iterator[sqlite3.Connection]:
        if not self._file.shared.writing.acquire(timeout=BUSY_TIMEOUT_S):
            raise _unavailable(self._file.path, "busy")
        try:
            with self.read() as connection:
                yield connection
        finally:
            self._file.shared.writing.release()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise translated(error, self._file.path) from error

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            # mode=rw: a file that is gone is an outage, not a reason to accept messages into a new, empty one.
            connection = sqlite3.connect(
                f"{self._file.path.as_uri()}?mode=rw",
                uri=True,
                timeout=BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            with suppress(sqlite3.Error):
                connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
                connection.execute("PRAGMA journal_size_limit = 67108864")
            self._connection = connection
        return self._connection


def publish(
    file: QueueFile, session: "Session", channels: Sequence[Channel], messages: Sequence[Message]
) -> None:
    """Commits messages, each to its channel, and wakes who waits for them; all or nothing. Raises as ``Session.write``."""
    file.check_room()
    with session.write() as connection:
        _insert(connection, channels, messages)
    file.shared.doorbell.ring(set(channels))


def _insert(connection: sqlite3.Connection, channels: Sequence[Channel], messages: Sequence[Message]) -> None:
    rows = [(m.id, msgspec.json.encode(m.headers) if m.headers else None, m.body) for m in messages]
    connection.executemany("INSERT INTO content (id, headers, body) VALUES (?, ?, ?)", rows)
    (last,) = connection.execute("SELECT last_insert_rowid()").fetchone()
    first = last - len(rows) + 1  # nobody else writes in this transaction: the numbers are dense
    places = [(first + index, channel.value) for index, channel in enumerate(channels)]
    connection.executemany("INSERT INTO entry (seq, channel) VALUES (?, ?)", places)


def message(identity: str, headers: bytes | None, body: bytes) -> Message:
    """A message from its row."""
    known = msgspec.json.decode(headers, type=dict[str, str]) if headers else {}
    return Message(id=identity, body=body, headers=known)


def translated(error: sqlite3.Error, path: Path) -> HubError:
    """What an SQLite error means for a caller of the bus."""
    if "no such table" in str(error):
        return Unroutable(f"the bus file {path.name} has no queue: {error}", "总线文件中没有队列")
    return _unavailable(path, str(error))


def _unavailable(path: Path, why: str) -> Unavailable:
    return Unavailable(
        "the bus file takes nothing", summary_zh="总线文件暂不可写", detail=f"{path.name}: {why}"
    )


def _layout(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _tables(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return int(count)


def probe(file: QueueFile, session: Session) -> None:
    """Returns when the file takes messages; raises as ``Session.write``."""
    file.check_room()
    with session.write() as connection:
        connection.execute("INSERT OR REPLACE INTO probe VALUES (1, unixepoch())")
