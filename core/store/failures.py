"""What a driver's error means to the hub: one table for both databases, so that no driver exception travels further.

The texts of the drivers are left out on purpose: they quote the values that were refused, and those may be personal data.
"""

import sqlite3
from enum import Enum

import msgspec
import psycopg
from sqlalchemy.exc import StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import DataError, HubError, InternalError, TransientError, Unavailable

FOREIGN = (StatementError, PoolTimeout, psycopg.Error, sqlite3.Error, OverflowError, UnicodeError)
"""Everything the drivers and the pool raise (SQLAlchemy's DBAPIError is a StatementError)."""


class Kind(Enum):
    """What the hub does next."""

    TRANSIENT = "retry"
    UNAVAILABLE = "wait until the database is back"
    DUPLICATE = "the key is taken"
    DATA = "the data are refused"
    DEFECT = "our bug"


class DuplicateKey(DataError):
    """A unique key is taken: a twin was faster, or the data clash."""

    code = "duplicate-key"


class Failure(msgspec.Struct, frozen=True):
    """A classified error: ``code`` is a SQLSTATE or SQLite's error name, ``place`` the table, column or constraint."""

    kind: Kind
    code: str
    place: str = ""
    disconnect: bool = False
    """The connection, and others of its age, must not be used again."""

    def error(self) -> HubError:
        """The hub's exception for it."""
        where = f"{self.code}{', ' if self.place else ''}{self.place}"
        match self.kind:
            case Kind.TRANSIENT:
                return TransientError(f"the store is busy ({where})", summary_zh=f"存储繁忙（{where}）")
            case Kind.UNAVAILABLE:
                return Unavailable(
                    f"the store is out of reach ({where})",
                    summary_zh=f"存储不可用（{where}）",
                    retry_after_s=5,
                )
            case Kind.DUPLICATE:
                return DuplicateKey(f"the key is taken ({where})", receipt="")
            case Kind.DATA:
                return DataError(f"the store refuses the data ({where})", receipt="")
            case Kind.DEFECT:
                return InternalError(f"the store refuses the statement ({where})")


_STATES = {
    "23505": Kind.DUPLICATE,
    "25006": Kind.UNAVAILABLE,  # read-only: a standby after failover
    "55P03": Kind.TRANSIENT,  # lock time-out
    "57014": Kind.TRANSIENT,  # statement time-out
    "54000": Kind.DATA,  # an index row too long
}
_CLASSES = {
    "08": Kind.UNAVAILABLE,
    "22": Kind.DATA,
    "23": Kind.DATA,
    "40": Kind.TRANSIENT,
    "53": Kind.UNAVAILABLE,
    "57": Kind.UNAVAILABLE,  # 57P0x: shutdown, crash, cannot connect now
    "58": Kind.UNAVAILABLE,  # system error: I/O
}
_SQLITE = {
    sqlite3.SQLITE_BUSY: Kind.TRANSIENT,
    sqlite3.SQLITE_LOCKED: Kind.TRANSIENT,
    sqlite3.SQLITE_PROTOCOL: Kind.TRANSIENT,
    sqlite3.SQLITE_INTERRUPT: Kind.TRANSIENT,
    sqlite3.SQLITE_FULL: Kind.UNAVAILABLE,
    sqlite3.SQLITE_IOERR: Kind.UNAVAILABLE,
    sqlite3.SQLITE_CANTOPEN: Kind.UNAVAILABLE,
    sqlite3.SQLITE_NOMEM: Kind.UNAVAILABLE,
    sqlite3.SQLITE_READONLY: Kind.UNAVAILABLE,
    sqlite3.SQLITE_CONSTRAINT: Kind.DATA,
    sqlite3.SQLITE_TOOBIG: Kind.DATA,
    sqlite3.SQLITE_MISMATCH: Kind.DATA,
}
_SQLITE_EXTENDED = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: Kind.DUPLICATE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: Kind.DUPLICATE,
    sqlite3.SQLITE_CONSTRAINT_TRIGGER: Kind.DEFECT,  # an insert-only table was to be changed
}


def classify(error: BaseException) -> Failure:
    """The failure behind any exception of ``FOREIGN``."""
    if isinstance(error, PoolTimeout):
        return Failure(Kind.TRANSIENT, "no free connection")
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    if isinstance(cause, psycopg.Error):
        return _of_postgresql(cause)
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause)
    if isinstance(cause, OverflowError | UnicodeError):
        return Failure(Kind.DATA, type(cause).__name__)
    return Failure(Kind.DEFECT, type(cause).__name__)


def unreached(error: BaseException, place: str) -> HubError:
    """The hub's error when there was no connection yet: then the driver's own words name the cause, and quote no data."""
    failure = classify(error)
    if failure.kind is not Kind.UNAVAILABLE:
        return failure.error()
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    why = " ".join(str(cause).split("\n")[0].split()) or failure.code
    return Unavailable(
        "the store is out of reach", summary_zh="存储不可用", retry_after_s=5, detail=f"{place}: {why}"
    )


def _of_postgresql(error: psycopg.Error) -> Failure:
    state = error.sqlstate or ""
    kind = _STATES.get(state) or _CLASSES.get(state[:2])
    if not state:  # raised by the driver itself: a lost connection, or a value it cannot encode
        lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        kind = Kind.UNAVAILABLE if lost else Kind.DATA if isinstance(error, psycopg.DataError) else None
    diag = error.diag
    place = diag.constraint_name or ".".join(part for part in (diag.table_name, diag.column_name) if part)
    gone = kind is Kind.UNAVAILABLE and not state.startswith("53")
    return Failure(kind or Kind.DEFECT, state or type(error).__name__, place, gone)


def _of_sqlite(error: sqlite3.Error) -> Failure:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # raised by the module itself: a value it cannot bind, or a misuse
        kind = Kind.DATA if isinstance(error, sqlite3.DataError | sqlite3.InterfaceError) else Kind.DEFECT
        return Failure(kind, type(error).__name__)
    kind = _SQLITE_EXTENDED.get(code) or _SQLITE.get(code & 0xFF, Kind.DEFECT)
    return Failure(kind, error.sqlite_errorname)
