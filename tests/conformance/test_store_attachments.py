"""Files that came with records, on both databases: what is referred to stays, what nobody refers to goes."""

import threading
from typing import Any
from uuid import UUID

import pytest

from contracts.identity import uuid7
from contracts.outcome import Outcome
from contracts.record import Attachment, SourceClass
from core.errors import NotFound
from core.identity import Candidate
from core.service.maintenance import DAY_MS, Maintenance
from core.store import Store
from core.store.licences import LicenceQuery
from store_material import candidate, count, licence_id_of, outcomes

EVER = 2**62
MEDIA = "image/png"


def put(store: Store, content: bytes, receipt: UUID | None = None) -> Attachment:
    digest = store.attachments.put(receipt or uuid7(), content, MEDIA)
    return Attachment(digest=digest.hex(), media_type=MEDIA, size_bytes=len(content), name="p.png")


def scanned(number: str, *scans: Attachment, **changes: Any) -> Candidate:
    fields = {"scans": scans, "source_class": SourceClass.APPROVAL}
    return candidate(number, fields=fields, **changes)


def held(store: Store, file: Attachment) -> bool:
    try:
        return bool(store.blobs.get(bytes.fromhex(file.digest)))
    except NotFound:
        return False


def test_a_file_is_encrypted_and_read_back(store: Store) -> None:
    file = put(store, b"a page of 91110000600037341L")
    assert store.blobs.get(bytes.fromhex(file.digest)) == b"a page of 91110000600037341L"
    with store.database.read() as connection:
        (kept,) = connection.exec_driver_sql("SELECT content FROM blob").scalars()
    assert b"91110000600037341L" not in bytes(kept)


def test_a_file_whose_record_was_never_published_goes_after_its_time(store: Store) -> None:
    file = put(store, b"page")
    assert store.attachments.purge(0) == 0
    assert held(store, file)
    assert store.attachments.purge(EVER) == 1
    assert not held(store, file)
    assert count(store, "attachment") == 0
    assert store.attachments.purge(EVER) == 0


def test_the_job_keeps_files_for_the_days_it_is_told(store: Store) -> None:
    file = put(store, b"page")
    with store.database.read() as connection:
        put_ms = connection.exec_driver_sql("SELECT put_ms FROM attachment").scalar_one()
    for days, stays in ((6.9, True), (7.1, False)):
        at_s = (put_ms + days * DAY_MS) / 1000
        Maintenance(store, stray_file_days=7, clock=lambda now=at_s: now).purge_files()  # type: ignore[misc]  # bound now
        assert held(store, file) is stays


def test_a_file_of_a_published_record_waits_for_it_however_long(store: Store) -> None:
    receipt = uuid7()
    file = put(store, b"page", receipt)
    store.attachments.published(receipt)
    assert store.attachments.purge(EVER) == 0
    assert outcomes(store, [scanned("A-1", file, receipt=receipt)]) == ["new"]
    assert store.licences.get(licence_id_of(store, "A-1")).scans == (file,)


@pytest.mark.parametrize(
    "fixed", [None, *(o for o in Outcome if o.held or o.value in ("rejected", "parked"))]
)
def test_a_file_the_ledger_knows_the_receipt_of_stays_whatever_the_outcome(
    store: Store, fixed: Outcome | None
) -> None:
    receipt = uuid7()
    file = put(store, b"page", receipt)  # its gateway was killed before it could note the publication
    changes = {} if fixed is None else {"fixed": fixed, "licence_key": None}
    store.records.commit([scanned("A-1", file, receipt=receipt, **changes)], [])
    assert store.attachments.purge(EVER) == 0
    assert held(store, file)


def test_a_case_of_quarantine_is_accepted_with_its_files(store: Store) -> None:
    receipt = uuid7()
    file = put(store, b"page", receipt)
    store.records.commit([scanned("A-1", file, receipt=receipt, fixed=Outcome.QUARANTINED)], [])
    store.attachments.purge(EVER)
    result = store.quarantine.decide(receipt, "accept", "li", "compared with the paper")
    assert result is not None
    assert result.outcome is Outcome.NEW
    assert store.licences.get(licence_id_of(store, "A-1")).scans == (file,)


