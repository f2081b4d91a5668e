"""The package worker and the files that come with records: scans, and other libraries' sealed originals."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.record import Attachment, SourceClass
from core.errors import ConfigError, NotFound, Unavailable
from core.packaging.ofd_reader import read_ofd
from core.packaging.style import Style
from core.ports.signer import Algorithm
from core.service.faces import FacePictures
from core.service.originals import Originals
from core.service.package_files import PackageFiles
from core.service.trust import CurrentTrust
from core.verification.originals import NotKept
from core.verification.trust import TrustStore
from ofd_material import IDENTIFIER, own_package, sealed, unzipped, zipped
from packager_material import Bench, Sealing, Version
from packaging_material import request_for
from scan_material import packaged_scans, rotated, scan
from signing_material import NOON, material
from store_material import record

ISSUER_OF_ORIGINAL = "海州县行政审批局"
ORIGINAL = {
    "source_class": SourceClass.LIBRARY,
    "licence_type": "11100000MB03271699001",
    "issuer_code": "11420503087246977F",
    "issuer_name": ISSUER_OF_ORIGINAL,
    "identifier": IDENTIFIER,
}


@pytest.fixture
def bench(tmp_path: Path, sealing: Sealing) -> Iterator[Bench]:
    made = Bench(tmp_path, sealing)
    made.dressing.documents = sealing.documents
    yield made
    made.close()


def attached(bench: Bench, data: bytes, media: str = "image/jpeg") -> Attachment:
    digest = bench.store.blobs.put(data, media)
    return Attachment(digest=digest.hex(), media_type=media, size_bytes=len(data))


def scanned(bench: Bench, *scans: bytes, source_class: SourceClass = SourceClass.TYPED) -> Version:
    files = tuple(attached(bench, data) for data in scans)
    return bench.stored("S-1", fields={"source_class": source_class, "scans": files})


def original(bench: Bench, data: bytes, **fields: object) -> Version:
    file = attached(bench, data, "application/octet-stream")
    return bench.stored("E-1", fields={**ORIGINAL, "original": file, **fields})


def believing(bench: Bench, algorithm: Algorithm = Algorithm.SM2_SM3) -> None:
    """The operator puts the other library's root into the trust store."""
    roots = [*bench.sealing.trust.anchors, *TrustStore.of([material(algorithm).root.certificate]).anchors]
    bench.trusted = TrustStore(tuple(roots))


def lose(bench: Bench, data: bytes) -> None:
    """A blob goes missing, as after a botched restore."""
    from sqlalchemy import delete

    from core.store.tables import blob

    with bench.store.database.begin() as connection:
        connection.execute(delete(blob).where(blob.c.digest == hashlib.sha256(data).digest()))


@pytest.mark.parametrize(
    "source_class", [SourceClass.TYPED, SourceClass.MATERIAL, SourceClass.APPROVAL], ids=str
)
def test_scans_become_the_pages_of_both_forms(bench: Bench, source_class: SourceClass) -> None:
    version = scanned(bench, scan("yellow"), rotated(), source_class=source_class)
    assert bench.worker.make([version]) == 1
    assert [bench.verdict(version, form) for form in ("ofd", "pdf")] == ["valid", "valid"]
    content = read_ofd(PackageFiles(bench.store).file(*version, "ofd"))
    assert content.page_count == 2
    assert content.metadata["ZZBH"] == "S-1"
    row = bench.store.packages.get(*version)
    assert row is not None
    assert row.thumbnail is not None
    assert bench.store.blobs.get(row.thumbnail)[:3] == b"\xff\xd8\xff"
    assert not row.original


def test_a_face_composed_from_data_takes_no_notice_of_scans_and_one_without_scans_is_composed(
    bench: Bench,
) -> None:
    data = bench.stored("D-1", fields={"scans": (attached(bench, scan()),)})
    typed = bench.stored("A-1", fields={"source_class": SourceClass.TYPED})
    assert bench.worker.make([data, typed]) == 2
    for version in (data, typed):
        assert read_ofd(PackageFiles(bench.store).file(*version)).face_items["ZZMC"] == "食品经营许可证"


