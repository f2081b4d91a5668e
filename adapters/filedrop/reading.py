"""One file from bytes to the bus: decode, translate, gather, publish, with a checkpoint behind every confirmed stretch.

Receipts derive from the submission and the position, and the order of drafts from the file and the declaration alone. So a
reading that was cut anywhere is taken up again at its checkpoint, and what is published twice has the same receipts.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, Literal

import msgspec

from adapters.decoding import Row, Tally, decode, drafts
from adapters.decoding.rules import EMPTY_FILE
from adapters.filedrop.rules import DUPLICATE
from contracts.chunk import Entry
from contracts.fault import Fault
from contracts.identity import receipt_id
from core.errors import ContractError
from core.interfaces import LiveInterface
from core.ports.intake import Draft, EntrySink, Lot
from core.store.submissions import Submission, SubmissionStore

CHECKPOINT_ENTRIES = 2000
"""Entries between two checkpoints: a cut reading publishes at most this many twice."""
PROTOCOL = "file"

_BLOCK = 1024 * 1024
Verdict = Literal["read", "refused", "duplicate"]


class Taken(msgspec.Struct, frozen=True):
    """What became of a file; its records' outcomes are in the ledger."""

    submission: Submission
    verdict: Verdict
    faults: tuple[Fault, ...] = ()
    """Why the file is refused, or where a document broke off behind records that were taken."""


class FileIntake:
    """Takes files in; for one thread, as its sink is."""

    def __init__(
        self,
        submissions: SubmissionStore,
        sink: EntrySink,
        receipt_key: bytes,
        *,
        told: Callable[[int], None] | None = None,
    ) -> None:
        """``told`` is called at every checkpoint with the number of records read from the file."""
        self._submissions = submissions
        self._sink = sink
        self._receipt_key = receipt_key
        self._told = told

    def take(self, stream: BinaryIO, origin: str, live: LiveInterface, *, claim: str = "") -> Taken:
        """Takes in a seekable stream under the name ``origin``; returns when all of it is durable on the bus.

        ``claim`` names one arrival of the file: taken again after a crash it continues or repeats the verdict. Raises
        ``TransientError`` when bus or store are out of reach; taken again, the reading continues at its checkpoint.
        """
        size, digest = _digest(stream)
        name = live.declaration.name
        same = self._submissions.same_content(name, digest)
        known = _of_claim(claim, same) or self._submissions.same_file(name, origin, size, digest)
        if known and claim and known.detail.get("claim") == claim and known.state != "reading":
            return taken_of(known)
        if known and known.state == "reading":
            return self._read(stream, known, live)
        original = next((s for s in same if s.state == "read"), None)
        detail: dict[str, Any] = {"claim": claim, "revision": live.revision}
        opened = self._submissions.begin(
            name, PROTOCOL, digest, origin=origin, size_bytes=size, detail=detail
        )
        if size == 0:
            return self._refuse(opened, EMPTY_FILE.at(""))
        if original is not None:
            fault = DUPLICATE.at("", origin=original.origin)
            return self._refuse(opened, fault, duplicate_of=str(original.id))
        return self._read(stream, opened, live)

    def refuse(
        self, stream: BinaryIO, origin: str, live: LiveInterface, fault: Fault, *, claim: str
    ) -> Taken:
        """Records a file that is refused for what it is as a whole, unread."""
        size, digest = _digest(stream)
        name = live.declaration.name
        known = _of_claim(claim, self._submissions.same_content(name, digest))
        if known and known.state != "reading":
            return taken_of(known)
        detail: dict[str, Any] = {"claim": claim, "revision": live.revision}
        opened = self._submissions.begin(
            name, PROTOCOL, digest, origin=origin, size_bytes=size, detail=detail
        )
        return self._refuse(opened, fault)

    def _refuse(self, opened: Submission, *faults: Fault, **detail: str) -> Taken:
        self._submissions.finish(
            opened.id, "refused", detail={"faults": msgspec.to_builtins(faults), **detail}
        )
        return taken_of(self._submissions.get(opened.id))

    def _read(self, stream: BinaryIO, submission: Submission, live: LiveInterface) -> Taken:
        reading = _Reading(stream, submission, live, self._receipt_key)
        same_terms = submission.detail.get("revision") == live.revision
        faults: list[Fault] = []
        try:
            for entry in reading.entries(skip=submission.records if same_terms else 0):
                self._sink.send(reading.lot, entry)
                if reading.records % CHECKPOINT_ENTRIES == 0:
                    self._sink.flush()
                    self._submissions.progress(submission.id, **reading.totals)
                    if self._told is not None:
                        self._told(reading.records)
        except ContractError as error:
            faults = error.faults
        self._sink.flush()
        state: Literal["read", "refused"] = "refused" if faults and not reading.records else "read"
        detail = {"faults": msgspec.to_builtins(faults)} if faults else {}
        more = {"encoding": reading.tally.encoding, "skips": dict(reading.tally.skipped)}
        self._submissions.finish(submission.id, state, **reading.totals, detail={**detail, **more})
        return taken_of(self._submissions.get(submission.id))


class _Reading:
    """The entries of one submission, counted."""

    def __init__(
        self, stream: BinaryIO, submission: Submission, live: LiveInterface, receipt_key: bytes
    ) -> None:
        self._stream, self._submission, self._live = stream, submission, live
        self._receipt_key = receipt_key
        self.tally = Tally()
        self.rows = 0
        self.records = 0
        declared = live.declaration
        self.lot = Lot(declared.name, live.revision, PROTOCOL, declared.collection)

    @property
    def totals(self) -> dict[str, int]:
        """Rows read, receipts given, rows skipped."""
        return {"rows": self.rows, "records": self.records, "skipped": self.tally.skipped.total()}

    def entries(self, skip: int) -> Iterator[Entry]:
        """Every entry behind the first ``skip``."""
        self._stream.seek(0)
        rows = self._counted(decode(self._stream, self._live.translator, self.tally))
        for draft in drafts(rows, self._live.translator):
            self.records += 1
            if self.records > skip:
                yield self._entry(draft)

    def _counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self.rows += 1
            yield row

    def _entry(self, draft: Draft) -> Entry:
        """The draft under its receipt; within a file a later row was, in effect, stamped later."""
        submission = self._submission
        return Entry(
            receipt=receipt_id(
                self._receipt_key,
                submission.interface,
                str(submission.id),
                draft.position,
                submission.received_ms,
            ),
            submission=submission.id,
            position=draft.position,
            rows=draft.rows,
            stamp_us=submission.received_ms * 1000 + draft.position,
            record=draft.record,
            faults=draft.faults,
            filtered_by=draft.filtered_by,
            source_order=draft.source_order,
            source_digest=draft.source_digest,
        )


def taken_of(submission: Submission) -> Taken:
    """The verdict that a finished submission records."""
    faults = msgspec.convert(submission.detail.get("faults", []), tuple[Fault, ...])
    verdict: Verdict = "read" if submission.state == "read" else "refused"
    return Taken(submission, "duplicate" if "duplicate_of" in submission.detail else verdict, faults)


def _of_claim(claim: str, submissions: Iterable[Submission]) -> Submission | None:
    """What the claim was taken as before a crash, though the same file may have come again since."""
    return next((s for s in submissions if claim and s.detail.get("claim") == claim), None)


def _digest(stream: BinaryIO) -> tuple[int, bytes]:
    stream.seek(0)
    size, sha256 = 0, hashlib.sha256()
    while block := stream.read(_BLOCK):
        size += len(block)
        sha256.update(block)
    return size, sha256.digest()
