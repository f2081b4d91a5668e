"""One table from the drivers' errors to ours."""

import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import DataError, HubError, InternalError, TransientError, Unavailable
from core.store.engine import Database
from core.store.failures import DuplicateKey, classify

STATES = [
    ("40001", TransientError),
    ("40P01", TransientError),
    ("55P03", TransientError),
    ("57014", TransientError),
    ("08006", Unavailable),
    ("53100", Unavailable),
    ("53300", Unavailable),
    ("57P01", Unavailable),
    ("57P03", Unavailable),
    ("25006", Unavailable),
    ("58030", Unavailable),
    ("22001", DataError),
    ("22P05", DataError),
    ("23502", DataError),
    ("54000", DataError),
    ("23505", DuplicateKey),
    ("2F002", InternalError),
    ("42P01", InternalError),
    ("42501", InternalError),
]
NAMES = [
    ("SQLITE_BUSY", TransientError),
    ("SQLITE_BUSY_SNAPSHOT", TransientError),
    ("SQLITE_LOCKED", TransientError),
    ("SQLITE_FULL", Unavailable),
    ("SQLITE_IOERR_WRITE", Unavailable),
    ("SQLITE_CANTOPEN", Unavailable),
    ("SQLITE_CONSTRAINT_UNIQUE", DuplicateKey),
    ("SQLITE_CONSTRAINT_PRIMARYKEY", DuplicateKey),
    ("SQLITE_CONSTRAINT_NOTNULL", DataError),
    ("SQLITE_TOOBIG", DataError),
    ("SQLITE_CONSTRAINT_TRIGGER", InternalError),
    ("SQLITE_CORRUPT", InternalError),
    ("SQLITE_ERROR", InternalError),
]


def raised(error: Exception) -> HubError:
    return classify(error).error()


@pytest.mark.parametrize(("state", "expected"), STATES)
def test_an_sqlstate_has_its_error(state: str, expected: type[HubError]) -> None:
    error = psycopg.errors.lookup(state)("value 11010519491231002X")
    assert type(raised(error)) is expected
    assert type(raised(DBAPIError("SELECT", {}, error))) is expected
    assert "11010519491231002X" not in str(raised(error))


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_a_sqlite_code_has_its_error(name: str, expected: type[HubError]) -> None:
    error = sqlite3.OperationalError("value 11010519491231002X")
    error.sqlite_errorcode = getattr(sqlite3, name)
    error.sqlite_errorname = name
    assert type(raised(error)) is expected
    assert name in str(raised(error))
    assert "11010519491231002X" not in str(raised(error))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.OperationalError("server closed the connection"), Unavailable),
        (psycopg.InterfaceError("connection is closed"), Unavailable),
        (psycopg.DataError("text fields cannot contain NUL bytes"), DataError),
        (psycopg.ProgrammingError("wrong use"), InternalError),
        (sqlite3.InterfaceError("bad parameter"), DataError),
        (sqlite3.ProgrammingError("closed"), InternalError),
        (PoolTimeout(), TransientError),
        (OverflowError("too large"), DataError),
        ("\ud800".encode, DataError),
        (StatementError("no cause", "SELECT", {}, None), InternalError),
    ],
)
def test_what_drivers_and_pool_raise_themselves_has_its_error(
    error: object, expected: type[HubError]
) -> None:
    if callable(error):
        with pytest.raises(UnicodeEncodeError) as caught:
            error()
        error = caught.value
    assert isinstance(error, Exception)
    assert type(raised(error)) is expected


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://somebody:s3cret@127.0.0.1:1/licences", "127.0.0.1:1/licences"),
        ("sqlite:////proc/none/hub.db", "/proc/none/hub.db"),
    ],
)
def test_a_store_that_cannot_be_reached_is_named_to_operators_and_not_to_senders(
    url: str, place: str
) -> None:
    database = Database(url)
    with pytest.raises(Unavailable) as caught, database.read():
        pass
    database.close()
    assert f"out of reach: {place}: " in str(caught.value)
    assert caught.value.summary == "the store is out of reach"
    assert "s3cret" not in str(caught.value)


def test_only_a_lost_or_read_only_connection_is_thrown_away() -> None:
    lost = {state for state, _ in STATES if classify(psycopg.errors.lookup(state)()).disconnect}
    assert lost == {"08006", "57P01", "57P03", "25006", "58030"}
