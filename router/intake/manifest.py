"""Manifests: what was published in an interval, to be compared with the ledger (control bus and audit, EIP; PROMISES B).

The digest is the XOR of the SHA-256 of the receipts: it depends on which receipts, not on their order.
"""

import hashlib
import threading
import time
from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from contracts.identity import uuid7

RECEIPTS_LIMIT = 50_000
"""Receipts in one manifest; an interval with more closes early."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What one gateway published in one interval."""

    id: UUID
    gateway: str
    count: int
    digest: bytes
    receipts: bytes
    closed_ms: int

    def listed(self) -> list[UUID]:
        """The receipts one by one."""
        return [UUID(bytes=self.receipts[i : i + 16]) for i in range(0, len(self.receipts), 16)]


class ManifestLog:
    """Gathers receipts that are durable on the bus; from any thread."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self._lock = threading.Lock()
        self._receipts: list[bytes] = []

    def published(self, receipts: Iterable[UUID]) -> None:
        """Notes receipts whose chunk was confirmed."""
        with self._lock:
            self._receipts.extend(receipt.bytes for receipt in receipts)

    def close(self) -> list[Manifest]:
        """The manifests of what was noted since the last call; none for an idle interval."""
        with self._lock:
            noted, self._receipts = self._receipts, []
        now_ms = time.time_ns() // 1_000_000
        return [
            self._manifest(noted[start : start + RECEIPTS_LIMIT], now_ms) for start in range(0, len(noted), RECEIPTS_LIMIT)
        ]

    def put_back(self, manifests: Sequence[Manifest]) -> None:
        """Takes manifests back that could not be written: the next interval has them."""
        self.published(receipt for manifest in manifests for receipt in manifest.listed())

    def _manifest(self, receipts: list[bytes], now_ms: int) -> Manifest:
        return Manifest(
            id=uuid7(now_ms),
            gateway=self._gateway,
            count=len(receipts),
            digest=receipts_digest(receipts),
            receipts=b"".join(receipts),
            closed_ms=now_ms,
        )


def receipts_digest(receipts: Iterable[bytes]) -> bytes:
    """XOR of the SHA-256 of each receipt, 32 bytes."""
    total = 0
    for receipt in receipts:
        total ^= int.from_bytes(hashlib.sha256(receipt).digest(), "big")
    return total.to_bytes(32, "big")
