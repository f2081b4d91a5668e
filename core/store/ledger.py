"""The ledger: exactly one outcome per receipt, and the way from it back to what was received."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import BindParameter, Connection, Integer, bindparam, func, select, tuple_

from contracts.fault import Fault
from contracts.identity import uuid7
from contracts.outcome import Outcome
from contracts.record import Collection
from core.errors import NotFound
from core.identity import RESUBMISSION
from core.keyring import Keyring
from core.store.columns import Id
from core.store.documents import Documents
from core.store.engine import Database
from core.store.tables import ledger, raw_frame


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one receipt."""

    receipt: UUID
    interface: str
    interface_revision: int
    submission: UUID
    position: int
    """0-based record or row number within the submission; the department's receipt file counts its ``row`` from 1."""
    rows: int
    collection: Collection
    outcome: Outcome
    licence_id: UUID | None
    version_no: int | None
    rules: tuple[str, ...]
    """Codes of the rules that found something; for a filtered record the filter's name."""
    cause: str
    framed: bool
    """The raw record is in the store; otherwise it is in the submission's archived file, at ``position``."""
    stamp_us: int
    decided_ms: int
    faults: tuple[Fault, ...] = ()
    """Only from ``entry`` and ``page(faults=True)``."""


class LedgerStore:
    """Reading the ledger; ``RecordStore.commit`` writes it."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._documents = Documents(keyring)

    def outcomes(self, receipts: Sequence[UUID]) -> dict[UUID, LedgerRow]:
        """Rows of those receipts that have an outcome; the others are pending or unknown."""
        found: dict[UUID, LedgerRow] = {}
        with self._database.read() as connection:
            for start in range(0, len(receipts), _CHUNK):
                query = select(ledger).where(ledger.c.receipt.in_(receipts[start : start + _CHUNK]))
                found.update({row.receipt: self._row(row) for row in connection.execute(query)})
        return found

    def entry(self, receipt: UUID) -> LedgerRow:
        """The row with its faults; raises ``NotFound`` while the receipt is pending."""
        with self._database.read() as connection:
            row = connection.execute(select(ledger).where(ledger.c.receipt == receipt)).first()
        if row is None:
            raise NotFound(f"the ledger has no outcome for {receipt}", f"台账中没有回执 {receipt} 的结果")
        return self._row(row, faults=True)

    def page(
        self,
        *,
        interface: str = "",
        outcome: Outcome | None = None,
        submission: UUID | None = None,
        since_ms: int | None = None,
        after: UUID | None = None,
        limit: int = 100,
        faults: bool = False,
    ) -> list[LedgerRow]:
        """Rows from behind the receipt ``after``, in order of receipt: that of intake, and in it of the rows of a file.

        Of one submission in order of position: a record that was replayed stands beside its first reading. Raises ``NotFound``
        when ``after`` is no receipt of the submission.
        """
        table = ledger.c
        place = (table.position, table.receipt) if submission else (table.receipt,)
        query = select(ledger).order_by(*place).limit(limit)
        tests = [
            table.interface == interface if interface else None,
            table.outcome == outcome.value if outcome else None,
            table.submission == submission if submission else None,
            table.receipt >= _lowest(since_ms) if since_ms is not None else None,
            table.receipt > after if after and not submission else None,
        ]
        with self._database.read() as connection:
            if after and submission:
                tests.append(tuple_(*place) > tuple_(*_place_of(connection, submission, after)))
            rows = connection.execute(query.where(*[test for test in tests if test is not None]))
            return [self._row(row, faults=faults) for row in rows]

    def totals(
        self, *, submission: UUID | None = None, interface: str = "", since_ms: int | None = None
    ) -> dict[Outcome, int]:
        """Records by outcome."""
        table = ledger.c
        query = select(table.outcome, func.count()).group_by(table.outcome)
        if submission is not None:
            query = query.where(table.submission == submission)
        if interface:
            query = query.where(table.interface == interface)
        if since_ms is not None:
            query = query.where(table.receipt >= _lowest(since_ms))
        with self._database.read() as connection:
            return {Outcome(row[0]): int(row[1]) for row in connection.execute(query)}

    def last_receipt(self, interface: str) -> UUID | None:
        """The interface's latest receipt (its time is the intake's), or None."""
        table = ledger.c
        query = (
            select(table.receipt).where(table.interface == interface).order_by(table.receipt.desc()).limit(1)
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none()

    def raw_of(self, receipt: UUID) -> bytes:
        """The record as received; for one a person accepted, as its original was.

        Raises ``NotFound`` for an unknown receipt and for a row of a dropped file (``LedgerRow.framed``).
        """
        table = ledger.c
        place = select(table.raw_frame, table.raw_index, table.cause)
        with self._database.read() as connection:
            row = connection.execute(place.where(table.receipt == receipt)).first()
            if row is not None and row.raw_frame is None and row.cause.startswith(RESUBMISSION):
                original = UUID(row.cause.removeprefix(RESUBMISSION))
                row = connection.execute(place.where(table.receipt == original)).first()
            if row is None or row.raw_frame is None:
                raise NotFound(
                    f"the store has no raw record for {receipt}", f"库中没有回执 {receipt} 的原始数据"
                )
            sealed = connection.execute(
                select(raw_frame.c.frame).where(raw_frame.c.id == row.raw_frame)
            ).scalar_one()
        frame = self._documents.open_frame(bytes(sealed), row.raw_frame)
        return frame[int(row.raw_index)]

    def _row(self, row: Any, *, faults: bool = False) -> LedgerRow:
        sealed = bytes(row.faults) if faults and row.faults is not None else None
        return LedgerRow(
            receipt=row.receipt,
            interface=row.interface,
            interface_revision=row.interface_revision,
            submission=row.submission,
            position=row.position,
            rows=row.rows,
            collection=Collection(row.collection),
            outcome=Outcome(row.outcome),
            licence_id=row.licence_id,
            version_no=row.version_no,
            rules=tuple(row.rules.split(",")) if row.rules else (),
            cause=row.cause,
            framed=row.raw_frame is not None,
            stamp_us=row.stamp_us,
            decided_ms=row.decided_ms,
            faults=self._documents.open_faults(sealed, row.receipt),
        )


_CHUNK = 1000


def _place_of(connection: Connection, submission: UUID, receipt: UUID) -> tuple[BindParameter[Any], ...]:
    """Position and receipt, as a page of the submission begins behind them."""
    table = ledger.c
    found = select(table.position).where(table.receipt == receipt, table.submission == submission)
    position = connection.execute(found).scalar_one_or_none()
    if position is None:
        raise NotFound(
            f"submission {submission} has no receipt {receipt}", f"提交 {submission} 中没有回执 {receipt}"
        )
    return bindparam(None, position, Integer), bindparam(None, receipt, Id)


def _lowest(at_ms: int) -> UUID:
    """The smallest UUIDv7 of a moment."""
    return uuid7(at_ms, bytes(10))
