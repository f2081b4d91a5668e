"""Many rows at once: COPY on PostgreSQL, the driver's executemany on SQLite (one way for every hot table).

Columns are given by name, rows as tuples of Python values (UUID, bytes, str, int, bool, date).
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Connection, Date, Integer, LargeBinary, Table

from core.store.columns import Id
from core.store.engine import driver_connection

Row = Sequence[Any]


def insert_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Appends ``rows`` to ``table``; a taken key raises as any driver error does inside the transaction block."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table.name, table, columns, rows)
    else:
        driver_connection(connection).executemany(
            _insert_sql(table, columns), sqlite_rows(table, columns, rows)
        )


def update_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Sets the other ``columns`` of the rows whose ``id`` stands first in each tuple."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        cursor = driver_connection(connection)
        staged = f"staged_{table.name}_{len(columns)}"
        cursor.execute(_stage_sql(table, columns))
        _copy(connection, staged, table, columns, rows)
        cursor.execute(_apply_sql(table, columns))
        return
    turned = [(*row[1:], row[0]) for row in sqlite_rows(table, columns, rows)]
    assignments = ", ".join(f'"{name}" = ?' for name in columns[1:])
    driver_connection(connection).executemany(f'UPDATE "{table.name}" SET {assignments} WHERE id = ?', turned)  # noqa: S608  # names from tables.py


def delete_rows(connection: Connection, table: Table, ids: Sequence[UUID]) -> None:
    """Removes the rows with those ``id``."""
    if not ids:
        return
    statement = f'DELETE FROM "{table.name}" WHERE id '  # noqa: S608  # names from tables.py
    if connection.dialect.name == "postgresql":
        driver_connection(connection).execute(statement + "= ANY(%s::uuid[])", (array_literal("uuid", ids),))
    else:
        driver_connection(connection).executemany(statement + "= ?", [(one.bytes,) for one in ids])


def look_up_by_index(connection: Connection) -> None:
    """For this transaction: a batch's few hundred keys are looked up by index, however small PostgreSQL takes the table to be.

    It would read all of a table of up to some hundred thousand rows instead, for every batch.
    """
    if connection.dialect.name == "postgresql":
        driver_connection(connection).execute("SET LOCAL enable_seqscan = off")


def all_rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query without parameters, as the driver gives them."""
    driver = driver_connection(connection)
    if connection.dialect.name == "postgresql":
        with driver.cursor(binary=True) as cursor:
            return list(cursor.execute(query))
    return list(driver.execute(query))


def sqlite_rows(table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> Sequence[Row]:
    """``rows`` with ids and dates in the form SQLite keeps."""
    turns = _turns(table, columns)
    if not turns:
        return rows
    turned = [list(row) for row in rows]
    for index, turn in turns:
        for row in turned:
            if row[index] is not None:
                row[index] = turn(row[index])
    return turned


def rows_within(
    connection: Connection,
    query: str,
    kind: Literal["uuid", "bytea", "text"],
    values: Sequence[Any],
    tail: str = "",
) -> list[tuple[Any, ...]]:
    """Rows of ``query``, whose ``{within}`` becomes the test on ``values`` (texts: digits, letters and dots only).

    On PostgreSQL the values travel as one array literal, which costs the client far less than an array parameter. ``tail`` is
    added there alone (row locks).
    """
    if not values:
        return []
    if connection.dialect.name == "postgresql":
        statement = query.format(within=f"= ANY(%s::{kind}[])") + tail
        with driver_connection(connection).cursor(binary=True) as cursor:
            return list(cursor.execute(statement, (array_literal(kind, values),)))
    bound = [value.bytes for value in values] if kind == "uuid" else list(values)
    return list(
        driver_connection(connection).execute(query.format(within=f"IN ({marks(len(bound))})"), bound)
    )


def array_literal(kind: Literal["uuid", "bytea", "text"], values: Sequence[Any]) -> str:
    """``values`` as the text of a PostgreSQL array."""
    if kind == "uuid":
        return "{" + ",".join([value.hex for value in values]) + "}"
    if kind == "bytea":
        return "{" + ",".join(['"\\\\x' + value.hex() + '"' for value in values]) + "}"
    return "{" + ",".join(values) + "}"


def as_uuid(value: UUID | bytes | None) -> UUID | None:
    """An id as a driver gives it: an UUID on PostgreSQL, its bytes on SQLite."""
    return UUID(bytes=value) if isinstance(value, bytes) else value


def marks(count: int) -> str:
    """``?, ?, …`` for SQLite."""
    return ", ".join("?" * count)


def _copy(
    connection: Connection, target: str, table: Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    cursor = driver_connection(connection).cursor()
    with cursor, cursor.copy(f'COPY "{target}" ({names}) FROM STDIN (FORMAT BINARY)') as copy:
        copy.set_types(_types(table, columns))
        write = copy.write_row
        for row in rows:
            write(row)


@cache
def _types(table: Table, columns: tuple[str, ...]) -> list[str]:
    return [_type_of(table.c[name].type) for name in columns]


def _type_of(column_type: object) -> str:
    kinds: list[tuple[type, str]] = [
        (Id, "uuid"),
        (LargeBinary, "bytea"),
        (BigInteger, "int8"),
        (Integer, "int4"),
        (Boolean, "bool"),
        (Date, "date"),
    ]
    return next((name for kind, name in kinds if isinstance(column_type, kind)), "text")


@cache
def _turns(table: Table, columns: tuple[str, ...]) -> tuple[tuple[int, Callable[[Any], object]], ...]:
    turns: list[tuple[int, Callable[[Any], object]]] = []
    for index, name in enumerate(columns):
        if isinstance(table.c[name].type, Id):
            turns.append((index, _id_bytes))
        elif isinstance(table.c[name].type, Date):
            turns.append((index, date.isoformat))
    return tuple(turns)


def _id_bytes(value: UUID) -> bytes:
    return value.bytes


@cache
def _insert_sql(table: Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({marks(len(columns))})'  # noqa: S608  # names from tables.py


@cache
def _stage_sql(table: Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    selected = f'SELECT {names} FROM "{table.name}" WITH NO DATA'  # noqa: S608  # names from tables.py
    return f'CREATE TEMP TABLE IF NOT EXISTS "staged_{table.name}_{len(columns)}" ON COMMIT DELETE ROWS AS {selected}'


@cache
def _apply_sql(table: Table, columns: tuple[str, ...]) -> str:
    assignments = ", ".join(f'"{name}" = s."{name}"' for name in columns[1:])
    return f'UPDATE "{table.name}" t SET {assignments} FROM "staged_{table.name}_{len(columns)}" s WHERE t.id = s.id'  # noqa: S608  # the same
