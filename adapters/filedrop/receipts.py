"""The receipt file beside a drop: what became of every record, without any value of it."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from adapters.filedrop.folder import PENDING, RECEIPT_SUFFIX, shortened
from adapters.filedrop.locks import alone, open_locked
from adapters.filedrop.reading import Taken, taken_of
from contracts.fault import Fault
from core.store.ledger import LedgerRow, LedgerStore
from core.store.submissions import Submission

_PAGE = 1000
_HEAD_BYTES = 4096
"""In these the submission stands, behind the longest name of a file."""
_SUBMISSION = re.compile(rb'"submission": "([0-9a-f-]{36})"')


class ReceiptFiles:
    """The receipt files of one drop folder, and which are still to be written."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._pending = folder, folder / PENDING

    def owe(self, submission: UUID) -> None:
        """Notes that a submission's receipt file is still to be written."""
        (self._pending / str(submission)).touch()

    def owed(self) -> list[UUID]:
        """Submissions whose receipt file is still to be written."""
        names = (place.name for place in self._pending.iterdir())
        return [submission for name in names if (submission := _uuid(name))]

    @contextmanager
    def turn(self, submission: UUID) -> Iterator[bool]:
        """Whether the receipt file is owed and this process alone may write it, until the end of the context."""
        owed = open_locked(self._pending / str(submission))
        with owed or nullcontext():
            yield owed is not None

    def write(self, origin: str, submission: UUID, chunks: Iterator[bytes]) -> None:
        """Puts a receipt file beside the drop, whole or not at all; that of a newer submission of the same name stays."""
        temporary = self._pending / f".{submission}.tmp"
        with temporary.open("wb") as out:
            for chunk in chunks:
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        receipt = self._folder / (shortened(origin) + RECEIPT_SUFFIX)
        with alone(self._pending):  # between look and replacement no other process puts a newer one there
            if _told_by(receipt) <= str(submission):
                temporary.replace(receipt)
            else:
                temporary.unlink()

    def written(self, submission: UUID) -> None:
        """The receipt file is there."""
        (self._pending / str(submission)).unlink(missing_ok=True)


def is_complete(submission: Submission, ledger: LedgerStore) -> bool:
    """Whether the ledger has an outcome for every receipt of the submission."""
    return sum(ledger.totals(submission=submission.id).values()) >= submission.records


def receipt_document(submission: Submission, ledger: LedgerStore) -> Iterator[bytes]:
    """The JSON document in pieces; constant memory."""
    taken = taken_of(submission)
    head = orjson.dumps(_summary(taken, ledger), option=orjson.OPT_INDENT_2)
    yield head.rstrip()[:-1].rstrip() + b',\n  "records": ['
    separator = b"\n    "
    for row in _rows(submission, ledger):
        yield separator + orjson.dumps(_record(row))
        separator = b",\n    "
    yield b"\n  ]\n}\n"


def _told_by(receipt: Path) -> str:
    """The submission that a receipt file tells of; empty when there is none. As text, too, ids are in the order of their time."""
    stream = open_locked(receipt)
    if stream is None:
        return ""
    with stream:
        found = _SUBMISSION.search(stream.read(_HEAD_BYTES))
    return found[1].decode() if found else ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _summary(taken: Taken, ledger: LedgerStore) -> dict[str, Any]:
    submission = taken.submission
    totals = ledger.totals(submission=submission.id)
    return {
        "file": submission.origin,
        "interface": submission.interface,
        "submission": str(submission.id),
        "verdict": taken.verdict,
        "duplicate_of": submission.detail.get("duplicate_of"),
        "received_ms": submission.received_ms,
        "finished_ms": submission.finished_ms,
        "sha256": submission.digest.hex(),
        "size_bytes": submission.size_bytes,
        "encoding": submission.detail.get("encoding", ""),
        "rows": submission.rows,
        "rows_skipped": submission.detail.get("skips", {}),
        "receipts": submission.records,
        "outcomes": {outcome.value: count for outcome, count in sorted(totals.items())},
        "findings": [_finding(fault) for fault in taken.faults],
    }


def _rows(submission: Submission, ledger: LedgerStore) -> Iterator[LedgerRow]:
    after = None
    while page := ledger.page(submission=submission.id, after=after, limit=_PAGE, faults=True):
        yield from page
        after = page[-1].receipt


def _record(row: LedgerRow) -> dict[str, Any]:
    """What became of one record; its ``row`` counts from 1, as people do, the ledger's ``position`` from 0."""
    record: dict[str, Any] = {
        "row": row.position + 1,
        "rows": row.rows,
        "receipt": str(row.receipt),
        "outcome": row.outcome.value,
    }
    if row.faults:
        record["findings"] = [_finding(fault) for fault in row.faults]
    elif row.rules:
        record["rules"] = list(row.rules)
    return record


def _finding(fault: Fault) -> dict[str, Any]:
    """The finding without the value seen, which may be personal."""
    shown = fault.as_dict()
    del shown["value"]
    return shown
