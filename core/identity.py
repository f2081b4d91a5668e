"""What a record is to the library: new, newer, repeat, stale, conflict or history (ARCHITECTURE 4.2, 4.3). Pure.

Order of two records of one licence: rank of the source first, then the order the source declares, then the intake stamp. The
current version is the greatest of them, whatever the sequence they arrive in. A record without a declared order is ordered by
its stamp alone.

Status is a stream apart from content: no version lifts it. Expiry alone is derived, from the validity the current version states:
a version of a later validity that becomes current brings back the status that the expiry covered.
"""

from datetime import date
from typing import Literal, TypeVar
from uuid import UUID

import msgspec

from contracts.fault import Fault
from contracts.outcome import Outcome
from contracts.record import Collection, LicenceRecord, Status

REPLAY = "replay:"
RESUBMISSION = "resubmission:"
REINTERPRETED = "reinterpreted"
"""Cause of a version made by a replay: the same input, read under another mapping or other rules."""

_Ordered = TypeVar("_Ordered", int, str, tuple[int, bytes])
Ties = Literal["conflict", "arrival"]


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A record after checks and cleaning, on its way into the library."""

    receipt: UUID
    submission: UUID
    position: int
    rows: int = 1
    interface: str
    interface_revision: int
    rule_revision: int
    collection: Collection
    department: str
    rank: int
    ties: Ties = "conflict"
    stamp_us: int
    """Intake stamp; a replay carries the stamp of its original."""
    source_order: str = ""
    source_digest: bytes
    cause: str = ""
    record: LicenceRecord | None = None
    number_key: str = ""
    licence_key: bytes | None = None
    content_digest: bytes | None = None
    faults: tuple[Fault, ...] = ()
    filtered_by: str = ""
    fixed: Outcome | None = None
    """Decided before identity: quarantined, rejected, filtered or parked. None needs record, key and digest."""
    ended: Status | None = None
    """The end the record had already come to at intake (expired by its dates, or reported)."""
    raw_index: int | None = None
    """Index into the raws given beside the batch; None when the submission's file is the raw."""
    ruling: Literal["", "take-new"] = ""
    """A person's decision on a conflict: the record becomes current whatever its rank and tie."""
    held_before: bool = False
    """A replay of a record that was held and never stored: there is no version that it could be another reading of."""


class Filed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a stored version when a record is compared with it."""

    version_no: int
    rank: int
    source_order: str
    stamp_us: int
    source_digest: bytes
    content_digest: bytes
    interface_revision: int
    rule_revision: int


class Head(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A licence as far as order and status go. ``current`` holds the order reached, which a repeat moves on."""

    current: Filed
    versions: int
    status: Status
    beneath: Status = Status.VALID
    """Of an expired licence: the status it had before, which the expiry covers."""
    expired_on: date | None = None
    """Of an expired licence: the last day of the validity that ended; None when whoever reported it expired stated none."""
    earlier: tuple[Filed, ...] = ()
    """All stored versions, when ``needs_versions`` asked for them."""


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What to do with a candidate."""

    outcome: Outcome
    store: bool = False
    """Write a version."""
    current: bool = False
    """The version becomes the current one."""
    advance: bool = False
    """No version, but the order reached moves on to the candidate's."""
    status: Status | None = None
    """Status event to append."""
    renewed: bool = False
    """The event takes an expiry back: the version states a later validity."""
    cause: str = ""
    against: int = 0
    """Version number a conflict is with, or a repeat repeats."""


def decide(head: Head | None, candidate: Candidate) -> Decision:
    """The outcome of ``candidate`` against ``head`` (None: the licence is not known yet)."""
    if candidate.fixed is not None:
        return Decision(outcome=candidate.fixed)
    if head is None:
        status = _reported(candidate, Status.VALID)
        outcome = Outcome.HISTORY if candidate.ended is not None else Outcome.NEW
        return Decision(outcome=outcome, store=True, current=True, status=status, cause=candidate.cause)
    if candidate.ruling == "take-new":
        return _newer(head, candidate, candidate.cause)
    if _rereads(candidate):
        return _replayed(head, candidate)
    return _compared(head, candidate)


