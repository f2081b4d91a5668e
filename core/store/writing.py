"""The rows a batch writes, gathered in memory and sent table by table."""

import os
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import orjson
from sqlalchemy import Connection

from contracts.outcome import Outcome
from contracts.record import Collection, LicenceRecord, Status
from core.identity import Candidate, Decision
from core.store import tables
from core.store.bulk import array_literal, insert_rows, marks
from core.store.documents import Documents, HeldCase
from core.store.engine import driver_connection
from core.store.heads import LicenceInHand, write_heads
from core.store.identifiers import Assigned

FORM = "ofd"
RENEWED = "renewed"
"""Cause of the status event that takes an expiry back."""
OPEN_PACKAGES = ("pending", "needs-glyph", "failed")
"""Package states that a newer version turns into ``superseded``; a claimed one its maker finds out about itself."""

_FRAME = ("id", "count", "frame")
_VERSION = (
    "licence_id",
    "version_no",
    "identifier",
    "receipt",
    "interface",
    "interface_revision",
    "rule_revision",
    "source_order",
    "stamp_us",
    "rank",
    "source_digest",
    "content_digest",
    "outcome",
    "cause",
    "document",
    "created_ms",
)
_EVENT = ("licence_id", "seq", "status", "cause", "actor", "receipt", "effective_on", "created_ms")
_IDENTIFIER = ("identifier", "licence_id", "serial_key", "version", "version_no", "assigned")
_PACKAGE = ("licence_id", "version_no", "form", "state", "bulk", "created_ms", "changed_ms")
_CASE = ("receipt", "interface", "kind", "state", "licence_id", "document", "rules", "opened_ms")
_PENDING = ("id", "kind", "subject", "data", "at_ms")
_LEDGER = (
    "receipt",
    "interface",
    "interface_revision",
    "submission",
    "position",
    "rows",
    "collection",
    "outcome",
    "licence_id",
    "version_no",
    "faults",
    "rules",
    "cause",
    "raw_frame",
    "raw_index",
    "stamp_us",
    "decided_ms",
)
_BLIND_POSTGRESQL = (
    "INSERT INTO blind_index (field, value, licence_id, key_id, version_no) "
    "SELECT 'holder_code', v, l, %s, n FROM unnest(%s::bytea[], %s::uuid[], %s::int[]) AS u(v, l, n) "
    "ON CONFLICT (field, value, licence_id) DO UPDATE SET version_no = greatest(blind_index.version_no, excluded.version_no)"
)
_BLIND_SQLITE = (
    "INSERT INTO blind_index (field, value, licence_id, key_id, version_no) VALUES ('holder_code', ?, ?, ?, ?) "
    "ON CONFLICT (field, value, licence_id) DO UPDATE SET version_no = max(version_no, excluded.version_no)"
)


class Frame(msgspec.Struct, frozen=True):
    """The raw records of a batch, sealed."""

    id: UUID
    count: int
    sealed: bytes


