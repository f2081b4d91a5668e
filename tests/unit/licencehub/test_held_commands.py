"""Held records on the command line: what came in is shown, and a record can be made of it."""

import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from click.testing import CliRunner, Result

from contracts.outcome import Outcome
from core.config import load_config
from core.errors import ConfigError
from drop_material import TYPE, permits, table
from licencehub.__main__ import cli
from licencehub.app import Hub
from record_material import taken_in

STATES = {"status": {"source": "state", "codes": {"ok": "valid"}, "required": True}}
FIELDS = permits()["fields"] | STATES
HEADER = "number,title,holder,issued,state\n"
STORABLE = {"quarantine_faults": ["xlsx.cell-error", "csv.ragged-row"]}


def declared(name: str, **changes: Any) -> dict[str, Any]:
    return permits(name=name, drop={"folder": f"drop/{name}"}, fields=FIELDS, **changes)


def run(config: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["-c", str(config), *map(str, arguments)])


def case_of(config: Path, name: str) -> Any:
    (case,) = json.loads(run(config, "quarantine", "list", "--interface", name, "--json").stdout)
    return json.loads(run(config, "quarantine", "show", case["receipt"], "--json").stdout)


def resubmitted(config: Path, receipt: str, record: Any, folder: Path) -> Result:
    file = folder / "record.json"
    file.write_text(record if isinstance(record, str) else json.dumps(record))
    return run(config, "quarantine", "resubmit", receipt, "-f", file, "--reason", "asked by telephone")


def test_a_row_of_unknown_state_is_shown_as_it_came_and_mended_from_the_skeleton(
    config: Path, tmp_path: Path
) -> None:
    taken_in(config, declared("states"), f"{HEADER}N-1,许可证,王海,2024-01-02,perhaps\n".encode())
    case = case_of(config, "states")
    came = {"number": "N-1", "title": "许可证", "holder": "王海", "issued": "2024-01-02", "state": "perhaps"}
    assert (case["record"], case["received"]) == (None, [came])
    skeleton = case["skeleton"]
    assert (skeleton["licence_number"], skeleton["issued_on"], skeleton["status"]) == (
        "N-1",
        "2024-01-02",
        None,
    )
    receipt = case["case"]["receipt"]
    text = run(config, "quarantine", "show", receipt).stdout
    assert "perhaps" in text
    assert "王海" in text
    refused = resubmitted(config, receipt, skeleton, tmp_path).exception
    assert isinstance(refused, ConfigError)
    assert "/status: null marks a field" in refused.summary
    assert "/status: null 表示该字段尚待填写" in refused.summary_zh
    assert resubmitted(config, receipt, {**skeleton, "status": "valid"}, tmp_path).exit_code == 0
    with Hub(load_config(config)) as hub:
        assert hub.store.quarantine.get(UUID(receipt)).case.state == "resubmitted"