def needs_versions(head: Head, candidate: Candidate) -> bool:
    """Whether ``decide`` must see the stored versions in ``head.earlier``; so it must for several records of one licence.

    Where it need not, it decides the same with and without them: how records are cut into batches changes nothing.
    """
    current = head.current
    if candidate.ruling == "take-new":
        return False
    if _rereads(candidate) and not _level(current, candidate):
        return True
    if candidate.rank != current.rank:
        return candidate.rank < current.rank
    position = _position(current, candidate)
    return position < 0 or (position == 0 and candidate.ties == "arrival" and not _equal(current, candidate))


def advanced(head: Head | None, candidate: Candidate, decision: Decision) -> Head | None:
    """The head after ``decision``: folds a batch of records of one licence in memory."""
    if head is None:
        return _first(candidate, decision) if decision.store else None
    if decision.advance:
        moved = msgspec.structs.replace(
            filed(candidate, head.current.version_no), rank=max(head.current.rank, candidate.rank)
        )
        return msgspec.structs.replace(head, current=moved)
    if not decision.store:
        return head
    version = filed(candidate, head.versions + 1)
    current = version if decision.current else head.current
    if current.rank < head.current.rank:  # a person took it: the standing reached stays
        current = msgspec.structs.replace(current, rank=head.current.rank)
    grown = msgspec.structs.replace(
        head, current=current, versions=version.version_no, earlier=(*head.earlier, version)
    )
    return _in_status(grown, candidate, decision)


def _first(candidate: Candidate, decision: Decision) -> Head:
    version = filed(candidate, 1)
    head = Head(current=version, versions=1, status=Status.VALID, earlier=(version,))
    return _in_status(head, candidate, decision)


def _in_status(head: Head, candidate: Candidate, decision: Decision) -> Head:
    """The head after the decision's status event; an expiry remembers what it covers."""
    if decision.status is None:
        return head
    if decision.status is not Status.EXPIRED or candidate.record is None:
        return msgspec.structs.replace(head, status=decision.status, beneath=Status.VALID, expired_on=None)
    return expired(head, candidate.record.valid_until)


def expired(head: Head, last_day: date | None) -> Head:
    """The head of a licence that was not expired, after its validity has ended."""
    return msgspec.structs.replace(head, status=Status.EXPIRED, beneath=head.status, expired_on=last_day)


def filed(candidate: Candidate, version_no: int) -> Filed:
    """The candidate as a stored version."""
    return Filed(
        version_no=version_no,
        rank=candidate.rank,
        source_order=candidate.source_order,
        stamp_us=candidate.stamp_us,
        source_digest=candidate.source_digest,
        content_digest=candidate.content_digest or b"",
        interface_revision=candidate.interface_revision,
        rule_revision=candidate.rule_revision,
    )


def _rereads(candidate: Candidate) -> bool:
    """Whether the record is another reading of one that was taken in before."""
    return candidate.cause.startswith(REPLAY) and not candidate.held_before


def _compared(head: Head, candidate: Candidate) -> Decision:
    current = head.current
    if candidate.rank < current.rank:
        return _outranked(head, candidate)
    if candidate.rank == current.rank:
        position = _position(current, candidate)
        if position < 0:
            return _late(head, candidate)
        if position == 0:
            return _tied(head, candidate)
    if candidate.content_digest == current.content_digest:
        return Decision(outcome=Outcome.REPEAT, advance=True, against=current.version_no)
    return _newer(head, candidate, candidate.cause)


def _position(known: Filed, candidate: Candidate) -> int:
    """-1, 0, 1: the candidate is before, level with or after the version, of two of equal rank."""
    if candidate.source_order:
        return _sign(candidate.source_order, known.source_order)
    if candidate.source_digest == known.source_digest and not known.source_order:
        return max(_sign(candidate.stamp_us, known.stamp_us), 0)
    return _sign((candidate.stamp_us, candidate.source_digest), (known.stamp_us, known.source_digest))


def _outranked(head: Head, candidate: Candidate) -> Decision:
    twin = _twin(head, candidate)
    same = twin is not None and twin.source_digest == candidate.source_digest
    if same or candidate.content_digest == head.current.content_digest:
        return Decision(
            outcome=Outcome.REPEAT, against=twin.version_no if same and twin else head.current.version_no
        )
    return Decision(outcome=Outcome.CONFLICT, against=head.current.version_no)


