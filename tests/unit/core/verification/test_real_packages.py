"""The packages the hub's own writers make, as the verifier sees them."""

from functools import cache

import msgspec
import pytest

from contracts.record import LicenceRecord, Status
from core.packaging.bundle import Bundle, package_bundles
from core.packaging.ofd_writer import ofd_template, package_ofd
from core.packaging.pdf_writer import package_pdf, pdf_static_part
from core.packaging.stored import StoredPackage, assemble
from core.packaging.style_loader import shipped_style
from core.ports.library import LibraryStatus
from core.ports.signer import Algorithm
from core.verification.canonical import canonical_faults
from core.verification.pdf_canonical import canonical_pdf_faults
from core.verification.report import Step, Verdict
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from packaging_material import business_licence, request_for
from scan_material import packaged_scans, scan, scanned
from signing_material import NOON, YEAR, material

STYLE = "business-licence"
PDF_ALGORITHM = Algorithm.ECDSA_P256_SHA256


@cache
def ofd(algorithm: Algorithm = Algorithm.SM2_SM3, number: int = 1) -> bytes:
    style, seal = shipped_style(STYLE), material(algorithm).seal
    (stored,) = package_ofd([request_for(business_licence(), number, made_at=NOON)], style, seal)
    assert isinstance(stored, StoredPackage)
    return assemble(stored, ofd_template(style, seal))


@cache
def pdf() -> bytes:
    style, made = shipped_style(STYLE), material(PDF_ALGORITHM)
    (stored,) = package_pdf(
        [request_for(business_licence(), made_at=NOON)], style, made.signer, made.seal.picture
    )
    assert isinstance(stored, StoredPackage)
    return assemble(stored, pdf_static_part(style, made.seal.picture))


def trust(algorithm: Algorithm) -> TrustStore:
    return TrustStore.of([material(algorithm).root.certificate])


class Library:
    def __init__(self, record: LicenceRecord, meanings: dict[str, dict[str, set[str]]] | None = None) -> None:
        self.record, self.meanings = record, meanings or {}

    def status_of(self, identifier: str) -> LibraryStatus | None:
        return LibraryStatus(Status.VALID)

    def record_of(self, identifier: str) -> LicenceRecord | None:
        return self.record

    def meanings_of(self, licence_type: str) -> dict[str, dict[str, set[str]]]:
        return self.meanings


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_an_ofd_package_is_canonical_and_valid_in_every_suite(algorithm: Algorithm) -> None:
    data = ofd(algorithm)
    assert canonical_faults(data) == []
    report = verify_file(data, trust(algorithm), library=Library(business_licence()))
    assert report.verdict is Verdict.VALID, report.first_failed
    assert report.own
    assert report.unsigned_members == ()
    assert report.content.face_items["KZ_FDDBR"] == "王喆"


def test_a_pdf_package_is_canonical_and_valid() -> None:
    assert canonical_pdf_faults(pdf()) == []
    report = verify_file(pdf(), trust(PDF_ALGORITHM), library=Library(business_licence()))
    assert report.verdict is Verdict.VALID, report.first_failed
    assert report.own
    assert report.content.identifier.startswith("1.2.156.3005.2.")


def test_a_record_that_differs_in_one_item_is_named() -> None:
    changed = business_licence(items={**business_licence().items, "KZ_FDDBR": "王吉吉"})
    for data, algorithm in ((ofd(), Algorithm.SM2_SM3), (pdf(), PDF_ALGORITHM)):
        report = verify_file(data, trust(algorithm), library=Library(changed))
        assert report.verdict is Verdict.INVALID
        assert "KZ_FDDBR" in report.result_of(Step.DATA).reason.en
        assert "王吉吉" not in str(report.result_of(Step.DATA)), (
            "no value of a record leaves through a reason"
        )


