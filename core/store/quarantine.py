"""Quarantine: records that wait for a person, and what the person decided (C4, C5). Nothing vanishes: cases are only ever closed.

By a person, or by a replay that stores the record (``core.store.replayed``).

An accepted record is committed again under a receipt of its own, made from the case's receipt, so that a decision repeated after
a crash has one effect. What lets the record go on is noted in the case first: from then on nothing else can be decided, since
nobody could tell whether the record is stored already.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Literal, get_args
from uuid import UUID

import msgspec
from sqlalchemy import Connection, func, select, update

from contracts.fault import Fault
from contracts.identity import receipt_id, uuid7_ms
from contracts.record import LicenceRecord, content_digest
from core.errors import NotFound, Refused
from core.identity import RESUBMISSION, Candidate
from core.keyring import Keyring
from core.store.documents import Documents, HeldCase
from core.store.engine import Database
from core.store.journal import pend
from core.store.leases import database_now_ms
from core.store.records import RecordStore, Result
from core.store.tables import licence_version, quarantine_case

CaseState = Literal["open", "claimed", "accepted", "resubmitted", "rejected", "replayed"]
Choice = Literal["accept", "take-new", "keep-current"]
Begun = Literal["", "accept", "take-new", "resubmit"]
CASE_STATES: tuple[CaseState, ...] = get_args(CaseState)
OPEN_STATES = ("open", "claimed")


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case as lists show it: rules, no values."""

    receipt: UUID
    interface: str
    kind: str
    """``quarantined`` or ``conflict``."""
    state: CaseState
    licence_id: UUID | None
    rules: tuple[str, ...]
    opened_ms: int
    claimed_by: str
    decided_by: str
    decided_ms: int | None
    reason: str
    resubmission: UUID | None
    """Receipt the record went on under; of a claimed case, that of a replay which the person who decides should know of."""
    begun: Begun
    """What was begun and has to be finished: of an open or claimed case, the only thing that can still be decided."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One field in which the held record differs from the stored version."""

    field: str
    """Canonical field path: ``valid_until``, ``holders.0.name``, ``items.KZ_XKNR``."""
    stored: Any
    submitted: Any


class CaseDetail(msgspec.Struct, frozen=True, kw_only=True):
    """All of a case, for the person who decides it."""

    case: CaseView
    record: LicenceRecord | None
    faults: tuple[Fault, ...]
    against: int
    """Version number a conflict is with; 0 otherwise."""
    differences: tuple[Difference, ...]
    source_order: str
    """Order the source declared; a corrected record keeps it."""