def test_a_row_with_a_cell_error_shows_its_cells_and_leaves_that_field_to_be_filled_in(config: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(HEADER.strip().split(","))
    sheet.append(["N-2", "#N/A", "某公司", "2024-01-02", "ok"])
    content = io.BytesIO()
    workbook.save(content)
    wanted = declared("cells", source={"format": "xlsx"}, **STORABLE)
    taken_in(config, wanted, content.getvalue())
    case = case_of(config, "cells")
    assert (case["record"], case["received"][0]["title"]) == (None, "#N/A")
    assert case["skeleton"]["licence_name"] is None
    assert case["skeleton"]["licence_number"] == "N-2"


def test_a_row_that_cannot_be_cut_is_shown_as_one_text_and_every_field_is_to_be_filled_in(
    config: Path,
) -> None:
    taken_in(config, declared("ragged", **STORABLE), f"{HEADER}N-3,许可证\n".encode())
    case = case_of(config, "ragged")
    assert case["received"] == [{"": "N-3,许可证"}]
    left = {name for name, value in case["skeleton"].items() if value is None}
    assert left == {"licence_number", "licence_name", "issued_on", "status"}
    assert case["skeleton"]["holders"] == [{"name": None}]


def test_rows_gathered_into_a_record_are_all_shown(config: Path) -> None:
    group = {"by": ["number"], "item": "KZ_L", "fields": {"at": {"source": "title"}}}
    fields = {name: spec for name, spec in FIELDS.items() if name != "licence_name"}
    wanted = declared("rows") | {"fields": fields, "group": group}
    lines = "N-4,a,甲,2024-01-02,?\nN-5,x,乙,2024-01-02,ok\nN-4,b,甲,2024-01-02,?\n"
    taken_in(config, wanted, (HEADER + lines).encode())
    case = case_of(config, "rows")
    assert [row["title"] for row in case["received"]] == ["a", "b"]
    assert case["skeleton"]["items"] == {"KZ_L": [{"at": "a"}, {"at": "b"}]}
    assert case["skeleton"]["status"] is None


def test_a_held_record_is_shown_field_by_field(config: Path) -> None:
    many = declared("several", quarantine_faults=["date.does-not-exist"])
    taken_in(config, many, f"{HEADER}N-6,许可证,某公司,2024-02-31,ok\n".encode())
    receipt = case_of(config, "several")["case"]["receipt"]
    shown = [line.split("│") for line in run(config, "quarantine", "show", receipt).stdout.splitlines()]
    rows = {cells[1].strip(): cells[2].strip() for cells in shown if len(cells) == 4}
    assert rows["licence_number"] == "N-6"
    assert rows["holders.0.name"] == "某公司"


@pytest.mark.parametrize("harm", ["gone", "altered"])
def test_a_case_whose_file_is_harmed_is_shown_and_says_so(config: Path, harm: str) -> None:
    taken_in(config, declared(harm), f"{HEADER}N-7,许可证,某公司,2024-01-02,?\n".encode())
    (kept,) = (config.parent / f"data/ingest/{harm}/archive").iterdir()
    content = kept.read_bytes()
    kept.unlink()
    if harm == "altered":
        kept.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    case = case_of(config, harm)
    assert case["received"] is None
    assert set(case["received_missing"]) == {"en", "zh-CN"}
    text = run(config, "quarantine", "show", case["case"]["receipt"]).stdout
    assert f"what came in cannot be shown: {case['received_missing']['en']}" in text
    assert case["received_missing"]["zh-CN"] in text


@pytest.mark.parametrize(
    ("record", "places"),
    [
        (
            {"licence_type": 5, "issued_on": "yesterday", "holder": []},
            ["/licence_type", "/issued_on", "/holder"],
        ),
        ({"status": "asleep", "holders": [{"name": None}]}, ["/status", "/holders/0/name", "/licence_type"]),
        ('{"licence_type": ', ["/"]),
        ("[]", ["/"]),
    ],
)
def test_faults_of_a_corrected_record_are_all_told_with_their_places_in_both_languages(
    config: Path, tmp_path: Path, record: Any, places: list[str]
) -> None:
    refused = resubmitted(config, str(UUID(int=7)), record, tmp_path).exception
    assert isinstance(refused, ConfigError)
    assert sorted(fault.pointer or "/" for fault in refused.faults) == sorted(places)
    assert all(fault.message_zh != fault.message for fault in refused.faults)
    assert len(refused.summary_zh.splitlines()) == len(places)


def test_a_replay_names_and_counts_what_is_gone_and_ends_with_exit_code_1(config: Path) -> None:
    wanted = permits(name="lost", drop={"folder": "drop/lost"})
    first = taken_in(config, wanted, table("L-1", "L-2"))
    taken_in(config, wanted, table("L-3"), file="second.csv")
    (kept,) = (config.parent / "data/ingest/lost/archive").glob(f"{first}*")
    kept.unlink()
    asked = ("replay", "--interface", "lost", "--since", "2020-01-01", "--preview")
    result = run(config, *asked, "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["outcomes"] == {Outcome.REPEAT.value: 1}
    assert told["gone"] == [{"submission": str(first), "file": "a.csv", "records": 2}]
    text = run(config, *asked)
    assert text.exit_code == 1
    assert str(first) in text.stdout


def test_the_ledger_shows_the_row_of_the_receipt_file_and_the_value_of_a_finding(config: Path) -> None:
    lines = "N-8,许可证,某公司,2024-01-02,ok\nN-9,许可证,某公司,2024-01-02,sleepy\n"
    taken_in(config, declared("told"), (HEADER + lines).encode())
    receipt = case_of(config, "told")["case"]["receipt"]
    one = run(config, "ledger", "--receipt", receipt)
    (row,) = [line for line in one.stdout.splitlines() if receipt in line]
    written = json.loads((config.parent / "data/ingest/told/a.csv.receipt.json").read_bytes())
    (entry,) = [entry for entry in written["records"] if entry["receipt"] == receipt]
    assert row.split("│")[3].strip() == str(entry["row"]) == "2"
    assert "mapping.unknown-code at /state 'sleepy': " in one.stdout


def test_a_licence_is_shown_with_its_face_items_in_plain_words(config: Path) -> None:
    items = {"KZ_A": {"label": {"en": "A"}}, "KZ_SECRET": {"label": {"en": "S"}, "personal": True}}
    fields = permits()["fields"] | {
        "items.KZ_A": {"source": "title"},
        "items.KZ_SECRET": {"constant": "110101199003070000"},
    }
    taken_in(config, permits(name="items", drop={"folder": "drop/items"}, fields=fields), table("I-1"), items)
    with Hub(load_config(config)) as hub:
        (row,) = hub.store.ledger.page(interface="items")
    shown = json.loads(run(config, "licence", "show", str(row.licence_id), "--json").stdout)
    assert shown["items"] == {"KZ_A": "许可证", "KZ_SECRET": "**************0000"}
    lines = [
        line.split("│") for line in run(config, "licence", "show", str(row.licence_id)).stdout.splitlines()
    ]
    told = {cells[1].strip(): cells[2].strip() for cells in lines if len(cells) == 4}
    assert told["items.KZ_A"] == "许可证"
    assert told["holders.0.name"] == "某公司"
    assert told["long_term"] == "no 否"
    assert told["licence_type"] == TYPE
