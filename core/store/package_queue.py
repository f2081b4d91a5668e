"""Packages that are not made yet, as who keeps the hub running sees them: what waits, since when, why; releasing what is held."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, literal, select, tuple_, update

from core.errors import NotFound, Refused
from core.store.engine import Database
from core.store.journal import pend
from core.store.leases import database_now_ms
from core.store.tables import licence_version, package

Held = Literal["needs-glyph", "failed"]
HELD: tuple[Held, ...] = ("needs-glyph", "failed")
"""States that only a person ends."""
OPEN = ("claimed", "failed", "needs-glyph", "pending")
"""States of packages that are still to come."""
STATES = (*OPEN, "superseded")


class QueuedPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package that is not there, and why."""

    identifier: str
    licence_id: UUID
    version_no: int
    form: str
    state: str
    detail: str
    """Why: the characters a font lacks, the error, what the seal said; nothing when it simply waits."""
    tries: int
    bulk: bool
    interface: str
    asked_ms: int
    """When the version was stored and its package asked for."""
    since_ms: int
    """When it came into this state."""


class QueuePage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the queue, and the cursor that leads on (empty at the end)."""

    packages: tuple[QueuedPackage, ...]
    next: str = ""


class PackageQueue:
    """Looking at packages that wait, and releasing those that are held."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, states: Sequence[str] = OPEN, after: str = "", limit: int = 50) -> QueuePage:
        """Packages in ``states``, by state, urgent before bulk, oldest first; ``after`` is the cursor of the page before.

        Raises ``Refused`` (400) for a cursor this library did not give.
        """
        same = and_(
            licence_version.c.licence_id == package.c.licence_id,
            licence_version.c.version_no == package.c.version_no,
        )
        columns = (package, licence_version.c.identifier, licence_version.c.interface)
        wanted = select(*columns).join(licence_version, same).where(package.c.state.in_(list(states)))
        if after:
            last = (literal(value, column.type) for value, column in zip(_place(after), _PLACE, strict=True))
            wanted = wanted.where(tuple_(*_PLACE) > tuple_(*last))
        with self._database.read() as connection:
            rows = connection.execute(wanted.order_by(*_PLACE).limit(limit + 1)).all()
        found = tuple(
            QueuedPackage(
                asked_ms=row.created_ms,
                since_ms=row.changed_ms,
                **{name: row._mapping[name] for name in _NAMES},
            )
            for row in rows[:limit]
        )
        return QueuePage(packages=found, next=_cursor(found[-1]) if len(rows) > limit else "")

    def release(self, state: Held, *, actor: str, reason: str) -> int:
        """Makes every package held in ``state`` wait again; returns how many. The journal keeps actor and reason."""
        return self._release(
            package.c.state == state, state, {"state": state, "actor": actor, "reason": reason}
        )

    def release_licence(self, licence_id: UUID, *, actor: str, reason: str) -> int:
        """The same for the packages of one licence that are held; raises ``NotFound`` when none is."""
        of_licence = and_(package.c.licence_id == licence_id, package.c.state.in_(HELD))
        released = self._release(of_licence, str(licence_id), {"actor": actor, "reason": reason})
        if not released:
            raise NotFound(
                f"licence {licence_id} has no package that is held", f"证照 {licence_id} 没有被搁置的文件"
            )
        return released

    def _release(self, which: ColumnElement[bool], subject: str, entry: dict[str, Any]) -> int:
        with self._database.begin() as connection:
            now_ms = database_now_ms(connection)
            waiting = update(package).where(which)
            released = connection.execute(
                waiting.values(state="pending", detail="", tries=0, changed_ms=now_ms)
            ).rowcount
            if released:
                pend(connection, "package.released", subject, {**entry, "count": released}, now_ms)
            return released


_PLACE = (
    package.c.state,
    package.c.bulk,
    package.c.created_ms,
    package.c.licence_id,
    package.c.version_no,
    package.c.form,
)
"""Order of the queue: the index on state, bulk mark and time, then what makes it unique."""
_NAMES = ("identifier", "licence_id", "version_no", "form", "state", "detail", "tries", "bulk", "interface")


def _cursor(last: QueuedPackage) -> str:
    place = (last.state, last.bulk, last.asked_ms, last.licence_id.bytes, last.version_no, last.form)
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode().rstrip("=")


def _place(cursor: str) -> tuple[object, ...]:
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        state, bulk, asked_ms, licence_id, version_no, form = msgspec.msgpack.decode(
            packed, type=tuple[str, bool, int, bytes, int, str]
        )
        return state, bulk, asked_ms, UUID(bytes=licence_id), version_no, form
    except (ValueError, binascii.Error, msgspec.DecodeError):
        raise Refused(
            "cursor", "the cursor is not one of this library", status=400, summary_zh="游标无效"
        ) from None
