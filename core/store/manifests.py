"""Manifests: what a gateway published per interval, so that a record that vanished on the way would show."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select, update

from contracts.identity import uuid7
from core.store.engine import Database
from core.store.tables import ledger, manifest

_CHUNK = 1000


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The receipts one gateway gave in one interval."""

    id: UUID
    gateway: str
    receipts: tuple[UUID, ...]
    closed_ms: int


class ManifestStore:
    """Manifests and their reconciliation with the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, gateway: str, receipts: Sequence[UUID], closed_ms: int) -> UUID:
        """Notes the receipts of an interval that ended at ``closed_ms``."""
        manifest_id = uuid7(closed_ms)
        values = {
            "id": manifest_id,
            "gateway": gateway,
            "count": len(receipts),
            "digest": digest_of(receipts),
            "receipts": b"".join(receipt.bytes for receipt in receipts),
            "closed_ms": closed_ms,
        }
        with self._database.begin() as connection:
            connection.execute(insert(manifest).values(**values))
        return manifest_id

    def unreconciled(self, closed_before_ms: int, limit: int = 100) -> list[Manifest]:
        """Manifests not found complete yet, oldest first."""
        table = manifest.c
        query = select(table.id, table.gateway, table.receipts, table.closed_ms)
        query = (
            query.where(table.reconciled_ms.is_(None), table.closed_ms < closed_before_ms)
            .order_by(table.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [
                Manifest(id=row[0], gateway=row[1], receipts=_receipts(bytes(row[2])), closed_ms=row[3])
                for row in connection.execute(query)
            ]

    def reconcile(self, noted: Manifest, now_ms: int) -> list[UUID]:
        """Receipts of the manifest that the ledger does not have (yet); with none left the manifest is closed."""
        present: set[UUID] = set()
        with self._database.read() as connection:
            for start in range(0, len(noted.receipts), _CHUNK):
                query = select(ledger.c.receipt).where(
                    ledger.c.receipt.in_(noted.receipts[start : start + _CHUNK])
                )
                present.update(connection.execute(query).scalars())
        missing = [receipt for receipt in noted.receipts if receipt not in present]
        values = {"missing": len(missing), "reconciled_ms": None if missing else now_ms}
        with self._database.begin() as connection:
            connection.execute(update(manifest).where(manifest.c.id == noted.id).values(**values))
        return missing

    def missing(self) -> int:
        """Receipts that the last reconciliation of open manifests did not find."""
        query = select(func.coalesce(func.sum(manifest.c.missing), 0)).where(
            manifest.c.reconciled_ms.is_(None)
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())


def digest_of(receipts: Sequence[UUID]) -> bytes:
    """XOR of the receipts' SHA-256: the same for any order."""
    total = 0
    for receipt in receipts:
        total ^= int.from_bytes(hashlib.sha256(receipt.bytes).digest(), "big")
    return total.to_bytes(32, "big")


def _receipts(packed: bytes) -> tuple[UUID, ...]:
    return tuple(UUID(bytes=packed[at : at + 16]) for at in range(0, len(packed), 16))