def test_a_code_printed_as_its_meaning_agrees_with_the_library() -> None:
    record = business_licence(items={**business_licence().items, "KZ_LX": "1130"})
    request = request_for(record, made_at=NOON, code_tables={"KZ_LX": {"1130": "有限责任公司"}})
    style, made = shipped_style(STYLE), material(PDF_ALGORITHM)
    (bundle,) = package_bundles([request], style, made.seal, made.signer)
    assert isinstance(bundle, Bundle)
    assert bundle.pdf is not None
    sealed, signed = assemble(bundle.ofd, bundle.templates[0]), assemble(bundle.pdf, bundle.templates[1])
    library = Library(record, {"KZ_LX": {"1130": {"有限责任公司", "有限公司"}, "2000": {"分公司"}}})
    for data in (sealed, signed):
        report = verify_file(data, trust(PDF_ALGORITHM), library=library)
        assert report.verdict is Verdict.VALID, report.first_failed
        assert report.content.metadata["KZ_LX"] == "1130"
    assert verify_file(sealed, trust(PDF_ALGORITHM)).content.face_items["KZ_LX"] == "有限责任公司"
    library.meanings = {"KZ_LX": {"1130": {"分公司"}}}
    other = verify_file(sealed, trust(PDF_ALGORITHM), library=library)
    assert other.result_of(Step.DATA).reason.code == "data-differs"


def test_changed_bytes_all_over_both_packages_are_refused() -> None:
    for data, algorithm in ((ofd(), Algorithm.SM2_SM3), (pdf(), PDF_ALGORITHM)):
        for position in range(3, len(data), 2503):
            changed = bytearray(data)
            changed[position] ^= 0x01
            assert verify_file(bytes(changed), trust(algorithm)).verdict is not Verdict.VALID, position


def scanned_file(form: str) -> tuple[bytes, TrustStore]:
    algorithm = Algorithm.SM2_SM3 if form == "ofd" else PDF_ALGORITHM
    ofd, pdf, _ = packaged_scans(scanned(scan(size=(100, 150)), made_at=NOON), algorithm)
    return ofd if form == "ofd" else pdf, trust(algorithm)


def accepted_changes(data: bytes, believed: TrustStore, step: int) -> list[tuple[int, int]]:
    accepted = []
    for position in range(0, len(data), step):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[position] ^= flip
            if verify_file(bytes(changed), believed).verdict is Verdict.VALID:
                accepted.append((position, flip))
    return accepted


@pytest.mark.parametrize("form", ["ofd", "pdf"])
def test_bytes_all_over_a_scanned_package_changed_in_three_ways_are_refused(form: str) -> None:
    data, believed = scanned_file(form)
    assert verify_file(data, believed).verdict is Verdict.VALID
    assert accepted_changes(data, believed, 97) == []


@pytest.mark.slow
@pytest.mark.parametrize("form", ["ofd", "pdf"])
def test_every_byte_of_a_scanned_package_changed_in_three_ways_is_refused(form: str) -> None:
    data, believed = scanned_file(form)
    assert len(data) < 30_000
    assert accepted_changes(data, believed, 1) == []


def test_the_tail_of_one_package_on_the_template_of_another_seal_is_refused() -> None:
    other = material(PDF_ALGORITHM)
    one, two = ofd(), ofd(PDF_ALGORITHM)
    cut_one, cut_two = (
        one.index(b"Doc_0/Signs/Sign_0/Signature.xml") - 30,
        two.index(b"Doc_0/Signs/Sign_0/Signature.xml") - 30,
    )
    both = TrustStore.of([material().root.certificate, other.root.certificate])
    assert verify_file(one[:cut_one] + two[cut_two:], both).verdict is Verdict.INVALID


def test_an_old_package_stays_valid_after_its_certificates_ended() -> None:
    made = material()
    report = verify_file(ofd(), TrustStore.of([made.root.certificate]), now=NOON + 5 * YEAR)
    assert report.verdict is Verdict.VALID


def test_the_report_is_json_in_both_languages() -> None:
    told = verify_file(ofd(), trust(Algorithm.SM2_SM3)).as_dict()
    again = msgspec.json.decode(msgspec.json.encode(told))
    assert again["verdict"] == "valid"
    assert [step["step"] for step in again["steps"]] == [step.value for step in Step]
    assert all({"en", "zh-CN"} == set(step["message"]) for step in again["steps"])
