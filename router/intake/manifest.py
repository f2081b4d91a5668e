"""Manifests: what was published in an interval, to be compared with the ledger (ARCHITECTURE 4.9)."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol
from uuid import UUID

RECEIPTS_LIMIT = 50_000
"""Receipts in one manifest; a busier interval has several."""


class ManifestShelf(Protocol):
    """Where manifests are kept."""

    def add(self, gateway: str, receipts: Sequence[UUID], closed_ms: int) -> UUID: ...


class ManifestLog:
    """Gathers receipts that are durable on the bus, from any thread, and writes them down per interval."""

    def __init__(self, gateway: str, shelf: ManifestShelf, clock_ms: Callable[[], int] | None = None) -> None:
        self._gateway = gateway
        self._shelf = shelf
        self._clock_ms = clock_ms or _now_ms
        self._lock = threading.Lock()
        self._receipts: list[UUID] = []

    def published(self, receipts: Iterable[UUID]) -> None:
        """Notes receipts whose chunk was confirmed."""
        with self._lock:
            self._receipts.extend(receipts)

    @property
    def full(self) -> bool:
        """Whether a manifest's worth is noted: a long import writes them down on its way."""
        return len(self._receipts) >= RECEIPTS_LIMIT

    def write(self) -> None:
        """Writes what was noted since the last call; on a store error (raised) what is left is kept for the next."""
        with self._lock:
            noted, self._receipts = self._receipts, []
        try:
            while noted:
                self._shelf.add(self._gateway, noted[:RECEIPTS_LIMIT], self._clock_ms())
                noted = noted[RECEIPTS_LIMIT:]
        finally:
            self.published(noted)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
