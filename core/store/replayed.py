"""Quarantine cases that a replay settles, within the transaction that commits the replay.

A case follows its record: stored by a replay, or a repeat of what is stored, it is closed as ``replayed`` under the new receipt;
held again, it gives way to the new case. A case that a person has claimed stays theirs and only learns the new receipt. That a
record is stored settles no conflict: two sources contradict each other there, and a person says which is right.
"""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from sqlalchemy import Connection, update

from contracts.outcome import Outcome
from core.identity import REPLAY, Candidate
from core.store.bulk import as_uuid, rows_within
from core.store.tables import quarantine_case
from core.store.writing import Writing

REPLAYED = "replayed"
ACTOR = "replay"

_LOCK = "SELECT receipt, interface, kind, state, resubmission FROM quarantine_case WHERE receipt {within}"
_STORED = (REPLAYED, "accepted")
"""States that a case has when its record was stored after all, where no case follows it."""


class _Case(msgspec.Struct):
    receipt: UUID
    interface: str
    kind: str
    state: str
    next: UUID | None
    """Receipt the record went on under."""
    changed: bool = False


class ReplayedCases:
    """The cases of the records that a batch replays."""

    def __init__(self, connection: Connection, writing: Writing) -> None:
        self._connection, self._writing = connection, writing
        self._cases: dict[UUID, _Case] = {}

    def lock(self, batch: Iterable[Candidate]) -> None:
        """Reads the cases of the records that the batch replays, and those that followed them, and locks them."""
        receipts = {original for one in batch if (original := _original(one)) is not None}
        while receipts:
            rows = rows_within(
                self._connection, _LOCK, "uuid", sorted(receipts), " ORDER BY receipt FOR UPDATE"
            )
            receipts = set()
            for receipt, interface, kind, state, following in rows:
                case = _Case(_known(receipt), interface, kind, state, as_uuid(following))
                self._cases[case.receipt] = case
                if state == REPLAYED and case.next is not None and case.next not in self._cases:
                    receipts.add(case.next)

    def marked(self, candidate: Candidate) -> Candidate:
        """The candidate, a replay of a record that was never stored marked as such."""
        case = self._case_of(candidate)
        if case is None or case.state in _STORED:
            return candidate
        return msgspec.structs.replace(candidate, held_before=True)

    def settle(self, candidate: Candidate, outcome: Outcome) -> UUID | None:
        """Lets the case follow its record; the receipt of the case that this closes, if any."""
        case = self._case_of(candidate)
        if outcome.held:
            self._cases[candidate.receipt] = _Case(
                candidate.receipt, candidate.interface, outcome.value, "open", None
            )
        settled = outcome.held or (
            outcome.stored and case is not None and case.kind == Outcome.QUARANTINED.value
        )
        if case is None or not settled or case.state not in ("open", "claimed"):
            return None
        closes = case.state == "open"
        case.next, case.changed = candidate.receipt, True
        if closes:
            case.state = REPLAYED
            self._writing.decided(case.receipt, case.interface, REPLAYED, ACTOR, candidate.receipt)
        return case.receipt if closes else None

    def flush(self) -> None:
        """Writes what changed; after the batch's own rows, among which a case may be."""
        for receipt in sorted(self._cases):
            case = self._cases[receipt]
            if not case.changed:
                continue
            values: dict[str, object] = {"resubmission": case.next}
            if case.state == REPLAYED:
                decided_ms = self._writing.now_ms
                values |= {
                    "state": REPLAYED,
                    "decided_by": ACTOR,
                    "decided_ms": decided_ms,
                    "reason": REPLAYED,
                }
            change = update(quarantine_case).where(quarantine_case.c.receipt == receipt)
            self._connection.execute(change.values(**values))

    def _case_of(self, candidate: Candidate) -> _Case | None:
        """The case that the record of a replay is in now: the last of those that followed each other."""
        original = _original(candidate)
        case = self._cases.get(original) if original is not None else None
        while case is not None and case.state == REPLAYED and case.next in self._cases:
            case = self._cases[case.next]
        return case


def _original(candidate: Candidate) -> UUID | None:
    if not candidate.cause.startswith(REPLAY):
        return None
    return UUID(candidate.cause.removeprefix(REPLAY))


def _known(receipt: UUID | bytes) -> UUID:
    found = as_uuid(receipt)
    assert found is not None  # noqa: S101  # primary key
    return found
