"""What the demonstration sends: the same for a seed, every case in it, and in the forms departments use."""

import io
from collections import Counter
from datetime import date
from random import Random

import openpyxl
import pytest

from licencehub.demo.generator import Sizes, Wave, waves
from licencehub.demo.writing import NO_CHARACTER, PUBLICITY_COLUMNS, SHEET_COLUMNS

TODAY = date(2026, 11, 23)
SMALL = Sizes(food=120, hygiene=80, road=150)


@pytest.fixture(scope="module")
def sent() -> tuple[Wave, Wave]:
    return waves(Random(5), TODAY, SMALL)


def test_a_seed_always_makes_the_same(sent: tuple[Wave, Wave]) -> None:
    again = waves(Random(5), TODAY, SMALL)
    assert [row for wave in again for row in wave.rows] == [row for wave in sent for row in wave.rows]
    assert waves(Random(6), TODAY, SMALL)[0].rows != sent[0].rows


def test_every_outcome_a_sender_can_cause_is_in_it(sent: tuple[Wave, Wave]) -> None:
    first = Counter(row.expected.outcome for row in sent[0].rows)
    second = Counter(row.expected.outcome for row in sent[1].rows)
    assert set(first) == {"new", "rejected", "quarantined", "history", "filtered", "refused"}
    assert set(second) == {"repeat", "newer", "stale", "conflict"}


def test_every_row_that_is_not_taken_as_it_is_has_its_rule(sent: tuple[Wave, Wave]) -> None:
    silent = {"new", "newer", "repeat", "stale", "conflict", "history"}
    for row in sent[0].rows + sent[1].rows:
        assert bool(row.expected.rule) is (row.expected.outcome not in silent), row.case


def test_the_second_wave_speaks_only_of_licences_that_the_first_made_and_of_each_once(
    sent: tuple[Wave, Wave],
) -> None:
    made = {row.facts.number for row in sent[0].rows if row.expected.outcome == "new"}
    told = [row.facts.number for row in sent[1].rows]
    assert set(told) <= made
    assert len(told) == len(set(told))


def test_the_nightly_file_is_gb18030_with_the_columns_of_the_format(sent: tuple[Wave, Wave]) -> None:
    file = sent[0].files[0]
    lines = file.content.split(b"\r\n")
    assert lines[0].decode("ascii").split(",") == list(PUBLICITY_COLUMNS)
    assert len(lines) == len(file.rows) + 2
    for row, line in zip(file.rows, lines[1:], strict=False):
        assert (NO_CHARACTER in line) is row.bad_bytes
        if not row.bad_bytes:
            assert row.facts.content in line.decode("gb18030")


def test_the_workbook_holds_dates_as_dates_and_its_furniture_below(sent: tuple[Wave, Wave]) -> None:
    file = sent[0].files[1]
    sheet = openpyxl.load_workbook(io.BytesIO(file.content)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == SHEET_COLUMNS
    assert len(rows) == 1 + len(file.rows) + file.skipped
    dates = [row[10] for row in rows[1 : 1 + len(file.rows)]]
    assert sum(hasattr(value, "year") for value in dates) == len(file.rows)


def test_the_drifted_file_has_another_header_and_the_copy_the_same_bytes(sent: tuple[Wave, Wave]) -> None:
    night, drifted, copy = sent[0].files[0], sent[0].files[2], sent[1].files[2]
    assert drifted.content.partition(b"\r\n")[0] != night.content.partition(b"\r\n")[0]
    assert copy.content == night.content
    assert copy.name != night.name
