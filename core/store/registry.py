"""The interface registry: declarations under one revision number, their states, and every version they ever had.

Declarations are stored as given (JSON); whoever applies one has validated it. Kinds: ``interface``, ``licence-type``, ``style``.
"""

import hashlib
import threading
import time
from typing import Any, Literal

import msgspec
import orjson
from sqlalchemy import Connection, insert, select, update

from contracts.interface import LIFECYCLE
from core.errors import NotFound, Refused
from core.store.engine import Database
from core.store.tables import registry_entry, registry_revision, registry_version

EntryKind = Literal["interface", "licence-type", "style"]

FIRST_STATE = {"interface": "registered", "licence-type": "enabled", "style": "enabled"}
"""Interfaces start disabled; types and styles are plain data."""


class RegistryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One declaration at one revision."""

    kind: str
    name: str
    state: str
    revision: int
    """Registry revision of its last change."""
    declaration: dict[str, Any]
    changed_ms: int


class RegistryVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a declaration's history."""

    revision: int
    state: str
    actor: str
    changed_ms: int
    digest: bytes


class RegistrySnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything registered, under one revision number."""

    revision: int
    entries: tuple[RegistryEntry, ...]

    def find(self, kind: EntryKind, name: str) -> RegistryEntry | None:
        """The entry, or None."""
        return next((entry for entry in self.entries if entry.kind == kind and entry.name == name), None)


class RegistryStore:
    """Declarations and their states."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._past: dict[tuple[str, str, int], RegistryEntry] = {}
        self._lock = threading.Lock()

    def apply(self, kind: EntryKind, name: str, declaration: dict[str, Any], actor: str) -> RegistryEntry:
        """Registers or changes a declaration; the same content again changes nothing and keeps its revision.

        Raises ``Refused`` (409) when the entry is retired.
        """
        content = orjson.dumps(declaration, option=orjson.OPT_SORT_KEYS)
        with self._database.begin() as connection:
            revision = _next_revision(connection)
            known = _current(connection, kind, name)
            if known is not None and known.state == "retired":
                raise _retired(name)
            if known is not None and orjson.dumps(known.declaration, option=orjson.OPT_SORT_KEYS) == content:
                return known
            state = known.state if known else FIRST_STATE[kind]
            return _write(
                connection, _Change(kind, name, state, content, actor, revision), known=known is not None
            )

    def set_state(self, kind: EntryKind, name: str, state: str, actor: str) -> RegistryEntry:
        """Moves an entry to another state; the state it is in already changes nothing.

        Raises ``NotFound``, or ``Refused`` (409) when ``contracts.interface.LIFECYCLE`` has no such step.
        """
        with self._database.begin() as connection:
            revision = _next_revision(connection)
            known = _current(connection, kind, name)
            if known is None:
                raise _unknown(kind, name)
            if known.state == state:
                return known
            if state not in LIFECYCLE.get(known.state, ()):
                raise Refused(
                    "registry-transition",
                    f"{kind} {name} is {known.state} and cannot become {state}",
                    status=409,
                    summary_zh=f"{name} 当前为 {known.state}，不能变为 {state}",
                )
            content = orjson.dumps(known.declaration, option=orjson.OPT_SORT_KEYS)
            return _write(connection, _Change(kind, name, state, content, actor, revision), known=True)

    def list(self, kind: EntryKind | None = None) -> list[RegistryEntry]:
        """Entries of a kind (or all) by name."""
        return [entry for entry in self.snapshot().entries if kind is None or entry.kind == kind]

    def show(self, kind: EntryKind, name: str) -> RegistryEntry:
        """The entry as it is now; raises ``NotFound``."""
        with self._database.read() as connection:
            known = _current(connection, kind, name)
        if known is None:
            raise _unknown(kind, name)
        return known

    def history(self, kind: EntryKind, name: str) -> tuple[RegistryVersion, ...]:
        """Every change of the entry, oldest first."""
        table = registry_version.c
        columns = (table.revision, table.state, table.actor, table.changed_ms, table.digest)
        query = select(*columns).where(table.kind == kind, table.name == name).order_by(table.revision)
        with self._database.read() as connection:
            return tuple(
                RegistryVersion(
                    revision=row[0], state=row[1], actor=row[2], changed_ms=row[3], digest=bytes(row[4])
                )
                for row in connection.execute(query)
            )

    def revision(self) -> int:
        """The registry's revision number: one cheap read, for polling."""
        with self._database.read() as connection:
            return int(connection.execute(select(registry_revision.c.revision)).scalar_one())

    def snapshot(self) -> RegistrySnapshot:
        """All entries with the revision they are at; later changes have a greater one."""
        query = select(*_COLUMNS).order_by(registry_entry.c.kind, registry_entry.c.name)
        with (
            self._database.read() as connection
        ):  # revision first: a change in between shows at the next poll
            revision = int(connection.execute(select(registry_revision.c.revision)).scalar_one())
            return RegistrySnapshot(revision=revision, entries=tuple(map(_entry, connection.execute(query))))

    def at(self, kind: EntryKind, name: str, revision: int) -> RegistryEntry:
        """The entry as it was under registry revision ``revision``; cached, since the past does not change.

        Raises ``NotFound`` when it was not registered then.
        """
        key = (kind, name, revision)
        found = self._past.get(key)
        if found is None:
            found, past = self._read_at(kind, name, revision)
            if past:
                with self._lock:
                    self._past[key] = found
        return found

    def _read_at(self, kind: EntryKind, name: str, revision: int) -> tuple[RegistryEntry, bool]:
        table = registry_version.c
        columns = (table.kind, table.name, table.state, table.revision, table.declaration, table.changed_ms)
        where = (table.kind == kind, table.name == name, table.revision <= revision)
        query = select(*columns).where(*where).order_by(table.revision.desc()).limit(1)
        with self._database.read() as connection:
            reached = int(connection.execute(select(registry_revision.c.revision)).scalar_one())
            row = connection.execute(query).first()
        if row is None:
            raise _unknown(kind, name)
        return _entry(row), revision <= reached


