"""Files of a record beside its fields: references that survive the raw record, and that no sender can write."""

from typing import Any

import msgspec
import orjson
import pytest

from contracts.interface import Interface
from contracts.mapping import NO_FILES, Files, Translator, attach, detach
from contracts.mapping.check import interface_faults
from contracts.record import Attachment, SourceClass, content_digest

PAGE = Attachment(digest="a" * 64, media_type="image/png", size_bytes=3, name="页1.png")
OTHER = Attachment(digest="b" * 64, media_type="image/png", size_bytes=3)
FIELDS = {"number": "P-1", "verifier": " 李四 "}


def translator(**changes: Any) -> Translator:
    declared = {
        "name": "scanned",
        "department": "D",
        "licence_type": "T",
        "source_class": "B",
        "fields": {"licence_number": {"source": "number"}, "verified_by": {"source": "verifier"}},
        "filters": [{"name": "drafts", "when": [{"field": "state", "value": "draft"}]}],
    }
    return Translator(msgspec.convert(declared | changes, Interface))


def test_files_and_their_verifier_become_part_of_the_record() -> None:
    made = translator().translate(FIELDS, Files(scans=(PAGE, OTHER)))
    assert made.record is not None
    assert (made.record.scans, made.record.original) == ((PAGE, OTHER), None)
    assert (made.record.verified_by, made.record.source_class) == ("李四", SourceClass.MATERIAL)
    library = translator(source_class="E").translate(FIELDS, Files(original=PAGE))
    assert library.record is not None
    assert library.record.original == PAGE


def test_bytes_and_order_of_files_count_in_the_digests_and_names_do_not() -> None:
    renamed = msgspec.structs.replace(PAGE, name="scan.png")
    sets = [
        NO_FILES,
        Files(scans=(PAGE, OTHER)),
        Files(scans=(OTHER, PAGE)),
        Files(scans=(PAGE,)),
        Files(original=PAGE),
        Files(scans=(renamed, OTHER)),
    ]
    made = [translator().translate(FIELDS, files) for files in sets]
    sources = [one.source_digest for one in made]
    contents = [content_digest(one.record) for one in made if one.record is not None]
    for digests in (sources, contents):
        assert len(set(digests)) == 5
        assert digests[5] == digests[1]


@pytest.mark.parametrize("name", ["$scans", "$original"])
@pytest.mark.parametrize("state", ["issued", "draft"])
def test_a_sender_cannot_name_a_stored_file(name: str, state: str) -> None:
    sent = FIELDS | {"state": state, name: [msgspec.to_builtins(PAGE)]}
    made = translator(quarantine_faults=["mapping.required"]).translate(sent)
    assert (made.record, made.filtered_by) == (None, "")
    assert [(fault.rule, fault.pointer) for fault in made.faults] == [("mapping.reserved-field", f"/{name}")]


def test_no_interface_can_soften_that_refusal() -> None:
    declared = translator(quarantine_faults=["mapping.reserved-field"]).interface
    assert [fault.pointer for fault in interface_faults(declared)] == ["/quarantine_faults/0"]
    made = Translator(declared).translate(FIELDS | {"$scans": []})
    assert [fault.disposition.value for fault in made.faults] == ["reject"]


def test_a_mapping_cannot_change_how_the_data_came_about() -> None:
    declared = translator(fields={"source_class": {"source": "number"}}).interface
    assert [fault.rule for fault in interface_faults(declared)] == ["interface.unknown-field"]


@pytest.mark.parametrize(
    "raw", [b'{"number": "P-1"}', b" \n{}", b"{ }", b'{"a": {"b": 1.50}}', b'{"a": "}"}']
)
@pytest.mark.parametrize("files", [Files(scans=(PAGE, OTHER)), Files(original=OTHER)])
def test_references_in_the_raw_record_are_found_again(raw: bytes, files: Files) -> None:
    attached = attach(raw, files)
    assert attached.endswith(raw.lstrip()[1:])
    assert detach(orjson.loads(attached)) == (orjson.loads(raw), files)


def test_raw_that_is_no_object_or_has_no_files_stays_as_it_is() -> None:
    assert attach(b"\xff\xfe{", Files(scans=(PAGE,))) == b"\xff\xfe{"
    assert attach(b'{"a": 1}', NO_FILES) == b'{"a": 1}'
    assert detach({"a": 1}) == ({"a": 1}, NO_FILES)


@pytest.mark.parametrize("value", [1, "x", [{}], [{"digest": 1}], {"digest": "a"}])
def test_reserved_members_that_are_no_references_are_not_taken_for_some(value: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        detach({"$scans": value})
