"""The record worker on a real embedded bus and store, with a store and a code that fail on purpose."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from contracts.chunk import Chunk, Entry
from contracts.fault import Disposition, Rule
from contracts.identity import uuid7
from contracts.outcome import Outcome
from contracts.record import Collection, digest
from core.errors import DataError, Unavailable
from core.identity import Candidate
from core.ports.bus import Channel, Message
from core.ports.observe import Unobserved
from core.store import Store, open_store, prepare_store
from core.store.licences import LicenceQuery
from core.store.records import Result
from router.bus import open_bus
from router.envelope import seal_chunk
from router.prepare import Preparation
from router.terms import Terms
from router.worker import Limits, RecordWorker, successor
from store_material import TYPE, record

HELD = Rule(
    code="x.held", en="held", zh="隔离", remedy_en="-", remedy_zh="-", disposition=Disposition.QUARANTINE
)
REFUSED = Rule(code="x.refused", en="refused", zh="拒绝", remedy_en="-", remedy_zh="-")


class Faulty:
    """The record store, with failures in front."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.before: list[Callable[[Sequence[Candidate]], None]] = []

    def commit(self, batch: Sequence[Candidate], raws: Sequence[bytes]) -> list[Result]:
        for check in list(self.before):
            check(batch)
        return self._store.records.commit(batch, raws)