class _Change(msgspec.Struct, frozen=True):
    kind: str
    name: str
    state: str
    content: bytes
    actor: str
    revision: int


_COLUMNS = (
    registry_entry.c.kind,
    registry_entry.c.name,
    registry_entry.c.state,
    registry_entry.c.revision,
    registry_entry.c.declaration,
    registry_entry.c.changed_ms,
)


def _next_revision(connection: Connection) -> int:
    """The number of the change at hand; locks the one row, so that changes queue. Written only with the change."""
    return int(connection.execute(select(registry_revision.c.revision).with_for_update()).scalar_one()) + 1


def _current(connection: Connection, kind: str, name: str) -> RegistryEntry | None:
    query = select(*_COLUMNS).where(registry_entry.c.kind == kind, registry_entry.c.name == name)
    row = connection.execute(query).first()
    return _entry(row) if row else None


def _entry(row: Any) -> RegistryEntry:
    return RegistryEntry(
        kind=row[0],
        name=row[1],
        state=row[2],
        revision=row[3],
        declaration=orjson.loads(bytes(row[4])),
        changed_ms=row[5],
    )


def _write(connection: Connection, change: _Change, *, known: bool) -> RegistryEntry:
    now_ms = time.time_ns() // 1_000_000
    key = {"kind": change.kind, "name": change.name}
    values = {
        "state": change.state,
        "revision": change.revision,
        "declaration": change.content,
        "changed_ms": now_ms,
    }
    if known:
        where = (registry_entry.c.kind == change.kind, registry_entry.c.name == change.name)
        connection.execute(update(registry_entry).where(*where).values(**values))
    else:
        connection.execute(insert(registry_entry).values(**key, **values))
    digest = hashlib.sha256(change.content).digest()
    connection.execute(insert(registry_version).values(**key, **values, digest=digest, actor=change.actor))
    connection.execute(update(registry_revision).values(revision=change.revision))
    return RegistryEntry(
        kind=change.kind,
        name=change.name,
        state=change.state,
        revision=change.revision,
        declaration=orjson.loads(change.content),
        changed_ms=now_ms,
    )


def _unknown(kind: str, name: str) -> NotFound:
    return NotFound(f"no {kind} is registered as {name}", f"未登记 {name}")


def _retired(name: str) -> Refused:
    return Refused("registry-retired", f"{name} is retired", status=409, summary_zh=f"{name} 已停用")
