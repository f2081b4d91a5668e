"""Expected against seen, row by row: receipt files of dropped files, receipts of pushed records, answers at the door."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from licencehub.demo.door import Attempt
from licencehub.demo.facts import REFUSED, Expected
from licencehub.demo.generator import Body, DroppedFile

RECEIPT_SUFFIX = ".receipt.json"
Json = dict[str, Any]
Kind = Literal["row", "file", "door", "check"]
"""A record, a file as a whole, an attempt at the door, or a check at the end."""


@dataclass(frozen=True)
class Judged:
    """One row, or one attempt at the door: what had to come and what came."""

    where: str
    cause: str
    expected: Expected
    outcome: str
    rules: tuple[str, ...] = ()
    remedy: str = ""
    """What the hub tells the sender to do."""
    kind: Kind = "row"

    @property
    def right(self) -> bool:
        """The outcome is the expected one, and the expected rule, no other, is named."""
        return self.outcome == self.expected.outcome and set(self.rules) == {self.expected.rule} - {""}


def receipt_path(folder: Path, file: DroppedFile) -> Path:
    """Where the hub puts the receipt of a dropped file."""
    return folder / file.interface / (file.name + RECEIPT_SUFFIX)


def judge_file(file: DroppedFile, receipt: Json | None) -> Iterator[Judged]:
    """The file as a whole, then every row of it."""
    verdict = Expected(f"file {file.verdict}", " ".join(file.rules))
    if receipt is None:
        yield Judged(file.name, "whole file 整个文件", verdict, "no receipt file 无回执文件", kind="file")
        return
    findings = receipt["findings"]
    rules = " ".join(sorted(finding["rule"] for finding in findings))
    skipped = sum(receipt["rows_skipped"].values())
    outcome = f"file {receipt['verdict']}" + ("" if skipped == file.skipped else f", {skipped} rows skipped")
    remedy = _remedy(findings[0]) if findings else ""
    found = (rules,) if rules else ()
    yield Judged(file.name, "whole file 整个文件", verdict, outcome, found, remedy, kind="file")
    records = {record["row"]: record for record in receipt["records"]}
    for number, row in enumerate(file.rows, 1):
        yield _judged(f"{file.name}:{number}", row.case, row.expected, records.pop(number, None))
    for number in records:
        yield Judged(f"{file.name}:{number}", "-", Expected("no row"), records[number]["outcome"])


def judge_bodies(bodies: Sequence[Body], answers: dict[str, Json]) -> Iterator[Judged]:
    """Every record of every request."""
    for body in bodies:
        records = answers.get(body.id, {}).get("records", [])
        found = {record["index"]: record for record in records}
        for index, row in enumerate(body.rows):
            yield _judged(f"{body.id}:{index}", row.case, row.expected, found.get(index))


def judge_attempts(attempts: Sequence[Attempt], answers: dict[str, Json]) -> Iterator[Judged]:
    """Every attempt at the door: status and rule, and whether a repeat got the same receipt."""
    for attempt in attempts:
        answer = answers.get(attempt.id, {})
        twin = answers.get(attempt.same_receipt_as)
        outcome = _attempted(answer)
        if twin is not None and _receipt(twin) != _receipt(answer):
            outcome += ", another receipt"
        errors = answer.get("errors", [])
        wanted = f"{attempt.status} {attempt.outcome}".strip()
        yield Judged(
            f"door:{attempt.id}",
            attempt.cause,
            Expected(wanted, attempt.rule),
            outcome,
            (errors[0]["rule"],) if errors else (),
            errors[0]["remedy"] if errors else "",
            kind="door",
        )


def _judged(where: str, cause: str, expected: Expected, record: Json | None) -> Judged:
    if record is None:
        return Judged(where, cause, expected, "missing 缺失")
    findings = record.get("findings") or record.get("errors") or []
    rules = {finding["rule"] for finding in findings} | set(record.get("rules", ()))
    remedy = _remedy(findings[0]) if findings else ""
    return Judged(where, cause, expected, record.get("outcome", REFUSED), tuple(sorted(rules)), remedy)


def _attempted(answer: Json) -> str:
    outcomes = {record.get("outcome", "") for record in answer.get("records", [])} - {""}
    return f"{answer.get('status', 'no answer')} {' '.join(sorted(outcomes))}".strip()


def _receipt(answer: Json) -> str | None:
    records = answer.get("records", [])
    return records[0].get("receipt") if records else None


def _remedy(finding: Json) -> str:
    remedy = finding["remedy"]
    return str(remedy["en"] if isinstance(remedy, dict) else remedy)


def read_receipt(path: Path) -> Json | None:
    """A receipt file, when it is there."""
    return json.loads(path.read_text("utf-8")) if path.exists() else None