class Bench:
    """A worker with its bus and store; deliveries come at once, retries too."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder}/hub.db"
        prepare_store(url)
        self.store = open_store(url, master=os.urandom(32))
        self.bus = open_bus("embedded", folder / "bus.db")
        self.bus.declare()
        self.store.registry.apply("licence-type", TYPE, {"code": TYPE, "name": {"en": "Food"}}, "test")
        self.store.registry.apply(
            "interface", "food", {"name": "food", "department": "D", "licence_type": TYPE}, "test"
        )
        self.faulty = Faulty(self.store)
        preparation = Preparation(Terms(self.store.registry))
        self.worker = RecordWorker(
            self.bus,
            self.faulty,  # type: ignore[arg-type]  # the store with failures in front
            preparation,
            self.store.keyring,
            Unobserved(),
            Limits(prefetch=20, tries=2, batch_ms=1),
        )

    def send(self, *entries: Entry) -> list[UUID]:
        chunk = Chunk(
            id=uuid7(),
            interface="food",
            interface_revision=self.store.registry.revision(),
            protocol="test",
            collection=Collection.INCREMENTAL,
            entries=entries,
        )
        self.bus.publish_many(Channel.RECORDS, [seal_chunk(self.store.keyring, chunk)])
        return [entry.receipt for entry in entries]

    def run(self, seconds: float = 20.0) -> None:
        """Works until nothing is ready, delayed or in hand."""
        until = time.monotonic() + seconds
        with self.bus.consumer(Channel.RECORDS, 20) as consumer:
            while time.monotonic() < until:
                self.worker.step(consumer, wait_s=0.05)
                depth = self.bus.depth(Channel.RECORDS)
                if not (depth.ready or depth.delayed or depth.in_hand):
                    return
        raise AssertionError("the bus did not run empty")

    def outcomes(self, receipts: Sequence[UUID]) -> list[Outcome | None]:
        rows = self.store.ledger.outcomes(receipts)
        return [rows[receipt].outcome if receipt in rows else None for receipt in receipts]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.bus.close()
    made.store.close()


def entry(number: str, **changes: object) -> Entry:
    values: dict[str, object] = {
        "receipt": uuid7(),
        "submission": UUID(int=1),
        "position": 0,
        "stamp_us": time.time_ns() // 1000,
        "record": record(number),
        "source_order": "1",
        "source_digest": digest(number),
        "raw": number.encode(),
    }
    return Entry(**{**values, **changes})  # type: ignore[arg-type]  # a test's shorthand


def test_every_entry_of_a_chunk_gets_its_outcome(bench: Bench) -> None:
    receipts = bench.send(
        entry("A-1"),
        entry("A-2", record=None, faults=(REFUSED.at("/no"),)),
        entry("A-3", record=None, faults=(HELD.at("/no"), REFUSED.at("/x"))),
        entry("A-4", faults=(HELD.at("/no"),)),
        entry("A-5", record=None, filtered_by="requested"),
        entry("A-6", record=record("A-6", licence_type="99999999999999999X001")),
        entry("A-7", record=record(" / ")),
    )
    bench.run()
    assert bench.outcomes(receipts) == [
        Outcome.NEW,
        Outcome.REJECTED,
        Outcome.REJECTED,
        Outcome.QUARANTINED,
        Outcome.FILTERED,
        Outcome.QUARANTINED,
        Outcome.REJECTED,
    ]
    assert bench.store.ledger.raw_of(receipts[0]) == b"A-1"


def test_a_chunk_delivered_twice_has_one_effect(bench: Bench) -> None:
    twice = entry("A-1")
    bench.send(twice)
    bench.send(twice, twice)
    bench.run()
    (found,) = bench.store.licences.find(_all()).licences
    assert found.versions == 1


def test_packages_are_asked_for_with_the_ids_only(bench: Bench) -> None:
    bench.send(entry("A-1"), entry("A-2"))
    bench.run()
    with bench.bus.consumer(Channel.PACKAGES, 5) as consumer:
        (delivery,) = consumer.receive(5, 1.0)
        assert "甲公司".encode() not in delivery.message.body


def test_a_store_that_is_away_sends_the_whole_batch_back_and_nothing_is_lost(bench: Bench) -> None:
    def away(_batch: Sequence[Candidate]) -> None:
        bench.faulty.before.clear()
        raise Unavailable("the database is away", retry_after_s=0.1)

    bench.faulty.before.append(away)
    receipts = bench.send(entry("A-1"), entry("A-2"))
    bench.run()
    assert bench.outcomes(receipts) == [Outcome.NEW, Outcome.NEW]


def test_the_record_a_store_refuses_is_parked_alone_and_its_neighbours_pass(bench: Bench) -> None:
    entries = [entry(f"A-{n}") for n in range(5)]
    guilty = entries[2].receipt

    def refuse(batch: Sequence[Candidate]) -> None:
        if any(item.receipt == guilty and item.fixed is None for item in batch):
            raise DataError("value out of range", receipt=str(guilty))

    bench.faulty.before.append(refuse)
    receipts = bench.send(*entries)
    bench.run()
    assert bench.outcomes(receipts) == [Outcome.NEW, Outcome.NEW, Outcome.PARKED, Outcome.NEW, Outcome.NEW]
    (parked,) = bench.bus.parked()
    assert "DataError" in parked.reason


def test_a_defect_is_narrowed_down_to_its_record(bench: Bench) -> None:
    entries = [entry(f"A-{n}") for n in range(4)]
    guilty = entries[1].receipt

    def defect(batch: Sequence[Candidate]) -> None:
        if any(item.receipt == guilty and item.fixed is None for item in batch):
            raise ZeroDivisionError

    bench.faulty.before.append(defect)
    bench.send(entry("B-1"))
    receipts = bench.send(*entries)
    bench.run()
    assert bench.outcomes(receipts) == [Outcome.NEW, Outcome.PARKED, Outcome.NEW, Outcome.NEW]


def test_a_re_driven_record_goes_on_under_a_receipt_of_its_own(bench: Bench) -> None:
    parked = entry("A-1")

    def refuse(batch: Sequence[Candidate]) -> None:
        if any(item.fixed is None for item in batch):
            raise DataError("value out of range", receipt=str(parked.receipt))

    bench.faulty.before.append(refuse)
    bench.send(parked)
    bench.run()
    bench.faulty.before.clear()
    for _ in range(2):
        bench.bus.redrive()
        bench.run()
    heir = successor(bench.store.keyring.receipt_key, "food", parked.receipt)
    assert bench.outcomes([parked.receipt, heir]) == [Outcome.PARKED, Outcome.NEW]
    assert bench.store.ledger.entry(heir).cause == f"redrive:{parked.receipt}"


def test_a_body_that_cannot_be_read_is_parked_with_its_reason(bench: Bench) -> None:
    bench.bus.publish_many(Channel.RECORDS, [Message(id="foreign", body=b"\x80\x04pickle")])
    receipts = bench.send(entry("A-1"))
    bench.run()
    (parked,) = bench.bus.parked()
    assert "cannot be read" in parked.reason
    assert bench.outcomes(receipts) == [Outcome.NEW]


def test_a_body_moved_to_another_message_is_refused(bench: Bench) -> None:
    chunk = Chunk(
        id=uuid7(),
        interface="food",
        interface_revision=1,
        protocol="test",
        collection=Collection.INCREMENTAL,
        entries=(entry("A-1"),),
    )
    genuine = seal_chunk(bench.store.keyring, chunk)
    bench.bus.publish_many(Channel.RECORDS, [Message(id="another", body=genuine.body)])
    bench.run()
    assert len(bench.bus.parked()) == 1


def _all() -> LicenceQuery:
    return LicenceQuery(scope="management")
