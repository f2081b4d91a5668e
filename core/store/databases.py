"""Databases on a PostgreSQL server: made and taken away again, for hubs that come and go."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from core.store.engine import Database
from core.store.failures import FOREIGN, classify

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def create_database(server_url: str, name: str) -> None:
    """Creates an empty UTF-8 database; ``server_url`` names a database to do it from.

    Raises ``Unavailable`` when the server is out of reach, ``InternalError`` when it refuses (name taken, no right), and
    ``ValueError`` for a name that would need quoting.
    """
    statement = f"CREATE DATABASE {_checked(name)} ENCODING 'UTF8' TEMPLATE template0"
    with _maintenance(server_url) as connection:
        connection.exec_driver_sql(statement)


def drop_database(server_url: str, name: str) -> None:
    """Removes a database with everything in it, ending the connections to it; what is not there is no fault."""
    statement = f"DROP DATABASE IF EXISTS {_checked(name)} WITH (FORCE)"
    with _maintenance(server_url) as connection:
        connection.exec_driver_sql(statement)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"database name {name!r}: lower-case letters, digits and underscores only")
    return name


@contextmanager
def _maintenance(url: str) -> Iterator[Connection]:
    """A connection outside of any transaction, as these statements demand."""
    database = Database(url, application_name="licence-hub-maintenance", pool_size=1)
    try:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection
    except FOREIGN as error:
        raise classify(error).error() from None
    finally:
        database.close()