def test_a_scan_that_is_missing_holds_the_package_and_says_which_and_the_rest_is_made(bench: Bench) -> None:
    version = scanned(bench, scan(), scan("yellow"))
    other = bench.stored("A-1")
    lose(bench, scan("yellow"))
    assert bench.worker.make([version, other]) == 1
    state, detail = bench.state(version)
    assert state == "failed"
    assert "scan 2" in detail
    assert bench.state(other)[0] == "packaged"
    bench.store.blobs.put(scan("yellow"), "image/jpeg")
    assert bench.store.package_queue.release("failed", actor="a", reason="mended") == 1
    assert bench.worker.make([version]) == 1


def test_a_scan_that_cannot_be_read_holds_the_package_and_names_the_page(bench: Bench) -> None:
    version = scanned(bench, scan(), b"no picture")
    assert bench.worker.make([version]) == 0
    state, detail = bench.state(version)
    assert (state, "Scan 2 cannot be read as JPEG, PNG or TIFF: unknown form" in detail) == ("failed", True)


def test_the_face_for_people_of_a_scanned_licence_is_its_page(bench: Bench) -> None:
    version = scanned(bench, scan())
    bench.worker.make([version])

    class Dressing:
        def style(self, licence_type: str) -> Style:
            return bench.dressing.style(licence_type)

        def item_names(self, _licence_type: str) -> dict[str, str]:
            return {}

        def code_tables(self, _licence_type: str) -> dict[str, dict[str, str]]:
            return {}

        def seal_picture(self, _licence_type: str, _issuer: str) -> bytes:
            return b""

    faces = FacePictures(bench.store, Dressing(), "L")  # type: ignore[arg-type]  # what it uses of a Dressing
    assert faces.picture(*version).startswith(b"\x89PNG")


def test_an_accepted_original_is_the_package_byte_for_byte_and_is_not_sealed(bench: Bench) -> None:
    believing(bench)
    data = zipped(sealed())
    bench.sealing.signer.away = 1
    version = original(bench, data)
    assert bench.worker.make([version]) == 1
    assert bench.sealing.signer.away == 1, "no seal was asked for"
    assert PackageFiles(bench.store).file(*version) == data
    assert bench.verdict(version) == "valid"
    row = bench.store.packages.get(*version)
    assert row is not None
    signer = material().signer
    assert (row.form, row.algorithm, row.key_id) == ("ofd", "sm2-sm3", signer.key_id)
    assert row.original
    assert row.thumbnail is None
    bench.store.journal.sequence(1)
    (entry,) = [e for e in bench.store.journal.entries(-1) if e.kind == "licence.packaged"]
    assert (entry.data["original"], entry.data["form"]) == (True, "ofd")
    assert bench.store.licences.get(version[0], "sharing").sealed


