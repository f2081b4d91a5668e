"""Files of another implementation and what an independent check found about them."""

import json

import pytest

from core.sealing.ses import parse_signature
from core.verification.report import Outcome, Step, Verdict
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from signing_material import GOLDEN

_VALUE = parse_signature((GOLDEN / "SignedValueV4.dat").read_bytes())
THEIRS = TrustStore.of([_VALUE.certificate, _VALUE.seal.maker_certificate])
GENUINE = (Step.DIGESTS, Step.SEAL_EQUAL, Step.SIGNATURE, Step.SEAL_MAKER)


@pytest.mark.parametrize("name", ["ses_v4_all_protected.ofd", "ses_v4_certificate_ended.ofd"])
def test_digests_and_signatures_of_both_sealed_samples_are_genuine(name: str) -> None:
    report = verify_file((GOLDEN / name).read_bytes(), THEIRS)
    assert {report.result_of(step).outcome for step in GENUINE} == {Outcome.PASSED}
    assert "info alone" in report.result_of(Step.SEAL_MAKER).reason.en
    assert report.signatures[0].seal_version == 4
    json.dumps(report.as_dict())


def test_the_fully_protected_sample_is_valid_for_those_who_trust_its_certificates_only() -> None:
    data = (GOLDEN / "ses_v4_all_protected.ofd").read_bytes()
    assert verify_file(data, THEIRS).verdict is Verdict.VALID
    report = verify_file(data, TrustStore())
    assert report.verdict is Verdict.CANNOT_VERIFY
    assert report.first_failed == report.result_of(Step.CHAIN)


def test_the_sample_sealed_after_its_certificate_ended_is_invalid_whoever_is_trusted() -> None:
    data = (GOLDEN / "ses_v4_certificate_ended.ofd").read_bytes()
    for trust in (THEIRS, TrustStore()):
        report = verify_file(data, trust)
        assert report.verdict is Verdict.INVALID
        assert report.result_of(Step.VALIDITY).outcome is Outcome.FAILED
        assert report.unsigned_members == ("Doc_0/Signs/Signatures.xml",)


def test_the_unsigned_sample_is_readable_and_never_valid() -> None:
    report = verify_file((GOLDEN / "unsigned.ofd").read_bytes(), THEIRS)
    assert report.verdict is Verdict.CANNOT_VERIFY
    assert report.first_failed is not None
    assert report.first_failed.reason.code == "unsigned"
    assert "OFD.xml" in report.unsigned_members


@pytest.mark.parametrize("name", ["ses_v4_all_protected.ofd", "unsigned.ofd"])
def test_changed_bytes_of_foreign_files_never_raise_and_never_turn_a_file_valid(name: str) -> None:
    data = (GOLDEN / name).read_bytes()
    for position in range(0, len(data), 211):
        changed = bytearray(data)
        changed[position] ^= 0xFF
        report = verify_file(bytes(changed), TrustStore())
        assert report.verdict is not Verdict.VALID
        json.dumps(report.as_dict())