class Writing:
    """Rows to write, by table; ids of journal entries rise within the batch, so that they keep its order."""

    def __init__(self, documents: Documents, now_ms: int) -> None:
        self.now_ms = now_ms
        self._documents = documents
        self._versions: list[tuple[Any, ...]] = []
        self._events: list[tuple[Any, ...]] = []
        self._identifiers: list[tuple[Any, ...]] = []
        self._blind: dict[tuple[bytes, UUID], int] = {}
        self._packages: dict[UUID, list[tuple[Any, ...]]] = {}
        self._closing: set[UUID] = set()
        self._cases: list[tuple[Any, ...]] = []
        self._journal: list[tuple[str, UUID, dict[str, Any]]] = []
        self._ledger: list[tuple[Any, ...]] = []
        self._framed = False

    def version(
        self,
        item: LicenceInHand,
        candidate: Candidate,
        record: LicenceRecord,
        decision: Decision,
        identifier: str,
    ) -> None:
        """A version and its journal entry; the head is already advanced."""
        assert item.head is not None  # noqa: S101  # a stored record makes a head
        version_no = item.head.versions
        digest = candidate.content_digest or b""
        self._versions.append(
            (
                item.id,
                version_no,
                identifier,
                candidate.receipt,
                candidate.interface,
                candidate.interface_revision,
                candidate.rule_revision,
                candidate.source_order,
                candidate.stamp_us,
                candidate.rank,
                candidate.source_digest,
                digest,
                decision.outcome.value,
                decision.cause,
                self._documents.seal_record(record, item.id, version_no),
                self.now_ms,
            )
        )
        entry = {
            "licence": str(item.id),
            "version": version_no,
            "current": decision.current,
            "outcome": decision.outcome.value,
            "type": record.licence_type,
            "issuer": record.issuer_code,
            "region": record.region,
            "interface": candidate.interface,
            "collection": candidate.collection.value,
            "receipt": str(candidate.receipt),
            "digest": digest.hex(),
        }
        self._journal.append(("licence.version", item.id, entry))

    def status(
        self, item: LicenceInHand, candidate: Candidate, record: LicenceRecord, decision: Decision
    ) -> None:
        """The status event that comes with a record, if any, and its journal entry."""
        status = decision.status
        if status is None:
            return
        item.status_events += 1
        stated = "reported" if record.status is status else "ended-at-intake"
        cause = RENEWED if decision.renewed else stated
        effective_on = record.valid_until if status is Status.EXPIRED else None
        event = (
            item.id,
            item.status_events,
            status.value,
            cause,
            candidate.interface,
            candidate.receipt,
            effective_on,
        )
        self._events.append((*event, self.now_ms))
        entry = {
            "licence": str(item.id),
            "seq": item.status_events,
            "status": status.value,
            "cause": cause,
            "interface": candidate.interface,
            "receipt": str(candidate.receipt),
        }
        self._journal.append(("licence.status", item.id, entry))

    def identifier(self, licence_id: UUID, chosen: Assigned, version_no: int) -> None:
        """A national identifier that now resolves to the licence."""
        row = (chosen.text, licence_id, chosen.serial_key, chosen.version, version_no, chosen.assigned)
        self._identifiers.append(row)

    def blind(self, record: LicenceRecord, licence_id: UUID, version_no: int) -> None:
        """Blind index of the holders' codes; ``version_no`` 0 for a version that never was current."""
        for value in self._documents.blind_codes(record):
            key = (value, licence_id)
            self._blind[key] = max(self._blind.get(key, 0), version_no)

    def package(self, item: LicenceInHand, candidate: Candidate, version_no: int, *, wanted: bool) -> None:
        """The package of a version that became current; packages of earlier versions still open are superseded."""
        earlier = self._packages.get(item.id, [])
        rows = [(*row[:3], "superseded", *row[4:]) for row in earlier]
        if wanted:
            bulk = candidate.collection is not Collection.INCREMENTAL
            rows.append((item.id, version_no, FORM, "pending", bulk, self.now_ms, self.now_ms))
        self._packages[item.id] = rows
        if item.stored:
            self._closing.add(item.id)

    def case(self, case: HeldCase, outcome: Outcome, licence_id: UUID | None) -> None:
        """A quarantine case and its journal entry."""
        candidate = case.candidate
        rules = _rules(candidate)
        head = (candidate.receipt, candidate.interface, outcome.value, "open", licence_id)
        self._cases.append((*head, self._documents.seal_case(case), rules, self.now_ms))
        entry = {
            "receipt": str(candidate.receipt),
            "interface": candidate.interface,
            "kind": outcome.value,
            "rules": rules,
        }
        self._journal.append(("quarantine.opened", candidate.receipt, entry))

    def decided(self, receipt: UUID, interface: str, state: str, actor: str, resubmission: UUID) -> None:
        """The journal entry of a case that closes because its record went on under the receipt ``resubmission``."""
        entry = {
            "receipt": str(receipt),
            "interface": interface,
            "state": state,
            "actor": actor,
            "reason": state,
            "resubmission": str(resubmission),
        }
        self._journal.append(("quarantine.decided", receipt, entry))

    def ledger(
        self,
        candidate: Candidate,
        outcome: Outcome,
        licence_id: UUID | None,
        version_no: int | None,
        frame: Frame | None,
    ) -> None:
        """The one outcome of a receipt."""
        framed = frame is not None and candidate.raw_index is not None
        self._framed = self._framed or framed
        self._ledger.append(
            (
                candidate.receipt,
                candidate.interface,
                candidate.interface_revision,
                candidate.submission,
                candidate.position,
                candidate.rows,
                candidate.collection.value,
                outcome.value,
                licence_id,
                version_no,
                self._documents.seal_faults(candidate.faults, candidate.receipt)
                if candidate.faults
                else None,
                _rules(candidate),
                candidate.cause,
                frame.id if framed and frame else None,
                candidate.raw_index if framed else None,
                candidate.stamp_us,
                self.now_ms,
            )
        )

    def flush(self, connection: Connection, licences: Sequence[LicenceInHand], frame: Frame | None) -> None:
        """Sends everything; the transaction is the caller's."""
        write_heads(connection, licences, self.now_ms)
        if frame is not None and self._framed:
            insert_rows(connection, tables.raw_frame, _FRAME, [(frame.id, frame.count, frame.sealed)])
        insert_rows(connection, tables.licence_version, _VERSION, self._versions)
        insert_rows(connection, tables.status_event, _EVENT, self._events)
        insert_rows(connection, tables.identifier, _IDENTIFIER, self._identifiers)
        self._flush_blind(connection)
        self._close_packages(connection)
        insert_rows(
            connection, tables.package, _PACKAGE, [row for rows in self._packages.values() for row in rows]
        )
        insert_rows(connection, tables.quarantine_case, _CASE, self._cases)
        insert_rows(connection, tables.journal_pending, _PENDING, self._journal_rows())
        insert_rows(connection, tables.ledger, _LEDGER, self._ledger)

    def _flush_blind(self, connection: Connection) -> None:
        if not self._blind:
            return
        rows = [
            (value, licence_id, version_no) for (value, licence_id), version_no in sorted(self._blind.items())
        ]
        key_id = self._documents.blind_key_id
        if connection.dialect.name == "sqlite":
            turned = [(value, licence_id.bytes, key_id, version_no) for value, licence_id, version_no in rows]
            driver_connection(connection).executemany(_BLIND_SQLITE, turned)
            return
        values = array_literal("bytea", [row[0] for row in rows])
        ids = array_literal("uuid", [row[1] for row in rows])
        numbers = array_literal("text", [str(row[2]) for row in rows])
        driver_connection(connection).execute(_BLIND_POSTGRESQL, (key_id, values, ids, numbers))

    def _close_packages(self, connection: Connection) -> None:
        """Sealing an outdated version would be work for nothing; its row stays, as ``superseded``."""
        ids = sorted(self._closing)
        if not ids:
            return
        states = ", ".join(f"'{state}'" for state in OPEN_PACKAGES)
        change = f"UPDATE package SET state = 'superseded', changed_ms = {self.now_ms} WHERE state IN ({states}) AND licence_id "  # noqa: S608  # constants
        if connection.dialect.name == "sqlite":
            driver_connection(connection).execute(
                change + f"IN ({marks(len(ids))})", [one.bytes for one in ids]
            )
        else:
            driver_connection(connection).execute(change + "= ANY(%s::uuid[])", (array_literal("uuid", ids),))

    def _journal_rows(self) -> list[tuple[Any, ...]]:
        ids = rising_ids(self.now_ms, len(self._journal))
        return [
            (entry_id, kind, str(subject), orjson.dumps(data, option=orjson.OPT_SORT_KEYS), self.now_ms)
            for entry_id, (kind, subject, data) in zip(ids, self._journal, strict=True)
        ]


def rising_ids(now_ms: int, count: int) -> list[UUID]:
    """``count`` UUIDv7 of one moment in rising order (RFC 9562 section 6.2, method 2: a random start, then increments)."""
    start = int.from_bytes(os.urandom(8), "big") >> 3
    random_a = int.from_bytes(os.urandom(2), "big") >> 4
    prefix = (now_ms & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | random_a << 64 | 0x8 << 60
    return [UUID(int=prefix | start + index) for index in range(count)]


def _rules(candidate: Candidate) -> str:
    if candidate.filtered_by:
        return candidate.filtered_by
    return ",".join(dict.fromkeys(fault.rule for fault in candidate.faults))
