"""The generator and the hub's own code were written apart: what the one expects, the other finds, without a store."""

import io
from collections.abc import Iterator
from datetime import date
from importlib.resources import as_file, files
from random import Random
from typing import Any

import msgspec
import pytest

from adapters.decoding import decode, drafts
from contracts.fault import Disposition, Fault, worst
from contracts.interface import Interface
from contracts.licence_type import LicenceType
from contracts.mapping import Translator, compile_interface
from core.cleaning import compile_rules
from core.ports.intake import Draft
from core.service.registration import read_declarations
from licencehub.demo.facts import Row
from licencehub.demo.generator import DroppedFile, Sizes, waves

TODAY = date(2026, 11, 23)
SIZES = Sizes(food=200, hygiene=100, road=150)


@pytest.fixture(scope="module")
def declared() -> dict[str, tuple[Translator, LicenceType]]:
    with as_file(files("licencehub.demo").joinpath("interfaces")) as folder:
        found: list[Any] = [one for file in sorted(folder.glob("*.toml")) for one in read_declarations(file)]
    types = {
        one.name: msgspec.convert(one.content, LicenceType) for one in found if one.kind == "licence-type"
    }
    interfaces = [msgspec.convert(one.content, Interface) for one in found if one.kind == "interface"]
    return {one.name: (compile_interface(one), types[one.licence_type]) for one in interfaces}


def _drafts(file: DroppedFile, translator: Translator) -> Iterator[Draft]:
    return drafts(decode(io.BytesIO(file.content), translator), translator)


def _found(draft: Draft, licence_type: LicenceType) -> tuple[str, set[str]]:
    """What becomes of a draft before anything is known of earlier versions."""
    if draft.filtered_by:
        return "filtered", {draft.filtered_by}
    faults: tuple[Fault, ...] = draft.faults
    ended = None
    if draft.record is not None:
        verdict = compile_rules(licence_type).clean(draft.record, today=TODAY)
        faults, ended = (*faults, *verdict.faults), verdict.ended
    worse = {Disposition.REJECT: "rejected", Disposition.QUARANTINE: "quarantined"}
    outcome = worse.get(worst(faults) or Disposition.WARN, "history" if ended else "new")
    return outcome, {fault.rule for fault in faults}


@pytest.mark.parametrize("index", [0, 1])
def test_every_row_of_a_first_file_comes_out_as_the_generator_says(
    declared: dict[str, tuple[Translator, LicenceType]], index: int
) -> None:
    file = waves(Random(11), TODAY, SIZES)[0].files[index]
    translator, licence_type = declared[file.interface]
    found = list(_drafts(file, translator))
    assert len(found) == len(file.rows)
    for row, draft in zip(file.rows, found, strict=True):
        assert _found(draft, licence_type) == _expected(row), row.case


def test_every_pushed_record_comes_out_as_the_generator_says(
    declared: dict[str, tuple[Translator, LicenceType]],
) -> None:
    bodies = waves(Random(12), TODAY, SIZES)[0].bodies
    translator, licence_type = declared["road-qualifications"]
    for body in bodies:
        for row, line in zip(body.rows, body.text.split("\n"), strict=True):
            made = translator.translate(msgspec.json.decode(line))
            draft = Draft(position=0, record=made.record, faults=made.faults, filtered_by=made.filtered_by)
            outcome, rules = _expected(row)
            assert _found(draft, licence_type) == (outcome.replace("refused", "rejected"), rules), row.case


def _expected(row: Row) -> tuple[str, set[str]]:
    return row.expected.outcome, {row.expected.rule} - {""}
