"""The record worker: chunks off the bus, through cleaning, into the store, settled only when their outcome is durable.

A batch is one transaction. Faults that pass (``TransientError``) send it back with a delay. A record that the store or the code
cannot take is split out as a message of its own, confirmed, before its chunk is acknowledged; alone and still failing after its
tries it is parked with the reason.
"""

import logging
import time
from collections.abc import Callable, Sequence
from threading import Event
from uuid import UUID

import msgspec

from contracts.chunk import Chunk, Entry
from contracts.fault import Disposition, Rule
from contracts.identity import receipt_id, uuid7_ms
from contracts.outcome import Outcome
from contracts.record import Collection
from core.errors import ContractError, DataError, TransientError
from core.identity import Candidate
from core.keyring import Keyring
from core.ports.bus import Ack, Bus, Channel, Consumer, Delivery, Park, Retry, Settlement
from core.ports.observe import Observer
from core.store.records import RecordStore, Result
from router.envelope import open_chunk, package_message, seal_chunk
from router.prepare import Preparation

log = logging.getLogger(__name__)

PARKED = Rule(
    code="record.parked",
    en="the record could not be processed after {tries} attempts: {why}",
    zh="该记录经 {tries} 次尝试仍无法处理：{why}",
    remedy_en="an operator re-drives it once the cause is mended (licence-hub deadletter redrive)",
    remedy_zh="原因排除后由运维人员重新投递（licence-hub deadletter redrive）",
    disposition=Disposition.QUARANTINE,
)
LONGEST_DELAY_S = 600.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker batches and when it gives up."""

    batch_records: int = 500
    batch_ms: int = 20
    prefetch: int = 40
    tries: int = 8


class Opened(msgspec.Struct, frozen=True):
    """A delivery with its chunk, less the entries that were split out of it."""

    delivery: Delivery
    chunk: Chunk

    def without(self, receipts: set[UUID]) -> "Opened":
        """The same delivery with some entries left out."""
        kept = tuple(entry for entry in self.chunk.entries if entry.receipt not in receipts)
        return Opened(self.delivery, msgspec.structs.replace(self.chunk, entries=kept))


class RecordWorker:
    """One competing consumer of the ``records`` channel; runs in one thread."""

    def __init__(
        self,
        bus: Bus,
        records: RecordStore,
        preparation: Preparation,
        keyring: Keyring,
        observer: Observer,
        limits: Limits | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._bus = bus
        self._records = records
        self._preparation = preparation
        self._keyring = keyring
        self._observer = observer
        self._limits = limits or Limits()
        self._clock = clock

    def run(self, stop: Event) -> None:
        """Until ``stop`` is set; what is in hand then is finished first."""
        with self._bus.consumer(Channel.RECORDS, self._limits.prefetch) as consumer:
            while not stop.is_set():
                self.step(consumer, wait_s=0.5)

    def step(self, consumer: Consumer, wait_s: float) -> int:
        """Receives and finishes one batch; returns the number of deliveries it settled."""
        deliveries = self._gather(consumer, wait_s)
        if not deliveries:
            return 0
        started = time.perf_counter()
        alone = [delivery for delivery in deliveries if delivery.redelivered or delivery.tries]
        together = [delivery for delivery in deliveries if not (delivery.redelivered or delivery.tries)]
        for group in ([together] if together else []) + [[delivery] for delivery in alone]:
            consumer.settle(self._finish(group))
        self._observer.observe("stage_duration_seconds", time.perf_counter() - started, stage="store")
        if alone:
            self._observer.count("redeliveries_total", len(alone), stage="store")
        return len(deliveries)

    def _gather(self, consumer: Consumer, wait_s: float) -> list[Delivery]:
        """Deliveries for one batch: what is there, and what comes within a few milliseconds."""
        most = max(1, self._limits.prefetch)
        found = consumer.receive(most, wait_s)
        until = time.monotonic() + self._limits.batch_ms / 1000
        while found and len(found) < most and (left := until - time.monotonic()) > 0:
            more = consumer.receive(most - len(found), left)
            if not more:
                break
            found += more
        return found

    def _finish(self, deliveries: Sequence[Delivery]) -> list[tuple[Delivery, Settlement]]:
        settled: list[tuple[Delivery, Settlement]] = []
        opened: list[Opened] = []
        for delivery in deliveries:
            try:
                opened.append(Opened(delivery, open_chunk(self._keyring, delivery.message)))
            except ContractError as error:
                self._parked("undecodable")
                settled.append((delivery, Park(str(error))))
        for batch in self._batches(opened):
            settled += self._attempt(batch)
        return settled

    def _batches(self, opened: list[Opened]) -> list[list[Opened]]:
        """Groups of chunks of at most ``batch_records`` records (one larger chunk stands alone)."""
        batches: list[list[Opened]] = []
        size = self._limits.batch_records
        for item in opened:
            n = len(item.chunk.entries)
            if not batches or size + n > self._limits.batch_records:
                batches.append([])
                size = 0
            batches[-1].append(item)
            size += n
        return batches

    def _attempt(self, batch: list[Opened]) -> list[tuple[Delivery, Settlement]]:
        """Commits a batch; narrows down to the culprit when it fails for a reason of its own."""
        try:
            self._commit(batch)
        except TransientError as error:
            log.warning("batch of %d goes back: %s", len(batch), error)
            return [
                (item.delivery, Retry(self._delay_s(item.delivery, error.retry_after_s))) for item in batch
            ]
        except DataError as error:
            return self._narrow(batch, UUID(error.receipt), error)
        except Exception as error:
            log.exception("batch of %d failed", len(batch))
            return self._bisect(batch, error)
        return [(item.delivery, Ack()) for item in batch]

    def _narrow(
        self, batch: list[Opened], receipt: UUID, error: DataError
    ) -> list[tuple[Delivery, Settlement]]:
        """The store has named the culprit: it goes its own way, the rest is tried again."""
        guilty = next(item for item in batch if any(entry.receipt == receipt for entry in item.chunk.entries))
        if len(guilty.chunk.entries) == 1:
            innocent = [item for item in batch if item is not guilty]
            return [self._alone(guilty, error), *(self._attempt(innocent) if innocent else [])]
        if not self._split(guilty, {receipt}):
            return [(item.delivery, Retry(self._delay_s(item.delivery, 1.0))) for item in batch]
        return self._attempt([item.without({receipt}) if item is guilty else item for item in batch])

    def _bisect(self, batch: list[Opened], error: Exception) -> list[tuple[Delivery, Settlement]]:
        """Nobody knows the culprit: chunks one by one, then records one by one."""
        if len(batch) > 1:
            return [settled for item in batch for settled in self._attempt([item])]
        (item,) = batch
        if len(item.chunk.entries) > 1:
            if self._split(item, {entry.receipt for entry in item.chunk.entries}):
                return [(item.delivery, Ack())]
            return [(item.delivery, Retry(self._delay_s(item.delivery, 1.0)))]
        return [self._alone(item, error)]

    def _alone(self, item: Opened, error: Exception) -> tuple[Delivery, Settlement]:
        """A single record that fails: again later, or parked after its tries, with the ledger knowing."""
        tries = item.delivery.tries + 1
        if tries < self._limits.tries:
            return item.delivery, Retry(self._delay_s(item.delivery, 1.0))
        why = f"{type(error).__name__}: {error}"
        fault = PARKED.at("", tries=tries, why=type(error).__name__)
        try:
            candidates = [self._parked_candidate(item.chunk, entry) for entry in item.chunk.entries]
            self._records.commit([msgspec.structs.replace(c, faults=(fault,)) for c in candidates], [])
        except Exception:
            log.exception("the ledger does not take the parked record")
            return item.delivery, Retry(LONGEST_DELAY_S)
        self._parked("failed")
        return item.delivery, Park(why)

    def _commit(self, batch: list[Opened]) -> None:
        results = self._records.commit(*self._candidates(batch))
        outcomes = {result.receipt: result for result in results}
        revived = [self._revived(item, outcomes) for item in batch]
        again = [item for item in revived if item is not None]
        if again:
            self._commit(again)
        self._request_packages(batch, outcomes)
        self._observe(batch, outcomes)

    def _candidates(self, batch: list[Opened]) -> tuple[list[Candidate], list[bytes]]:
        candidates: list[Candidate] = []
        raws: list[bytes] = []
        for item in batch:
            for entry in item.chunk.entries:
                raw_index = None
                if entry.raw:
                    raw_index = len(raws)
                    raws.append(entry.raw)
                candidates.append(self._preparation.candidate(item.chunk, entry, raw_index))
        return candidates, raws

    def _revived(self, item: Opened, outcomes: dict[UUID, Result]) -> Opened | None:
        """Entries whose receipt ended parked and which were re-driven: outcomes are final, so each gets a receipt of its own."""
        entries = tuple(
            msgspec.structs.replace(
                entry,
                receipt=successor(self._keyring.receipt_key, item.chunk.interface, entry.receipt),
                cause=f"redrive:{entry.receipt}",
            )
            for entry in item.chunk.entries
            if outcomes[entry.receipt].known and outcomes[entry.receipt].outcome is Outcome.PARKED
        )
        return (
            Opened(item.delivery, msgspec.structs.replace(item.chunk, entries=entries)) if entries else None
        )

    def _split(self, item: Opened, receipts: set[UUID]) -> bool:
        """Publishes entries as messages of their own; False when the bus does not take them now."""
        singles = [
            seal_chunk(
                self._keyring,
                msgspec.structs.replace(item.chunk, entries=(entry,)),
                f"{item.chunk.id}/{entry.receipt}",
            )
            for entry in item.chunk.entries
            if entry.receipt in receipts
        ]
        try:
            self._bus.publish_many(Channel.RECORDS, singles)
        except TransientError as error:
            log.warning("records could not be split out: %s", error)
            return False
        return True

    def _parked_candidate(self, chunk: Chunk, entry: Entry) -> Candidate:
        """The ledger row of a record that never got through preparation."""
        return Candidate(
            receipt=entry.receipt,
            submission=entry.submission,
            position=entry.position,
            rows=entry.rows,
            interface=chunk.interface,
            interface_revision=chunk.interface_revision,
            rule_revision=0,
            collection=chunk.collection,
            department="",
            rank=0,
            stamp_us=entry.stamp_us,
            source_digest=entry.source_digest,
            cause=entry.cause,
            fixed=Outcome.PARKED,
        )

    def _request_packages(self, batch: list[Opened], outcomes: dict[UUID, Result]) -> None:
        """Asks for packages; a message lost here is sent again by the sweep, so a failure only delays."""
        wanted: dict[Channel, list[tuple[UUID, int]]] = {}
        for item in batch:
            channel = (
                Channel.PACKAGES if item.chunk.collection is Collection.INCREMENTAL else Channel.PACKAGES_BULK
            )
            for entry in item.chunk.entries:
                result = outcomes[entry.receipt]
                if result.package and result.licence_id is not None and result.version_no is not None:
                    wanted.setdefault(channel, []).append((result.licence_id, result.version_no))
        for channel, versions in wanted.items():
            try:
                self._bus.publish_many(channel, [package_message(versions)])
            except TransientError as error:
                log.warning("packages wait for the sweep: %s", error)

    def _observe(self, batch: list[Opened], outcomes: dict[UUID, Result]) -> None:
        counts: dict[tuple[str, str], int] = {}
        now = self._clock()
        for item in batch:
            for entry in item.chunk.entries:
                key = (item.chunk.interface, outcomes[entry.receipt].outcome.value)
                counts[key] = counts.get(key, 0) + 1
            if item.chunk.entries:
                age_s = max(now - item.chunk.entries[0].stamp_us / 1e6, 0.0)
                self._observer.observe(
                    "end_to_end_duration_seconds",
                    age_s,
                    len(item.chunk.entries),
                    adapter=item.chunk.interface,
                )
        for (interface, outcome), n in counts.items():
            self._observer.count("records_total", n, adapter=interface, stage="store", outcome=outcome)

    def _parked(self, reason: str) -> None:
        self._observer.count("dead_letters_total", stage="store", reason=reason)

    def _delay_s(self, delivery: Delivery, at_least_s: float) -> float:
        return float(min(max(at_least_s, 2.0**delivery.tries), LONGEST_DELAY_S))


def successor(key: bytes, interface: str, receipt: UUID) -> UUID:
    """The receipt a re-driven record continues under: always the same one, so a repeated re-drive has one effect."""
    return receipt_id(key, interface, f"redrive:{receipt}", 0, uuid7_ms(receipt))