def test_a_file_that_two_records_share_goes_with_neither(store: Store) -> None:
    kept, lost = uuid7(), uuid7()
    file = put(store, b"page", kept)
    assert put(store, b"page", lost) == file
    store.attachments.published(kept)
    assert store.attachments.purge(EVER) == 1
    assert held(store, file)
    assert store.attachments.of(kept) == {file.digest}
    assert store.attachments.of(lost) == set()


def test_a_file_put_again_begins_its_time_anew(store: Store) -> None:
    receipt = uuid7()
    file = put(store, b"page", receipt)
    with store.database.begin() as connection:
        connection.exec_driver_sql("UPDATE attachment SET put_ms = 1")
    put(store, b"page", receipt)
    assert store.attachments.purge(1_000_000) == 0
    assert held(store, file)


@pytest.mark.parametrize("received_first", [True, False])
def test_a_picture_that_something_else_stands_on_stays(store: Store, received_first: bool) -> None:
    """A package's thumbnail, a style's base image: bytes that a sender may have too."""
    if received_first:
        put(store, b"a picture")
    digest = store.blobs.put(b"a picture", "image/jpeg")
    put(store, b"a picture")
    assert store.attachments.purge(EVER) == 1 + received_first
    assert store.blobs.get(digest) == b"a picture"


def test_a_record_whose_file_is_gone_is_held_and_says_so(store: Store) -> None:
    here, gone = put(store, b"here"), put(store, b"gone")
    store.attachments.purge(EVER)
    here = put(store, b"here")
    batch = [scanned("A-1", here, gone), scanned("A-2", here), candidate("A-3")]
    assert outcomes(store, batch) == ["quarantined", "new", "new"]
    [fault] = store.ledger.entry(batch[0].receipt).faults
    assert (fault.rule, fault.pointer, fault.value) == ("attachment.gone", "/scans/1", gone.digest)


def test_a_record_that_was_corrected_keeps_files_of_another_receipt(store: Store) -> None:
    file = put(store, b"page")
    assert outcomes(store, [scanned("A-1", file)]) == ["new"]
    assert store.attachments.purge(EVER) == 0
    assert held(store, file)


def test_a_purge_of_many_files_takes_all_of_them(store: Store) -> None:
    kept = uuid7()
    for number in range(450):
        put(store, b"page %d" % number)
    file = put(store, b"kept", kept)
    store.attachments.published(kept)
    assert store.attachments.purge(EVER) == 450
    assert count(store, "blob") == 1
    assert held(store, file)


def test_senders_and_purges_at_once_lose_no_file_of_a_published_record(store: Store) -> None:
    """Every content is put by all senders again and again, while everything unpublished is purged at once."""
    stop, failures = threading.Event(), []
    kept = uuid7()
    put(store, b"shared 0", kept)
    store.attachments.published(kept)

    def purge() -> None:
        while not stop.is_set():
            store.attachments.purge(EVER)

    def send(name: str) -> None:
        for number in range(40):
            receipt = uuid7()
            file = put(store, b"shared %d" % (number % 5), receipt)
            record = scanned(f"{name}-{number}", file, receipt=receipt)
            [result] = store.records.commit([record], [])
            stored = result.outcome is Outcome.NEW
            if stored and not held(store, file):
                failures.append((name, number, "lost"))
            if not stored and result.outcome is not Outcome.QUARANTINED:
                failures.append((name, number, result.outcome.value))

    purger = threading.Thread(target=purge)
    purger.start()
    senders = [threading.Thread(target=send, args=(name,)) for name in "ABC"]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    stop.set()
    purger.join()
    assert failures == []
    page = store.licences.find(LicenceQuery(scope="management"), limit=500)
    assert len(page.licences) >= 24  # those with the page that never was unpublished
    assert all(held(store, view.scans[0]) for view in page.licences)
