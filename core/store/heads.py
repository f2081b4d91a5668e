"""Licence heads of a batch: locked in key order, read into memory, written back (ARCHITECTURE 4.4)."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from contracts.record import LicenceRecord, Status
from core.identity import Candidate, Filed, Head
from core.store.bulk import as_uuid, insert_rows, rows_within, update_rows
from core.store.tables import licence

ORDER_COLUMNS = (
    "id",
    "source_order",
    "stamp_us",
    "rank",
    "interface_revision",
    "rule_revision",
    "source_digest",
    "content_digest",
    "versions",
    "status",
    "status_events",
    "identifier",
    "updated_ms",
)
"""What a record that does not become current may change."""
CURRENT_COLUMNS = (
    *ORDER_COLUMNS,
    "licence_key",
    "licence_type",
    "issuer_code",
    "issuer_name",
    "department",
    "region",
    "licence_name",
    "licence_number",
    "number_key",
    "holder_name",
    "issued_on",
    "valid_from",
    "valid_until",
    "current_version",
    "interface",
)
"""The whole head: a record became current."""

_LOCK = (
    "SELECT id, licence_key, current_version, rank, source_order, stamp_us, source_digest, content_digest, interface_revision, "
    "rule_revision, versions, status, status_events, identifier, issued_on FROM licence WHERE licence_key {within}"
)
_EVENTS = "SELECT licence_id, status, effective_on FROM status_event WHERE licence_id {within} ORDER BY licence_id, seq"
_VERSIONS = (
    "SELECT licence_id, version_no, rank, source_order, stamp_us, source_digest, content_digest, interface_revision, "
    "rule_revision FROM licence_version WHERE licence_id {within} ORDER BY licence_id, version_no"
)


class LicenceInHand(msgspec.Struct):
    """A locked licence while the records of a batch are folded into it."""

    id: UUID
    key: bytes
    head: Head | None = None
    stored: bool = False
    """The head was there before this batch."""
    status_events: int = 0
    identifier: str = ""
    issued_on: date | None = None
    current: Candidate | None = None
    """The record of this batch that is the current version now."""
    records: dict[int, LicenceRecord] = {}
    """Versions made in this batch."""
    touched: bool = False


def lock_heads(connection: Connection, wanted: dict[bytes, UUID]) -> dict[bytes, LicenceInHand]:
    """Every licence of ``wanted`` (key -> id a new one gets) in key order; those that exist are locked to the transaction's end.

    Two transactions that meet the same new licence are told apart when its head is written: the second waits for the first, finds
    the key taken and starts again.
    """
    keys = sorted(wanted)
    rows = rows_within(connection, _LOCK, "bytea", keys, " ORDER BY licence_key FOR UPDATE")
    found = {bytes(row[1]): _in_hand(row) for row in rows}
    return {key: found.get(key) or LicenceInHand(wanted[key], key) for key in keys}


def load_versions(connection: Connection, licences: Sequence[LicenceInHand]) -> None:
    """Gives the heads their stored versions, where a decision has to look behind the current one."""
    by_id = {item.id: item for item in licences if item.head is not None}
    versions: dict[UUID, list[Filed]] = {}
    for row in rows_within(connection, _VERSIONS, "uuid", list(by_id)):
        owner = as_uuid(row[0])
        if owner is not None:
            versions.setdefault(owner, []).append(_filed(row[1], row[2:9]))
    for owner, found in versions.items():
        item = by_id[owner]
        if item.head is not None:
            item.head = msgspec.structs.replace(item.head, earlier=tuple(found))


def load_expiries(connection: Connection, licences: Sequence[LicenceInHand]) -> None:
    """Tells expired heads what their expiry covers and which last day it was told by: a renewal takes it back."""
    by_id = {
        item.id: item for item in licences if item.head is not None and item.head.status is Status.EXPIRED
    }
    for licence_id, status, effective_on in rows_within(connection, _EVENTS, "uuid", list(by_id)):
        owner = as_uuid(licence_id)
        item = by_id[owner] if owner is not None else None
        if item is None or item.head is None:
            continue
        if status == Status.EXPIRED.value:
            item.head = msgspec.structs.replace(item.head, expired_on=_day(effective_on))
        else:
            item.head = msgspec.structs.replace(item.head, beneath=Status(status))


def write_heads(connection: Connection, licences: Sequence[LicenceInHand], now_ms: int) -> None:
    """Writes the heads this batch touched; new ones in key order, so that two batches never wait for each other in a ring."""
    touched = [item for item in licences if item.touched]
    insert_rows(
        connection,
        licence,
        CURRENT_COLUMNS,
        [_current_row(item, now_ms) for item in touched if not item.stored],
    )
    known = [item for item in touched if item.stored]
    current = [_current_row(item, now_ms) for item in known if item.current is not None]
    update_rows(connection, licence, CURRENT_COLUMNS, current)
    update_rows(
        connection,
        licence,
        ORDER_COLUMNS,
        [_order_row(item, now_ms) for item in known if item.current is None],
    )


def _in_hand(row: Sequence[Any]) -> LicenceInHand:
    licence_id = as_uuid(row[0])
    assert licence_id is not None  # noqa: S101  # primary key
    head = Head(current=_filed(row[2], row[3:10]), versions=row[10], status=Status(row[11]))
    issued_on = _day(row[14])
    return LicenceInHand(
        licence_id,
        bytes(row[1]),
        head=head,
        stored=True,
        status_events=row[12],
        identifier=row[13],
        issued_on=issued_on,
    )


def _day(value: date | str | None) -> date | None:
    """A date as a driver gives it: text on SQLite."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _filed(version_no: int, row: Sequence[Any]) -> Filed:
    return Filed(
        version_no=version_no,
        rank=row[0],
        source_order=row[1],
        stamp_us=row[2],
        source_digest=bytes(row[3]),
        content_digest=bytes(row[4]),
        interface_revision=row[5],
        rule_revision=row[6],
    )


def _order_row(item: LicenceInHand, now_ms: int) -> tuple[Any, ...]:
    head = item.head
    assert head is not None  # noqa: S101  # only touched licences are written
    at = head.current
    order = (item.id, at.source_order, at.stamp_us, at.rank, at.interface_revision, at.rule_revision)
    digests = (at.source_digest, at.content_digest)
    return (*order, *digests, head.versions, head.status.value, item.status_events, item.identifier, now_ms)


def _current_row(item: LicenceInHand, now_ms: int) -> tuple[Any, ...]:
    candidate, head = item.current, item.head
    assert candidate is not None, "a new head has a current record"  # noqa: S101  # decide() stores the first record as current
    assert candidate.record is not None, "a stored candidate has a record"  # noqa: S101  # the same
    assert head is not None  # noqa: S101  # the same
    record = candidate.record
    names = [holder.name for holder in record.holders if holder.name]
    return (
        *_order_row(item, now_ms),
        item.key,
        record.licence_type,
        record.issuer_code,
        record.issuer_name,
        candidate.department,
        record.region,
        record.licence_name,
        record.licence_number,
        candidate.number_key,
        names[0] if len(names) == 1 else "、".join(names),
        record.issued_on,
        record.valid_from,
        record.valid_until,
        head.current.version_no,
        candidate.interface,
    )