def _late(head: Head, candidate: Candidate) -> Decision:
    """Older than the current version: filed, never current; compared with the version of its own order if there is one."""
    twin = _twin(head, candidate)
    if twin is None:
        return Decision(outcome=Outcome.STALE, store=True, cause=candidate.cause)
    if _equal(twin, candidate):
        return Decision(outcome=Outcome.REPEAT, against=twin.version_no)
    if candidate.ties == "arrival":
        return Decision(outcome=Outcome.STALE, store=True, cause=candidate.cause)
    return Decision(outcome=Outcome.CONFLICT, against=twin.version_no)


def _tied(head: Head, candidate: Candidate) -> Decision:
    current = head.current
    if _equal(current, candidate):
        by_stamp = not candidate.source_order or candidate.ties == "arrival"
        later = by_stamp and candidate.stamp_us > current.stamp_us
        return Decision(outcome=Outcome.REPEAT, advance=later, against=current.version_no)
    if candidate.ties == "conflict":
        return Decision(outcome=Outcome.CONFLICT, against=current.version_no)
    if (candidate.stamp_us, candidate.source_digest) > (current.stamp_us, current.source_digest):
        return _newer(head, candidate, candidate.cause)
    return _late(head, candidate)


def _replayed(head: Head, candidate: Candidate) -> Decision:
    """The same input under other terms: a version of its own when the terms are newer and the content differs."""
    known = head.current if _level(head.current, candidate) else _twin(head, candidate)
    if known is None:
        return _compared(head, candidate)
    terms = (candidate.interface_revision, candidate.rule_revision)
    if candidate.content_digest == known.content_digest or terms <= (
        known.interface_revision,
        known.rule_revision,
    ):
        return Decision(outcome=Outcome.REPEAT, against=known.version_no)
    if known.version_no == head.current.version_no:
        return _newer(head, candidate, REINTERPRETED)
    return Decision(outcome=Outcome.STALE, store=True, cause=REINTERPRETED)


def _newer(head: Head, candidate: Candidate, cause: str) -> Decision:
    if not _renews(head, candidate):
        reported = _reported(candidate, head.status)
        return Decision(outcome=Outcome.NEWER, store=True, current=True, status=reported, cause=cause)
    worse = _reported(candidate, head.beneath)
    return Decision(
        outcome=Outcome.NEWER,
        store=True,
        current=True,
        status=worse or head.beneath,
        renewed=worse is None,
        cause=cause,
    )


def _renews(head: Head, candidate: Candidate) -> bool:
    """Whether an expiry ends: the version, not ended itself, states no end or one after that which has passed."""
    record = candidate.record
    if record is None or record.status.ended or candidate.ended is not None:
        return False
    if head.status is not Status.EXPIRED or head.expired_on is None:
        return False
    return record.valid_until is None or record.valid_until > head.expired_on


def _level(known: Filed, candidate: Candidate) -> bool:
    if known.source_order != candidate.source_order or known.rank != candidate.rank:
        return False
    by_stamp = not candidate.source_order or candidate.ties == "arrival"
    return known.stamp_us == candidate.stamp_us if by_stamp else True


def _twin(head: Head, candidate: Candidate) -> Filed | None:
    """The stored version at the candidate's own order; of several that of the same source, of the same stamp, the latest."""

    def likeness(version: Filed) -> tuple[bool, bool, int]:
        same_source = version.source_digest == candidate.source_digest
        return (same_source, version.stamp_us == candidate.stamp_us, version.version_no)

    found = [
        version
        for version in head.earlier
        if version.rank == candidate.rank
        and version.source_order == candidate.source_order
        and (candidate.source_order or version.stamp_us == candidate.stamp_us)
    ]
    return max(found, key=likeness, default=None)


def _equal(known: Filed, candidate: Candidate) -> bool:
    return known.source_digest == candidate.source_digest or known.content_digest == candidate.content_digest


def _reported(candidate: Candidate, status: Status) -> Status | None:
    """The status event a stored record brings: never a milder state than the licence is in."""
    stated = candidate.ended or (candidate.record.status if candidate.record else Status.VALID)
    return stated if stated is not status and _severity(stated) >= _severity(status) else None


def _severity(status: Status) -> int:
    if status is Status.VALID:
        return 0
    if not status.ended:
        return 1
    return 2 if status is Status.EXPIRED else 3


def _sign(left: _Ordered, right: _Ordered) -> int:
    return (left > right) - (left < right)
