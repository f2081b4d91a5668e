"""One batch in one transaction: identify, number, write (ARCHITECTURE 4.4).

Heads are locked in key order, then the ledger is asked for receipts it has (a redelivery that raced its twin sees it now), then
the records of each licence are folded in memory, then everything is written in bulk. A new head is written once, complete.
"""

from collections.abc import Sequence
from random import Random
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from contracts.fault import Fault
from contracts.outcome import Outcome
from contracts.record import LicenceRecord, SourceClass, Status
from core.errors import InternalError
from core.identity import REPLAY, Candidate, Decision, advanced, decide, needs_versions
from core.store.attachments import absence_faults, hold_files
from core.store.bulk import as_uuid, look_up_by_index, rows_within
from core.store.documents import Documents, HeldCase
from core.store.heads import LicenceInHand, load_expiries, load_versions, lock_heads
from core.store.identifiers import Assigned, Identifiers
from core.store.replayed import ReplayedCases
from core.store.writing import Frame, Writing, rising_ids

_KNOWN = "SELECT receipt, outcome, licence_id, version_no FROM ledger WHERE receipt {within}"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a receipt."""

    receipt: UUID
    outcome: Outcome
    licence_id: UUID | None = None
    version_no: int | None = None
    """Version written, or the one a repeat or conflict is with."""
    package: bool = False
    """A package of this version waits to be made."""
    known: bool = False
    """The ledger had the receipt already: a redelivery, nothing was written."""
    closes: UUID | None = None
    """The quarantine case that this replay closed."""


class BatchCommit:
    """The work of one transaction; used once."""

    def __init__(self, connection: Connection, documents: Documents, random: Random, now_ms: int) -> None:
        self._connection = connection
        self._documents = documents
        self._identifiers = Identifiers(random)
        self._writing = Writing(documents, now_ms)
        self._cases = ReplayedCases(connection, self._writing)
        self._results: dict[UUID, Result] = {}
        self._licences: dict[bytes, LicenceInHand] = {}

    def run(self, batch: Sequence[Candidate], frame: Frame | None) -> list[Result]:
        """Writes what the batch changes and answers per candidate, in order; a receipt given twice is committed once."""
        look_up_by_index(self._connection)
        batch = self._with_files(batch)
        keys = {
            candidate.licence_key for candidate in batch if candidate.fixed is None and candidate.licence_key
        }
        self._licences = lock_heads(
            self._connection, dict(zip(keys, rising_ids(self._writing.now_ms, len(keys)), strict=True))
        )
        self._recall(batch)
        unknown = {item.receipt: item for item in batch if item.receipt not in self._results}
        fresh = list(unknown.values())
        self._cases.lock(fresh)
        self._look_behind(fresh)
        for candidate in map(self._cases.marked, fresh):  # each when those before it are settled
            result = self._commit(candidate, frame)
            closes = self._cases.settle(candidate, result.outcome)
            self._results[candidate.receipt] = (
                msgspec.structs.replace(result, closes=closes) if closes else result
            )
        self._writing.flush(self._connection, list(self._licences.values()), frame if fresh else None)
        self._cases.flush()
        return self._answers(batch, {candidate.receipt for candidate in fresh})

    def _with_files(self, batch: Sequence[Candidate]) -> Sequence[Candidate]:
        """The batch, records held whose files the store has not: a version never refers to what is not there.

        Before any head is locked, because a purge of files is waited for here.
        """
        absent = hold_files(
            self._connection, ((one.receipt, one.record) for one in batch if one.record is not None)
        )
        return [_lacking(candidate, absent) for candidate in batch] if absent else batch

    def _answers(self, batch: Sequence[Candidate], fresh: set[UUID]) -> list[Result]:
        answers = []
        for candidate in batch:
            result = self._results[candidate.receipt]
            if candidate.receipt in fresh:
                fresh.discard(candidate.receipt)
            elif not result.known:  # the same receipt a second time within the batch
                result = msgspec.structs.replace(result, known=True, package=False)
            answers.append(result)
        return answers

    def _recall(self, batch: Sequence[Candidate]) -> None:
        receipts = list({candidate.receipt for candidate in batch})
        for receipt, outcome, licence_id, version_no in rows_within(
            self._connection, _KNOWN, "uuid", receipts
        ):
            known = as_uuid(receipt)
            if known is not None:
                self._results[known] = Result(
                    receipt=known,
                    outcome=Outcome(outcome),
                    licence_id=as_uuid(licence_id),
                    version_no=version_no,
                    known=True,
                )

    def _look_behind(self, fresh: Sequence[Candidate]) -> None:
        """Reads older versions and taken identifiers for the records that need them."""
        deep: dict[bytes, LicenceInHand] = {}
        seen: set[bytes] = set()
        changing: list[tuple[LicenceRecord, str]] = []
        for candidate in fresh:
            if candidate.fixed is not None or candidate.licence_key is None or candidate.record is None:
                continue
            item = self._licences[candidate.licence_key]
            if item.head is not None and (item.key in seen or needs_versions(item.head, candidate)):
                deep[item.key] = item
            seen.add(item.key)
            replayed = candidate.cause.startswith(REPLAY)
            if item.head is None or item.key in deep or replayed or decide(item.head, candidate).store:
                changing.append((candidate.record, item.identifier))
        if deep:
            load_versions(self._connection, list(deep.values()))
        load_expiries(self._connection, [self._licences[key] for key in seen])
        self._identifiers.load(self._connection, changing)

    def _commit(self, candidate: Candidate, frame: Frame | None) -> Result:
        if candidate.fixed is not None:
            return self._hold(candidate, candidate.fixed, frame)
        if candidate.licence_key is None or candidate.record is None or candidate.content_digest is None:
            raise InternalError("a record to be identified needs its licence key, content and digest")
        item = self._licences[candidate.licence_key]
        decision = decide(item.head, candidate)
        if decision.store:
            return self._store(item, candidate, candidate.record, decision, frame)
        if decision.outcome is Outcome.CONFLICT:
            return self._hold(candidate, Outcome.CONFLICT, frame, item, decision.against)
        if decision.advance:
            item.head = advanced(item.head, candidate, decision)
            item.touched = True
        self._writing.ledger(candidate, decision.outcome, item.id, decision.against, frame)
        return Result(
            receipt=candidate.receipt,
            outcome=decision.outcome,
            licence_id=item.id,
            version_no=decision.against,
        )

    def _store(
        self,
        item: LicenceInHand,
        candidate: Candidate,
        record: LicenceRecord,
        decision: Decision,
        frame: Frame | None,
    ) -> Result:
        chosen = self._identifiers.choose(
            item.id, record, item.identifier, item.issued_on if decision.current else None
        )
        if isinstance(chosen, Fault):
            held = msgspec.structs.replace(candidate, faults=(*candidate.faults, chosen))
            return self._hold(held, Outcome.QUARANTINED, frame)
        item.head = advanced(item.head, candidate, decision)
        assert item.head is not None  # noqa: S101  # a stored record makes a head
        item.touched = True
        version_no = item.head.versions
        identifier = chosen.text if isinstance(chosen, Assigned) else chosen
        self._writing.version(item, candidate, record, decision, identifier)
        if isinstance(chosen, Assigned):
            self._writing.identifier(item.id, chosen, version_no)
        self._writing.blind(record, item.id, version_no if decision.current else 0)
        if decision.current:
            item.current, item.issued_on, item.identifier = candidate, record.issued_on, identifier
        self._writing.status(item, candidate, record, decision)
        package = decision.current and _to_package(item, record)
        if decision.current:
            self._writing.package(item, candidate, version_no, wanted=package)
        self._writing.ledger(candidate, decision.outcome, item.id, version_no, frame)
        return Result(
            receipt=candidate.receipt,
            outcome=decision.outcome,
            licence_id=item.id,
            version_no=version_no,
            package=package,
        )

    def _hold(
        self,
        candidate: Candidate,
        outcome: Outcome,
        frame: Frame | None,
        item: LicenceInHand | None = None,
        against: int = 0,
    ) -> Result:
        licence_id = item.id if item else None
        if outcome.held:
            case = HeldCase(candidate=msgspec.structs.replace(candidate, raw_index=None), against=against)
            self._writing.case(case, outcome, licence_id)
        self._writing.ledger(candidate, outcome, licence_id, against or None, frame)
        return Result(
            receipt=candidate.receipt, outcome=outcome, licence_id=licence_id, version_no=against or None
        )


def _lacking(candidate: Candidate, absent: set[str]) -> Candidate:
    """The candidate, held when it would be stored without one of its files."""
    if candidate.record is None or candidate.fixed is not None:
        return candidate
    faults = absence_faults(candidate.record, absent)
    if not faults:
        return candidate
    return msgspec.structs.replace(
        candidate, fixed=Outcome.QUARANTINED, content_digest=None, faults=(*candidate.faults, *faults)
    )


def _to_package(item: LicenceInHand, record: LicenceRecord) -> bool:
    """Only what may be shared is packaged; of another library's licence only its original can be the package."""
    assert item.head is not None  # noqa: S101  # a stored record makes a head
    kept = record.source_class is not SourceClass.LIBRARY or record.original is not None
    return item.head.status is Status.VALID and kept
