"""The receipt file beside a drop: what became of every record, without any value of it."""

from collections.abc import Iterator
from typing import Any

import orjson

from adapters.filedrop.reading import Taken, taken_of
from contracts.fault import Fault
from core.store.ledger import LedgerRow, LedgerStore
from core.store.submissions import Submission

_PAGE = 1000


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