class QuarantineStore:
    """Cases by receipt of the held record."""

    def __init__(self, database: Database, keyring: Keyring, records: RecordStore) -> None:
        self._database = database
        self._keyring = keyring
        self._documents = Documents(keyring)
        self._records = records

    def page(
        self,
        *,
        interfaces: Sequence[str] | None = None,
        state: CaseState | None = None,
        kind: str = "",
        after: UUID | None = None,
        limit: int = 100,
    ) -> list[CaseView]:
        """Cases in order of receipt, from behind ``after``; ``interfaces`` limits a department to its own rows (None: all)."""
        table = quarantine_case.c
        tests = [
            table.interface.in_(interfaces) if interfaces is not None else None,
            table.state == state if state else None,
            table.kind == kind if kind else None,
            table.receipt > after if after else None,
        ]
        query = (
            select(*_VIEW)
            .where(*[test for test in tests if test is not None])
            .order_by(table.receipt)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_view(row) for row in connection.execute(query)]

    def get(self, receipt: UUID, interfaces: Sequence[str] | None = None) -> CaseDetail:
        """The case with record, faults and, for a conflict, differences; raises ``NotFound`` (for others' interfaces too)."""
        with self._database.read() as connection:
            case, held = self._read(connection, receipt)
            if interfaces is not None and case.interface not in interfaces:
                raise _unknown(receipt)
            stored = self._stored(connection, case, held)
        record = held.candidate.record
        differences = tuple(_differences(stored, record)) if stored and record else ()
        return CaseDetail(
            case=case,
            record=record,
            faults=held.candidate.faults,
            against=held.against,
            differences=differences,
            source_order=held.candidate.source_order,
        )

    def open_counts(self) -> dict[str, int]:
        """Open and claimed cases by interface."""
        table = quarantine_case.c
        query = (
            select(table.interface, func.count())
            .where(table.state.in_(OPEN_STATES))
            .group_by(table.interface)
        )
        with self._database.read() as connection:
            return {str(row[0]): int(row[1]) for row in connection.execute(query)}

    def replayed(self, interface: str, receipts: Collection[UUID]) -> int:
        """How many cases of the interface were closed by replays with these receipts."""
        table = quarantine_case.c
        query = select(table.resubmission).where(table.interface == interface, table.state == "replayed")
        with self._database.read() as connection:
            return sum(found in receipts for found in connection.execute(query).scalars())

    def claim(self, receipt: UUID, actor: str) -> CaseView:
        """Takes a case for ``actor``; a second claim by the same person changes nothing.

        Raises ``NotFound``, or ``Refused`` (409) when it is decided or another's.
        """
        with self._database.begin() as connection:
            return self._claim(connection, receipt, actor)[0]

    def decide(self, receipt: UUID, choice: Choice, actor: str, reason: str) -> Result | None:
        """Closes a case; returns what became of the record, or None for ``keep-current``.

        A quarantined record can be accepted as it is; of a conflict the new record is taken or the stored one kept. Raises
        ``NotFound``; ``Refused`` without a person or reason (422), for a choice the case does not have (409), or when the case is
        decided or claimed by another (409).
        """
        _named(actor, reason)
        with self._database.begin() as connection:
            case, held = self._claim(connection, receipt, actor)
            if choice not in _CHOICES[case.kind]:
                raise Refused(
                    "quarantine-choice",
                    f"a {case.kind} case cannot be decided by {choice}",
                    status=409,
                    summary_zh=f"{_KINDS_ZH[case.kind]}记录不能以 {choice} 处理",
                )
            if choice == "keep-current":
                self._close(connection, case, "rejected", actor, reason)
                return None
            accepted = self._accepted(held.candidate, choice)
            self._begin(connection, case, choice)
        (result,) = self._records.commit([accepted], [])
        self._finish(receipt, choice, "accepted", actor, reason, result.receipt)
        return result

    def reject(self, receipt: UUID, actor: str, reason: str) -> CaseView:
        """Closes a case without storing the record; raises as ``decide``."""
        _named(actor, reason)
        with self._database.begin() as connection:
            case, _ = self._claim(connection, receipt, actor)
            return self._close(connection, case, "rejected", actor, reason)

    def begin_resubmission(self, receipt: UUID, actor: str, reason: str) -> None:
        """Before a corrected record is sent: nothing else can be decided from now on; raises as ``decide``."""
        _named(actor, reason)
        with self._database.begin() as connection:
            case, _ = self._claim(connection, receipt, actor)
            self._begin(connection, case, "resubmit")

    def link_resubmission(
        self, receipt: UUID, resubmission: UUID, actor: str, reason: str = "corrected"
    ) -> CaseView:
        """Closes a case because a corrected record was sent under the receipt ``resubmission``; raises as ``decide``."""
        _named(actor, reason)
        return self._finish(receipt, "resubmit", "resubmitted", actor, reason, resubmission)

    def _accepted(self, candidate: Candidate, choice: Choice) -> Candidate:
        if candidate.record is None or candidate.licence_key is None or not candidate.number_key:
            raise Refused(
                "quarantine-incomplete",
                "the record has no licence number or type to store it under: correct and resubmit it",
                status=409,
                summary_zh="该记录缺少入库所需的证照编号或类型，请更正后重新提交",
            )
        name = f"decision:{candidate.receipt}"
        receipt = receipt_id(
            self._keyring.receipt_key, candidate.interface, name, 0, uuid7_ms(candidate.receipt)
        )
        return msgspec.structs.replace(
            candidate,
            receipt=receipt,
            cause=f"{RESUBMISSION}{candidate.receipt}",
            fixed=None,
            content_digest=candidate.content_digest or content_digest(candidate.record),
            ruling="take-new" if choice == "take-new" else "",
        )

    def _claim(self, connection: Connection, receipt: UUID, actor: str) -> tuple[CaseView, HeldCase]:
        case, held = self._read(connection, receipt, lock=True)
        if case.state not in OPEN_STATES or case.claimed_by not in {"", actor}:
            owner = case.decided_by or case.claimed_by
            raise Refused(
                "quarantine-taken",
                f"the case is {case.state} by {owner}",
                status=409,
                summary_zh=f"该记录已由 {owner} 处理（{case.state}）",
            )
        change = update(quarantine_case).where(quarantine_case.c.receipt == receipt)
        connection.execute(change.values(state="claimed", claimed_by=actor))
        return msgspec.structs.replace(case, state="claimed", claimed_by=actor), held

    @staticmethod
    def _begin(connection: Connection, case: CaseView, begun: Begun) -> None:
        _check_begun(case, begun)
        change = update(quarantine_case).where(quarantine_case.c.receipt == case.receipt)
        connection.execute(change.values(begun=begun))

    def _finish(
        self, receipt: UUID, begun: Begun, state: CaseState, actor: str, reason: str, resubmission: UUID
    ) -> CaseView:
        """Closes a case whose record has gone on."""
        with self._database.begin() as connection:
            case, _ = self._claim(connection, receipt, actor)
            return self._close(connection, case, state, actor, reason, begun=begun, resubmission=resubmission)

    @staticmethod
    def _close(
        connection: Connection,
        case: CaseView,
        state: CaseState,
        actor: str,
        reason: str,
        *,
        begun: Begun = "",
        resubmission: UUID | None = None,
    ) -> CaseView:
        _check_begun(case, begun)
        now_ms = database_now_ms(connection)
        decided = {"state": state, "decided_by": actor, "decided_ms": now_ms, "reason": reason}
        entry = {
            "receipt": str(case.receipt),
            "interface": case.interface,
            "state": state,
            "actor": actor,
            "reason": reason,
        }
        here = quarantine_case.c.receipt == case.receipt
        connection.execute(update(quarantine_case).where(here).values(**decided))
        if resubmission is not None:
            connection.execute(update(quarantine_case).where(here).values(resubmission=resubmission))
            entry["resubmission"] = str(resubmission)
        pend(connection, "quarantine.decided", str(case.receipt), entry, now_ms)
        return _view(connection.execute(select(*_VIEW).where(here)).one())

    def _read(
        self, connection: Connection, receipt: UUID, *, lock: bool = False
    ) -> tuple[CaseView, HeldCase]:
        query = select(*_VIEW, quarantine_case.c.document).where(quarantine_case.c.receipt == receipt)
        row = connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise _unknown(receipt)
        return _view(row), self._documents.open_case(bytes(row.document), receipt)

    def _stored(self, connection: Connection, case: CaseView, held: HeldCase) -> LicenceRecord | None:
        if case.licence_id is None or not held.against:
            return None
        version = licence_version.c
        query = select(version.document).where(
            version.licence_id == case.licence_id, version.version_no == held.against
        )
        document = bytes(connection.execute(query).scalar_one())
        return self._documents.open_record(document, case.licence_id, held.against)


