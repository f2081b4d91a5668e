import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import msgspec
import ofdkit
import pytest
from lxml import etree

from core.errors import InternalError
from core.packaging import ofd_layout as at
from core.packaging.face import face_texts
from core.packaging.ofd_reader import read_ofd
from core.packaging.ofd_writer import Draft, draft_ofd, ofd_template, package_ofd
from core.packaging.request import Waiting
from core.packaging.stored import StoredPackage, assemble, kept_original
from core.packaging.style import Style
from core.packaging.style_loader import shipped_style, shipped_styles
from core.ports.signer import Algorithm
from core.verification.finding import Finding
from packaging_material import RECORDS, business_licence, request_for, seal

GOLDEN = Path(__file__).parents[3] / "golden" / "packaging"
OFD = "{http://www.ofdspec.org/2016}"
CHANGING = {at.SEAL, at.SIGNATURE, at.SIGNED_VALUE}
"""Members that differ with the keys of each test run."""


@pytest.fixture
def style() -> Style:
    return shipped_style("business-licence")


def packaged(style: Style, algorithm: Algorithm = Algorithm.ECDSA_P256_SHA256) -> bytes:
    stamp = seal(algorithm)
    stored = package_ofd([request_for(RECORDS[style.name]())], style, stamp)[0]
    assert isinstance(stored, StoredPackage)
    return assemble(stored, ofd_template(style, stamp))


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("algorithm", [Algorithm.ECDSA_P256_SHA256, Algorithm.SM2_SM3])
def test_an_independent_reader_finds_every_face_item(name: str, algorithm: Algorithm, tmp_path: Path) -> None:
    style = shipped_style(name)
    file = tmp_path / "licence.ofd"
    file.write_bytes(packaged(style, algorithm))
    with ofdkit.open(file) as document:
        runs = [run for page in document.pages for run in page.runs]
        assert not document.warnings
    found = "".join(run.text for run in runs)
    for text in face_texts(request_for(RECORDS[name]()), style).values():
        assert text in found


def test_our_reader_ties_each_item_to_the_text_drawn_for_it(style: Style) -> None:
    request = request_for(business_licence())
    content = read_ofd(packaged(style))
    assert content.face_items == face_texts(request, style)
    assert content.licence is not None
    assert content.licence["face"] == content.face_items
    assert content.licence["record"]["items"] == request.record.items
    assert content.metadata["ZZBS"] == request.identifier
    assert content.metadata["KZ_FDDBR"] == "王喆"
    assert content.custom_data["WJBH"] == request.file_number
    assert content.custom_data["ZZKMC"] == request.library_name
    assert content.custom_data["SJLY"] == request.source
    assert content.information["Title"] == "营业执照"
    assert content.page_count == 1


def test_each_reference_holds_the_digest_of_its_member(style: Style) -> None:
    with zipfile.ZipFile(io.BytesIO(packaged(style))) as archive:
        assert archive.testzip() is None
        members = {name: archive.read(name) for name in archive.namelist()}
    signature = etree.fromstring(members[at.SIGNATURE])
    checks = {
        reference.get("FileRef", "")[1:]: reference.findtext(f"{OFD}CheckValue")
        for reference in signature.iter(f"{OFD}Reference")
    }
    assert set(checks) == set(members) - {at.SIGNATURE, at.SIGNED_VALUE}
    for name, check in checks.items():
        assert check == _base64(hashlib.sha256(members[name]).digest())


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()


def test_object_numbers_are_unique_and_within_the_declared_largest(style: Style) -> None:
    with zipfile.ZipFile(io.BytesIO(packaged(style))) as archive:
        roots = [etree.fromstring(archive.read(name)) for name in archive.namelist() if name.endswith(".xml")]
    numbers = [
        int(element.get("ID", ""))
        for root in roots
        for element in root.iter()
        if element.get("ID", "").isdigit()
    ]
    declared = {int(e.text or 0) for root in roots for e in root.iter(f"{OFD}MaxUnitID")}
    pages_and_templates = 2
    assert len(set(numbers)) == len(numbers)
    assert len(numbers) > 40 + pages_and_templates
    assert max(numbers) <= max(declared)