def test_an_original_needs_no_key_of_the_hub(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    believing(bench)
    kept, sealed_one = original(bench, zipped(sealed())), bench.stored("A-1")

    def away() -> None:
        raise Unavailable("the key of PDF packages cannot be used")

    with monkeypatch.context() as outage:
        outage.setattr(bench.dressing, "document_signer", away)
        with pytest.raises(Unavailable):
            bench.worker.make([kept, sealed_one])
    assert bench.state(kept)[0] == "packaged"
    assert bench.state(sealed_one) == ("pending", "the key of PDF packages cannot be used")
    assert bench.worker.make([sealed_one]) == 1


def test_an_original_in_pdf_is_recorded_as_the_pdf_it_is(bench: Bench) -> None:
    believing(bench, Algorithm.ECDSA_P256_SHA256)
    stated = record("E-1", **ORIGINAL)
    request = request_for(stated, identifier=IDENTIFIER, scans=(scan(),), made_at=NOON)
    _, data, _ = packaged_scans(request)
    version = original(bench, data)
    assert bench.worker.make([version]) == 1
    assert PackageFiles(bench.store).file(*version) == data
    assert PackageFiles(bench.store).file(*version, "pdf") == data
    with pytest.raises(NotFound):
        PackageFiles(bench.store).file(*version, "ofd")
    assert bench.verdict(version, "pdf") == "valid"
    row = bench.store.packages.get(*version)
    assert row is not None
    assert row.file_number == request.file_number
    assert bench.worker.make([version]) == 0


def test_an_original_of_an_unknown_authority_is_held_until_the_trust_store_is_mended(bench: Bench) -> None:
    version = original(bench, zipped(sealed()))
    assert bench.worker.make([version]) == 0
    state, detail = bench.state(version)
    assert state == "failed"
    assert "cannot-verify, chain: untrusted" in detail
    with pytest.raises(NotFound):
        bench.store.licences.get(version[0], "sharing")
    with pytest.raises(NotFound):
        PackageFiles(bench.store).file(*version)
    believing(bench)
    assert bench.store.package_queue.release("failed", actor="a", reason="mended") == 1
    assert bench.worker.make([version]) == 1
    assert bench.verdict(version) == "valid"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zipped({**sealed(), "Doc_0/Pages/Page_0/Content.xml": b"<x/>"}), "invalid, digests: digest-differs"),
        (zipped(unzipped(own_package())), "invalid, container: canonical."),
        (b"no licence at all", "invalid, container: unknown-form"),
    ],
)
def test_an_original_that_is_not_genuine_is_held_with_the_step_that_failed(
    bench: Bench, data: bytes, said: str
) -> None:
    believing(bench)
    version = original(bench, data)
    assert bench.worker.make([version]) == 0
    state, detail = bench.state(version)
    assert (state, said in detail) == ("failed", True), detail


@pytest.mark.parametrize(
    ("fields", "differs"),
    [
        ({"issuer_name": "另一机关"}, "ZZBFJG"),
        (
            {"identifier": "1.2.156.3005.2.11100000MB03271699001.11420503087246977F.TEST2024000001.002.T"},
            "ZZBS",
        ),
    ],
)
def test_a_genuine_original_that_says_something_else_than_the_record_is_held(
    bench: Bench, fields: dict[str, object], differs: str
) -> None:
    believing(bench)
    version = original(bench, zipped(sealed()), **fields)
    assert bench.worker.make([version]) == 0
    state, detail = bench.state(version)
    assert (state, f"differ in {differs}" in detail) == ("failed", True), detail
    assert ISSUER_OF_ORIGINAL not in detail, "no value of a record leaves through a reason"


def test_an_original_that_is_missing_holds_the_package(bench: Bench) -> None:
    version = original(bench, zipped(sealed()))
    lose(bench, zipped(sealed()))
    assert bench.worker.make([version]) == 0
    state, detail = bench.state(version)
    assert (state, "the original" in detail) == ("failed", True)


def test_without_an_original_another_librarys_licence_has_no_package(bench: Bench) -> None:
    version = bench.stored("E-1", fields=ORIGINAL)
    assert bench.store.packages.get(*version) is None


def test_a_trust_store_that_cannot_be_read_keeps_nothing(bench: Bench) -> None:
    def broken() -> TrustStore:
        raise ConfigError("trust.pem", [])

    judge = Originals(broken, bench.store.licences.meanings_of).judge
    found = judge(zipped(sealed()), record("E-1", **ORIGINAL), IDENTIFIER)
    assert isinstance(found, NotKept)
    assert "trust store" in found.reason


def test_a_mended_trust_store_counts_without_a_restart() -> None:
    stores = [TrustStore(), TrustStore.of([material().root.certificate])]
    moments = iter([0.0, 1.0, 3.0])
    trust = CurrentTrust(lambda: stores.pop(0), clock=lambda: next(moments))
    originals = Originals(trust, lambda _type: {})
    stated = record("E-1", **ORIGINAL)
    found = [type(originals.judge(zipped(sealed()), stated, IDENTIFIER)).__name__ for _ in range(3)]
    assert found == ["NotKept", "NotKept", "Original"]
