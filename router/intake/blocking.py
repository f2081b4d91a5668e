"""The blocking intake of file drop and command line: chunks published in batches, each batch durable before the next."""

from contextlib import suppress

from contracts.chunk import Entry
from core.errors import TransientError
from core.keyring import Keyring
from core.ports.bus import Bus, Channel
from core.ports.intake import Lot
from router.intake.chunks import ChunkBuilder, Sealed, encode_entry
from router.intake.manifest import ManifestLog

BATCH_CHUNKS = 16
"""Chunks published together: up to 1 600 records or 4 MB wait in memory."""


class BlockingIntake:
    """Fulfils ``core.ports.intake.EntrySink``; for one thread, one submission at a time."""

    def __init__(self, bus: Bus, keyring: Keyring, manifest: ManifestLog) -> None:
        self._bus = bus
        self._keyring = keyring
        self._manifest = manifest
        self._lot: Lot | None = None
        self._builder: ChunkBuilder | None = None
        self._full: list[Sealed] = []

    def send(self, lot: Lot, entry: Entry) -> None:
        encoded = encode_entry(entry)
        if self._builder is None or lot != self._lot or not self._builder.fits(encoded):
            self._cut()
            self._lot, self._builder = lot, ChunkBuilder(lot)
            if len(self._full) >= BATCH_CHUNKS:
                self._publish()
        self._builder.add(entry.receipt, encoded)

    def flush(self) -> None:
        self._cut()
        self._publish()

    def _cut(self) -> None:
        if self._builder is not None and len(self._builder):
            self._full.append(self._builder.seal(self._keyring))
        self._builder = None

    def _publish(self) -> None:
        """Publishes under the ids the chunks were sealed with, so that a second attempt after ``Unavailable`` repeats them."""
        if self._full:
            self._bus.publish_many(Channel.RECORDS, [sealed.message for sealed in self._full])
            self._manifest.published(receipt for sealed in self._full for receipt in sealed.receipts)
            self._full = []
            if self._manifest.full:
                with suppress(TransientError):  # what is not written now is kept for the next time
                    self._manifest.write()
