"""Outcomes of packaging by form, and which records get a package at all: one suite over both databases."""

import msgspec
import pytest

from contracts.record import Attachment, SourceClass
from core.store import Store
from core.store.packages import Claim, Made
from store_material import candidate, licence_id_of, outcomes

ORIGINAL = b"another library's sealed file"
MADE = Made(
    file_number="F-1",
    template="0" * 64,
    digest=b"d" * 32,
    size_bytes=1,
    algorithm="sm2-sm3",
    key_id="k",
    blob=b"b" * 32,
)


def claimed(store: Store, **fields: object) -> Claim:
    outcomes(store, [candidate("A-1", fields=fields)])
    (claim,) = store.packages.claim([(licence_id_of(store, "A-1"), 1)], 60)
    return claim


def of_another_library(store: Store) -> dict[str, object]:
    digest = store.blobs.put(ORIGINAL, "application/pdf").hex()
    file = Attachment(digest=digest, media_type="application/pdf", size_bytes=len(ORIGINAL))
    return {"source_class": SourceClass.LIBRARY, "original": file}


@pytest.mark.parametrize("form", ["ofd", "pdf"])
def test_an_original_is_the_only_package_in_the_form_it_has(store: Store, form: str) -> None:
    claim = claimed(store, **of_another_library(store))
    made = msgspec.structs.replace(MADE, template="", original=True)
    assert store.packages.finish([(claim, {form: made})]) == [True]
    (row,) = [
        found
        for each in ("ofd", "pdf")
        if (found := store.packages.get(claim.licence_id, 1, each)) is not None
    ]
    assert (row.form, row.state, row.original) == (form, "packaged", True)
    assert store.packages.get(claim.licence_id, 1) == row
    assert store.packages.claim([(claim.licence_id, 1)], 60) == []
    assert store.licences.get(claim.licence_id, "sharing").sealed
    store.journal.sequence(1)
    (told,) = [change.data for change in store.journal.entries(-1) if change.kind == "licence.packaged"]
    assert (told["form"], told["original"]) == (form, True)


def test_of_two_forms_the_ofd_is_meant_where_none_is_named(store: Store) -> None:
    claim = claimed(store)
    assert store.packages.finish([(claim, {"ofd": MADE, "pdf": MADE})]) == [True]
    row = store.packages.get(claim.licence_id, 1)
    assert row is not None
    assert (row.form, row.original) == ("ofd", False)
    store.journal.sequence(1)
    told = [change.data for change in store.journal.entries(-1) if change.kind == "licence.packaged"]
    assert {(each["form"], each["original"]) for each in told} == {("ofd", False), ("pdf", False)}


def test_another_librarys_record_without_its_original_gets_no_package(store: Store) -> None:
    outcomes(store, [candidate("A-1", fields={"source_class": SourceClass.LIBRARY})])
    licence_id = licence_id_of(store, "A-1")
    assert store.packages.get(licence_id, 1) is None
    assert store.packages.claim([(licence_id, 1)], 60) == []