_CHOICES: dict[str, tuple[Choice, ...]] = {
    "quarantined": ("accept",),
    "conflict": ("take-new", "keep-current"),
}
_KINDS_ZH = {"quarantined": "隔离", "conflict": "冲突"}
_VIEW = tuple(quarantine_case.c[name] for name in CaseView.__struct_fields__)


def _view(row: Any) -> CaseView:
    values = {name: row[index] for index, name in enumerate(CaseView.__struct_fields__)}
    values["rules"] = tuple(values["rules"].split(",")) if values["rules"] else ()
    return CaseView(**values)


def _differences(stored: LicenceRecord, submitted: LicenceRecord) -> Iterator[Difference]:
    before, after = dict(leaves(msgspec.to_builtins(stored))), dict(leaves(msgspec.to_builtins(submitted)))
    for field in sorted(before.keys() | after.keys()):
        if before.get(field) != after.get(field):
            yield Difference(field=field, stored=before.get(field), submitted=after.get(field))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of a record, as builtins, by canonical field path; a list of items is one leaf."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple) and path == "holders":
        for index, part in enumerate(value):
            yield from leaves(part, f"{path}.{index}")
    else:
        yield path, value


def _check_begun(case: CaseView, begun: Begun) -> None:
    """A case in which nothing was begun, or this."""
    if case.begun not in ("", begun):
        raise Refused(
            "quarantine-begun",
            f"{case.begun} was begun by {case.claimed_by} and may have stored the record: repeat it to finish it",
            status=409,
            summary_zh=f"{case.claimed_by} 已开始 {case.begun}，记录可能已入库：请重复该操作以完成处理",
        )


def _named(actor: str, reason: str) -> None:
    if not actor.strip() or not reason.strip():
        raise Refused(
            "quarantine-reason",
            "a decision needs a person and a reason",
            status=422,
            summary_zh="处理必须注明经办人和理由",
        )


def _unknown(receipt: UUID) -> NotFound:
    return NotFound(f"no quarantine case {receipt}", f"没有隔离记录 {receipt}")
