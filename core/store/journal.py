"""The journal: pending rows get dense numbers and Merkle leaves here; readers and verifiers follow it by number."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import orjson
from sqlalchemy import Connection, Row, func, insert, select, update

from contracts.identity import uuid7
from core import merkle
from core.errors import FenceLost
from core.ports.signer import Signer
from core.ports.subscriber import Change
from core.store.bulk import all_rows, as_uuid, delete_rows, insert_rows
from core.store.engine import Database
from core.store.tables import checkpoint, counter, hub_meta, journal, journal_head, journal_pending

_HEAD = 1
_ENTRY = ("number", "id", "kind", "subject", "data", "at_ms", "leaf")


class Head(msgspec.Struct, frozen=True):
    """Size of the journal and the root of its Merkle tree."""

    size: int
    root: bytes


class SignedHead(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint: a head signed with the hub's journal key."""

    size: int
    root: bytes
    at_ms: int
    key_id: str
    signature: bytes


def pend(connection: Connection, kind: str, subject: object, data: dict[str, Any], at_ms: int) -> None:
    """Adds one pending entry in the caller's transaction; ``data`` holds no personal data."""
    row = {"id": uuid7(at_ms), "kind": kind, "subject": str(subject), "data": canonical(data), "at_ms": at_ms}
    connection.execute(insert(journal_pending), [row])


def canonical(data: dict[str, Any]) -> bytes:
    """The JSON a leaf covers: sorted keys, UTF-8, no spaces."""
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)


class JournalStore:
    """Sequencing, reading and checkpoints of the journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sequence(self, fence: int, limit: int = 1000) -> int:
        """Moves up to ``limit`` pending entries into the journal; returns how many.

        One transaction: dense numbers, leaves, counters, frontier. Raises ``FenceLost`` when a newer holder has written.
        """
        if not self._waiting():  # looked for without the write lock: most looks find nothing
            return 0
        with self._database.begin() as connection:
            head = connection.execute(
                select(journal_head).where(journal_head.c.id == _HEAD).with_for_update()
            ).one()
            if head.fence > fence:
                raise FenceLost(f"journal fence is {head.fence}, this sequencer's is {fence}")
            # only now: an older holder that was slow to commit may have moved what waited before the lock was ours
            pending = _read_pending(connection, limit)
            if not pending:
                return 0
            rows = [_journal_row(head.size + offset, entry) for offset, entry in enumerate(pending)]
            frontier, size = merkle.append(head.frontier, head.size, (row[-1] for row in rows))
            insert_rows(connection, journal, _ENTRY, rows)
            delete_rows(connection, journal_pending, [entry.id for entry in pending])
            connection.execute(
                update(journal_head)
                .where(journal_head.c.id == _HEAD)
                .values(size=size, frontier=frontier, fence=fence)
            )
            _fold(connection, pending)
            return len(rows)

    def head(self) -> Head:
        """The journal's size and root now."""
        with self._database.read() as connection:
            row = connection.execute(select(journal_head).where(journal_head.c.id == _HEAD)).one()
            return Head(row.size, merkle.root(row.frontier))

    def pending(self) -> int:
        """Entries that wait for their number."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(journal_pending)).scalar_one())

    def entries(self, after: int, limit: int = 500) -> list[Change]:
        """Entries with numbers above ``after`` (the first entry is number 0), in order."""
        statement = select(journal).where(journal.c.number > after).order_by(journal.c.number).limit(limit)
        with self._database.read() as connection:
            return [_change(row) for row in connection.execute(statement)]

    def about(self, subject: str, limit: int = 500) -> list[Change]:
        """Entries about one subject, in order."""
        statement = (
            select(journal).where(journal.c.subject == subject).order_by(journal.c.number).limit(limit)
        )
        with self._database.read() as connection:
            return [_change(row) for row in connection.execute(statement)]

    def rows(self, batch: int = 2000) -> Iterator[Sequence[Row[Any]]]:
        """All rows in order, in batches, for verification."""
        after = -1
        while True:
            statement = (
                select(journal).where(journal.c.number > after).order_by(journal.c.number).limit(batch)
            )
            with self._database.read() as connection:
                found = connection.execute(statement).all()
            if not found:
                return
            after = found[-1].number
            yield found

    def record(self, kind: str, subject: str, data: dict[str, Any]) -> None:
        """Adds an entry of its own (nothing else changes with it)."""
        with self._database.begin() as connection:
            pend(connection, kind, subject, data, _now_ms())

    def sign_head(self, signer: Signer) -> SignedHead | None:
        """Signs the head when it has grown since the last checkpoint; returns the new checkpoint."""
        hub = self.hub_id()
        head = self.head()
        if head.size == 0 or self._signed_size() >= head.size:
            return None
        at_ms = _now_ms()
        signature = signer.sign([merkle.checkpoint_content(hub, head.size, head.root, at_ms)])[0]
        signed = SignedHead(
            size=head.size, root=head.root, at_ms=at_ms, key_id=signer.key_id, signature=signature
        )
        with self._database.begin() as connection:
            if (
                connection.execute(select(checkpoint.c.size).where(checkpoint.c.size == head.size)).first()
                is None
            ):
                connection.execute(insert(checkpoint), [msgspec.structs.asdict(signed)])
        return signed

    def checkpoints(self) -> list[SignedHead]:
        """All checkpoints, smallest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(checkpoint).order_by(checkpoint.c.size))
            return [SignedHead(**row._mapping) for row in rows]

    def hub_id(self) -> str:
        """The hub's own id, part of what a checkpoint signs; made when it is first asked for."""
        known = select(hub_meta.c.value).where(hub_meta.c.name == "hub_id")
        with self._database.read() as connection:
            found = connection.execute(known).scalar_one_or_none()
        if found is not None:
            return str(found)
        with self._database.begin() as connection:
            head = select(journal_head.c.id).where(journal_head.c.id == _HEAD).with_for_update()
            connection.execute(head).one()  # whoever comes second waits here and finds the first one's id
            found = connection.execute(known).scalar_one_or_none()
            if found is None:
                found = str(uuid7())
                connection.execute(insert(hub_meta).values(name="hub_id", value=found))
            return str(found)

    def counters(self, since: date | None = None) -> list[Row[Any]]:
        """Folded statistics: (day, interface, kind, detail, n)."""
        statement = select(counter).order_by(
            counter.c.day, counter.c.interface, counter.c.kind, counter.c.detail
        )
        if since is not None:
            statement = statement.where(counter.c.day >= since)
        with self._database.read() as connection:
            return list(connection.execute(statement))

    def _waiting(self) -> bool:
        with self._database.read() as connection:
            return connection.execute(select(journal_pending.c.id).limit(1)).first() is not None

    def _signed_size(self) -> int:
        with self._database.read() as connection:
            return int(connection.execute(select(func.coalesce(func.max(checkpoint.c.size), 0))).scalar_one())


