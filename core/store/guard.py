"""The intake guard (idempotent receiver, EIP): nonces and idempotency keys, written as one group before anything is published."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Table, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from core.store.engine import Database
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
            nonces = connection.execute(delete(guard_nonce).where(guard_nonce.c.seen_ms < nonces_before_ms)).rowcount
            keys = connection.execute(delete(guard_key).where(guard_key.c.first_seen_ms < keys_before_ms)).rowcount
        return int(nonces + keys)


class _Known(msgspec.Struct):
    body_digest: bytes
    first_seen_ms: int
    fresh: bool
    """Written by this group, and not answered yet: its first request is no repeat."""


_Key = tuple[str, str, str]
_Rows = dict[tuple[str, ...], tuple[Any, ...]]


def _admit_nonces(connection: Connection, requests: Sequence[GuardRequest]) -> list[bool]:
    wanted: _Rows = {}
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
    wanted: _Rows = {}
    for request in requests:
        if request.key is not None:
            wanted.setdefault(_key_of(request), (request.body_digest, request.now_ms))
    inserted = _insert_new(
        connection, guard_key, ("interface", "client", "key"), ("body_digest", "first_seen_ms"), wanted
    )
    if not wanted:
        return {}
    table = guard_key.c
    query = select(guard_key).where(tuple_(table.interface, table.client, table.key).in_(list(wanted)))
    return {
        (row.interface, row.client, row.key): _Known(
            bytes(row.body_digest), row.first_seen_ms, (row.interface, row.client, row.key) in inserted
        )
        for row in connection.execute(query)
    }


def _insert_new(
    connection: Connection,
    table: Table,
    key: tuple[str, ...],
    rest: tuple[str, ...],
    rows: _Rows,
) -> set[tuple[str, ...]]:
    """Inserts the rows whose key is not taken, in key order (no deadlocks), and returns their keys."""
    if not rows:
        return set()
    values = [dict(zip((*key, *rest), (*name, *rows[name]), strict=True)) for name in sorted(rows)]
    columns = [table.c[name] for name in key]
    if connection.dialect.name == "postgresql":
        statement = postgresql.insert(table).values(values).on_conflict_do_nothing().returning(*columns)
        return {tuple(row) for row in connection.execute(statement)}
    taken = {
        tuple(row) for row in connection.execute(select(*columns).where(tuple_(*columns).in_(list(rows))))
    }
    new = [value for value, name in zip(values, sorted(rows), strict=True) if name not in taken]
    if new:
        connection.execute(sqlite.insert(table), new)
    return set(rows) - taken


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
