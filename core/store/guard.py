"""The intake guard (idempotent receiver, EIP): nonces and idempotency keys, written as one group before anything is published."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, TypeVar

import msgspec
from sqlalchemy import Connection, Table, delete, select, tuple_

from core.store.engine import Database, driver_connection
from core.store.tables import guard_key, guard_nonce

Verdict = Literal["admitted", "nonce-seen", "key-conflict"]


class GuardRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a request before its records are published."""

    client: str
    nonce: str = ""
    """Empty: the credential has none (bearer key), nothing to remember."""
    interface: str = ""
    key: str | None = None
    """Idempotency key; None: the request is its own."""
    body_digest: bytes = b""
    now_ms: int


class GuardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the request goes on, and the time its receipts are made from."""

    verdict: Verdict
    first_seen_ms: int
    repeated: bool = False
    """The key was seen with this very body: the same receipts again, published again unless the ledger has them."""


class GuardStore:
    """Nonces and keys of recent requests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def admit(self, requests: Sequence[GuardRequest]) -> list[GuardAnswer]:
        """Answers in the order of ``requests``, durable when it returns; one transaction for all of them.

        Equal nonces or keys within the group are judged in its order.
        """
        with self._database.begin() as connection:
            fresh = _admit_nonces(connection, requests)
            known = _admit_keys(
                connection, [request for request, ok in zip(requests, fresh, strict=True) if ok]
            )
        return [_answer(request, ok, known) for request, ok in zip(requests, fresh, strict=True)]

    def purge(self, nonces_before_ms: int, keys_before_ms: int) -> int:
        """Forgets nonces and idempotency keys first seen before those moments; counts them."""
        with self._database.begin() as connection:
            nonces = connection.execute(
                delete(guard_nonce).where(guard_nonce.c.seen_ms < nonces_before_ms)
            ).rowcount
            keys = connection.execute(
                delete(guard_key).where(guard_key.c.first_seen_ms < keys_before_ms)
            ).rowcount
        return int(nonces + keys)


class _Known(msgspec.Struct):
    body_digest: bytes
    first_seen_ms: int
    fresh: bool
    """Written by this group, and not answered yet: its first request is no repeat."""


_Key = tuple[str, str, str]
Name = TypeVar("Name", bound=tuple[str, ...])


def _admit_nonces(connection: Connection, requests: Sequence[GuardRequest]) -> list[bool]:
    wanted: dict[tuple[str, str], tuple[int]] = {}
    for request in requests:
        if request.nonce:
            wanted.setdefault((request.client, request.nonce), (request.now_ms,))
    inserted = _insert_new(connection, guard_nonce, ("client", "nonce"), ("seen_ms",), wanted)
    fresh = []
    for request in requests:
        key = (request.client, request.nonce)
        fresh.append(not request.nonce or key in inserted)
        inserted.discard(key)
    return fresh


def _admit_keys(connection: Connection, requests: Sequence[GuardRequest]) -> dict[_Key, _Known]:
    wanted: dict[_Key, tuple[bytes, int]] = {}
    for request in requests:
        if request.key is not None:
            wanted.setdefault(_key_of(request), (request.body_digest, request.now_ms))
    known: dict[_Key, _Known] = {}
    missing = wanted
    while missing:  # more than once when a purge comes between the two statements
        inserted = _insert_new(
            connection, guard_key, ("interface", "client", "key"), ("body_digest", "first_seen_ms"), missing
        )
        known |= {name: _Known(*wanted[name], True) for name in inserted}
        taken = [name for name in missing if name not in inserted]
        known |= _taken_keys(connection, taken) if taken else {}
        missing = {name: values for name, values in missing.items() if name not in known}
    return known


def _taken_keys(connection: Connection, names: Sequence[_Key]) -> dict[_Key, _Known]:
    table = guard_key.c
    query = select(guard_key).where(tuple_(table.interface, table.client, table.key).in_(names))
    return {
        (row.interface, row.client, row.key): _Known(bytes(row.body_digest), row.first_seen_ms, False)
        for row in connection.execute(query)
    }


def _insert_new(
    connection: Connection,
    table: Table,
    key: tuple[str, ...],
    rest: tuple[str, ...],
    rows: dict[Name, tuple[Any, ...]],
) -> set[Name]:
    """Inserts the rows whose key is not taken, in key order (no deadlocks), and returns their keys.

    The driver is used directly: this statement runs for every signed request.
    """
    if not rows:
        return set()
    names = sorted(rows)
    driver = driver_connection(connection)
    if connection.dialect.name == "postgresql":
        columns = list(zip(*((*name, *rows[name]) for name in names), strict=True))
        statement = _insert_arrays(table.name, key, rest)
        inserted = {tuple(row) for row in driver.execute(statement, [list(column) for column in columns])}
        return {name for name in names if name in inserted}
    statement = _insert_one(table.name, (*key, *rest))
    return {name for name in names if driver.execute(statement, (*name, *rows[name])).rowcount}


@cache
def _insert_one(table: str, columns: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 names from tables.py


@cache
def _insert_arrays(table: str, key: tuple[str, ...], rest: tuple[str, ...]) -> str:
    kinds = ["text"] * len(key) + [_KINDS[name] for name in rest]
    arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
    names, keys = ", ".join((*key, *rest)), ", ".join(key)
    return (
        f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}) "  # noqa: S608 names from tables.py
        f"ON CONFLICT DO NOTHING RETURNING {keys}"
    )


_KINDS = {"seen_ms": "bigint", "first_seen_ms": "bigint", "body_digest": "bytea"}


def _answer(request: GuardRequest, nonce_fresh: bool, known: dict[_Key, _Known]) -> GuardAnswer:  # private
    if not nonce_fresh:
        return GuardAnswer(verdict="nonce-seen", first_seen_ms=request.now_ms)
    if request.key is None:
        return GuardAnswer(verdict="admitted", first_seen_ms=request.now_ms)
    row = known[_key_of(request)]
    if row.body_digest != request.body_digest:
        return GuardAnswer(verdict="key-conflict", first_seen_ms=row.first_seen_ms)
    repeated, row.fresh = not row.fresh, False
    return GuardAnswer(verdict="admitted", first_seen_ms=row.first_seen_ms, repeated=repeated)


def _key_of(request: GuardRequest) -> _Key:
    return (request.interface, request.client, request.key or "")