class _Pending(NamedTuple):
    """An entry that waits for its number."""

    id: UUID
    kind: str
    subject: str
    data: bytes
    at_ms: int


def _read_pending(connection: Connection, limit: int) -> list[_Pending]:
    """The oldest entries, by the driver: this runs for every record."""
    query = f"SELECT id, kind, subject, data, at_ms FROM journal_pending ORDER BY id LIMIT {limit:d}"  # noqa: S608  # a number
    return [
        _Pending(id_, kind, subject, bytes(data), at_ms)
        for found, kind, subject, data, at_ms in all_rows(connection, query)
        if (id_ := as_uuid(found)) is not None
    ]


def _journal_row(number: int, entry: _Pending) -> tuple[Any, ...]:
    content = merkle.entry_content(number, entry.id, entry.kind, entry.subject, entry.at_ms, entry.data)
    return (number, *entry, merkle.leaf_hash(content))


def _change(row: Row[Any]) -> Change:
    return Change(
        number=row.number,
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        at_ms=row.at_ms,
        data=orjson.loads(row.data),
    )


def _fold(connection: Connection, pending: Sequence[_Pending]) -> None:
    """Adds the entries to the counters: per day, interface, kind and outcome or status."""
    sums: dict[tuple[date, str, str, str], int] = {}
    for row in pending:
        data = orjson.loads(row.data)
        day = datetime.fromtimestamp(row.at_ms / 1000, UTC).date()
        key = (
            day,
            str(data.get("interface", "")),
            row.kind,
            str(data.get("outcome") or data.get("status") or ""),
        )
        sums[key] = sums.get(key, 0) + 1
    for (day, interface, kind, detail), n in sorted(sums.items()):
        where = (
            (counter.c.day == day)
            & (counter.c.interface == interface)
            & (counter.c.kind == kind)
            & (counter.c.detail == detail)
        )
        if connection.execute(update(counter).where(where).values(n=counter.c.n + n)).rowcount == 0:
            connection.execute(
                insert(counter).values(day=day, interface=interface, kind=kind, detail=detail, n=n)
            )


def _now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)
