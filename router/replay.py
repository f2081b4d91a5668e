"""Replay: raw input again, under today's mapping and rules, with a preview that is the same function (ARCHITECTURE 4.3)."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from uuid import UUID

import msgspec

from contracts.chunk import Chunk, Entry
from contracts.identity import receipt_id, uuid7, uuid7_ms
from core.identity import REPLAY
from core.ports.intake import Draft, EntrySink, Lot
from core.store import Store
from core.store.ledger import LedgerRow
from router.prepare import Preparation
from router.terms import Terms

BATCH = 200
PROTOCOL = "replay"


class Preview(msgspec.Struct, frozen=True):
    """What a replay would lead to if nothing changed meanwhile."""

    outcomes: Counter[str]
    cases_closed: int
    """Quarantine cases that would close by themselves, their records stored."""


class Replay:
    """Sends raw input through the hub once more, every record under a receipt of its own.

    Replaying the same receipt under the same registry revision gives the same new receipt: doing it twice has one effect.
    """

    def __init__(self, store: Store, lot: Lot) -> None:
        self._store = store
        self._lot = msgspec.structs.replace(lot, protocol=PROTOCOL)

    def publish(self, source: Iterable[tuple[LedgerRow, Draft]], sink: EntrySink) -> list[UUID]:
        """Publishes the entries; returns their receipts. Raises ``Unavailable`` when the bus is away: call it again."""
        receipts = []
        for row, draft in source:
            entry = self._entry(row, draft)
            sink.send(self._lot, entry)
            receipts.append(entry.receipt)
        sink.flush()
        return receipts

    def preview(self, source: Iterable[tuple[LedgerRow, Draft]]) -> Preview:
        """What ``publish`` would lead to; nothing is published or stored."""
        preparation = Preparation(Terms(self._store.registry))
        counts: Counter[str] = Counter()
        closed = 0
        rest = iter(source)
        while batch := list(islice(rest, BATCH)):
            entries = tuple(self._entry(row, draft) for row, draft in batch)
            chunk = Chunk(
                id=uuid7(),
                interface=self._lot.interface,
                interface_revision=self._lot.revision,
                protocol=PROTOCOL,
                collection=self._lot.collection,
                entries=entries,
            )
            candidates = [preparation.candidate(chunk, entry, None) for entry in entries]
            results = self._store.records.preview(candidates)
            counts.update(result.outcome.value for result in results)
            closed += sum(result.closes is not None for result in results)
        return Preview(counts, closed)

    def _entry(self, row: LedgerRow, draft: Draft) -> Entry:
        """The draft under its new receipt; it keeps the stamp of the original, and with it its place in the order."""
        name = f"{REPLAY}{row.receipt}:{self._lot.revision}"
        key = self._store.keyring.receipt_key
        return Entry(
            receipt=receipt_id(key, row.interface, name, row.position, uuid7_ms(row.receipt)),
            submission=row.submission,
            position=row.position,
            rows=draft.rows,
            stamp_us=row.stamp_us,
            record=draft.record,
            faults=draft.faults,
            filtered_by=draft.filtered_by,
            source_order=draft.source_order,
            source_digest=draft.source_digest,
            raw=draft.raw,
            cause=f"{REPLAY}{row.receipt}",
        )