def test_the_same_request_gives_the_same_bytes_up_to_the_signature(style: Style) -> None:
    request = request_for(business_licence())
    first, second = draft_ofd(request, style, seal()), draft_ofd(request, style, seal())
    assert isinstance(first, Draft)
    assert isinstance(second, Draft)
    assert (first.members, first.signature) == (second.members, second.signature)


@pytest.mark.parametrize("name", RECORDS)
def test_the_members_are_those_kept_as_golden(name: str) -> None:
    style = shipped_style(name)
    kept = GOLDEN / style.name
    with zipfile.ZipFile(io.BytesIO(packaged(style))) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name not in CHANGING}
    golden = {str(file.relative_to(kept)): file.read_bytes() for file in kept.rglob("*") if file.is_file()}
    texts = {name: data for name, data in members.items() if name.endswith((".xml", ".json"))}
    assert texts == golden


def test_a_thin_package_and_its_template_give_the_sealed_file(style: Style) -> None:
    stamp = seal()
    stored = package_ofd([request_for(business_licence())], style, stamp)[0]
    assert isinstance(stored, StoredPackage)
    template = ofd_template(style, stamp)
    whole = assemble(msgspec.msgpack.decode(msgspec.msgpack.encode(stored), type=StoredPackage), template)
    assert hashlib.sha256(whole).digest() == stored.digest
    assert len(whole) == stored.size_bytes
    assert len(stored.members) < 30_000
    with pytest.raises(InternalError):
        assemble(stored, None)
    with pytest.raises(InternalError):
        assemble(stored, msgspec.structs.replace(template, members=template.members + b"x"))


def test_a_package_that_was_altered_in_the_store_is_not_handed_out(style: Style) -> None:
    stamp = seal()
    stored = package_ofd([request_for(business_licence())], style, stamp)[0]
    assert isinstance(stored, StoredPackage)
    altered = msgspec.structs.replace(stored, members=stored.members[:-1] + b"\0")
    with pytest.raises(InternalError):
        assemble(altered, ofd_template(style, stamp))


def test_a_batch_keeps_its_order_and_lets_the_rest_through(style: Style) -> None:
    record = business_licence()
    rare = business_licence(items=record.items | {"KZ_FDDBR": "\U00020bb7"})
    requests = [request_for(record, 1), request_for(rare, 2), request_for(record, 3)]
    results = package_ofd(requests, style, seal())
    assert [type(result) for result in results] == [StoredPackage, Waiting, StoredPackage]
    assert isinstance(results[1], Waiting)
    assert results[1].licence_id == requests[1].licence_id
    third = results[2]
    assert isinstance(third, StoredPackage)
    content = read_ofd(assemble(third, ofd_template(style, seal())))
    assert content.metadata["ZZBS"] == requests[2].identifier


def test_control_characters_outside_the_face_fail_the_package(style: Style) -> None:
    record = business_licence()
    request = request_for(business_licence(items=record.items | {"KZ_BZ": "a\x01b"}))
    (waiting,) = package_ofd([request], style, seal())
    assert isinstance(waiting, Waiting)
    assert waiting.faults[0].rule == "package.not-xml"
    assert "U+0001" in waiting.faults[0].message


def test_a_foreign_original_is_kept_byte_for_byte(style: Style) -> None:
    original = packaged(style)
    assert assemble(kept_original(original), None) == original


@pytest.mark.parametrize("cut", [0, 10, 500, -1, -30])
def test_a_cut_file_is_refused_by_the_reader(style: Style, cut: int) -> None:
    with pytest.raises(Finding):
        read_ofd(packaged(style)[:cut])


def test_every_shipped_style_loads() -> None:
    assert set(shipped_styles()) == set(RECORDS)
    for name in shipped_styles():
        assert shipped_style(name).name == name


def test_a_seal_out_of_its_time_makes_nothing(style: Style) -> None:
    from core.errors import Refused

    with pytest.raises(Refused):
        package_ofd([request_for(business_licence())], style, replace(seal(), retired=True))
