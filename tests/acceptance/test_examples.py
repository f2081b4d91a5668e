"""The examples do what their expected.json says, through the real pipeline on the embedded stack."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.decoding import decode_json, decode_ndjson, draft_of
from contracts.chunk import Entry
from contracts.fault import Disposition, Fault
from contracts.identity import uuid7
from contracts.outcome import Outcome
from core.ports.intake import Lot
from core.service.registration import Registration
from core.service.styles import StyleRegistry
from core.store.ledger import LedgerRow
from core.store.submissions import Submission
from drop_material import DropHub

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[DropHub]:
    made = DropHub(tmp_path / "hub")
    yield made
    made.close()


def register(hub: DropHub, folder: str, *files: str) -> None:
    styles = StyleRegistry(hub.store, hub.folder / "styles")
    entries = Registration(hub.store.registry).apply(
        [EXAMPLES / folder / file for file in files], "test", styles
    )
    for entry in entries:
        if entry.kind == "interface":
            hub.store.registry.set_state("interface", entry.name, "enabled", "test")


def expected(folder: str) -> Any:
    return json.loads((EXAMPLES / folder / "expected.json").read_bytes())


def take(hub: DropHub, interface: str, path: Path) -> tuple[Submission, list[LedgerRow]]:
    with path.open("rb") as stream:
        taken = hub.intake.take(stream, path.name, hub.live(interface))
    assert (taken.verdict, taken.faults) == ("read", ())
    hub.work()
    rows = hub.store.ledger.page(submission=taken.submission.id, limit=1000, faults=True)
    return taken.submission, sorted(rows, key=lambda row: row.position)


def shown(faults: tuple[Fault, ...]) -> list[str]:
    return [f"{fault.rule} {fault.pointer}" for fault in faults]


def test_san_francisco_permits_end_as_expected(hub: DropHub) -> None:
    register(hub, "sf-food-permits", "interface.toml")
    wanted = expected("sf-food-permits")
    submission, rows = take(hub, wanted["interface"], EXAMPLES / "sf-food-permits" / wanted["file"])
    assert (submission.rows, submission.records) == (wanted["rows"], wanted["receipts"])
    assert Counter(row.outcome.value for row in rows) == wanted["outcomes"]
    assert Counter(fault.rule for row in rows for fault in row.faults) == wanted["findings"]


def test_the_expected_counts_of_san_francisco_follow_from_the_file_alone() -> None:
    """An oracle of its own over the same file: no code of the hub."""
    with (EXAMPLES / "sf-food-permits" / "permits.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    permits = {row["permit"]: row for row in rows if row["Status"] != "REQUESTED"}
    clock = date(2021, 12, 1)

    def day(text: str) -> date | None:
        return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").date() if text else None  # noqa: DTZ007  # a day

    def outcome(row: dict[str, str]) -> str:
        approved, expires = day(row["Approved"]), day(row["ExpirationDate"])
        if approved is None or expires is None or (approved - clock).days > 1:
            return "rejected"
        return "history" if row["Status"] == "EXPIRED" or expires < clock else "new"

    counted = Counter(outcome(row) for row in permits.values())
    counted["filtered"] = sum(row["Status"] == "REQUESTED" for row in rows)
    assert counted == expected("sf-food-permits")["outcomes"]
    assert len(permits) == 121


def test_rows_of_a_permit_become_its_locations(hub: DropHub) -> None:
    register(hub, "sf-food-permits", "interface.toml")
    _submission, rows = take(hub, "sf-food-permits", EXAMPLES / "sf-food-permits" / "permits.csv")
    assert sum(row.rows for row in rows if row.outcome is not Outcome.FILTERED) == 436
    stored = max((row for row in rows if row.outcome is Outcome.NEW), key=lambda row: row.rows)
    assert stored.licence_id is not None
    assert stored.version_no is not None
    record = hub.store.licences.record(stored.licence_id, stored.version_no)
    locations = record.items["KZ_LOCATIONS"]
    assert isinstance(locations, list)
    assert 1 < len(locations) <= stored.rows
    assert all(isinstance(place["latitude"], float) for place in locations if "latitude" in place)


@pytest.mark.parametrize("number", [0, 1])
def test_double_publicity_files_end_row_by_row_as_expected(hub: DropHub, number: int) -> None:
    register(hub, "double-publicity", "interfaces.toml")
    wanted = expected("double-publicity")[number]
    submission, rows = take(hub, wanted["interface"], EXAMPLES / "double-publicity" / wanted["file"])
    assert submission.detail["skips"] == wanted["rows_skipped"]
    assert [(row.outcome.value, shown(row.faults)) for row in rows] == [
        (record["outcome"], record.get("findings", [])) for record in wanted["records"]
    ]


def test_pushed_records_end_one_by_one_as_expected(hub: DropHub) -> None:
    register(hub, "rest-push", "interface.toml")
    single, batch = expected("rest-push")
    live = hub.live("fire-permits")
    lot = Lot("fire-permits", live.revision, "rest", live.declaration.collection)
    for wanted, decode in ((single, decode_json), (batch, decode_ndjson)):
        with (EXAMPLES / "rest-push" / wanted["file"]).open("rb") as stream:
            drafts = [draft_of(row, live.translator) for row in decode(stream, live.translator)]
        submission, found = uuid7(), []
        for draft in drafts:
            receipt = uuid7()
            if any(fault.disposition is Disposition.REJECT for fault in draft.faults):
                found.append(("refused", shown(draft.faults)))  # told at once, no receipt
                continue
            hub.sink.send(
                lot,
                Entry(
                    receipt=receipt,
                    submission=submission,
                    position=draft.position,
                    stamp_us=receipt.int >> 70,
                    record=draft.record,
                    faults=draft.faults,
                    filtered_by=draft.filtered_by,
                    source_order=draft.source_order,
                    source_digest=draft.source_digest,
                    raw=draft.raw,
                ),
            )
            hub.sink.flush()
            hub.work()
            row = hub.store.ledger.entry(receipt)
            found.append((row.outcome.value, shown(row.faults)))
        assert found == [(record["outcome"], record.get("findings", [])) for record in wanted["records"]]
