"""OFD signatures without a seal: SignedData of GB/T 35275, the same in base64, and bare values."""

import base64
from collections.abc import Callable

import pytest
from asn1crypto import x509

from core.gm import der, oids
from core.gm.sm3 import sm3
from core.ports.signer import Algorithm
from core.sealing.signers import SoftwareSigner
from core.sealing.suites import suite_of
from core.verification.report import Outcome, Step, Verdict, VerificationReport
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from ofd_material import PAGE, SIGNATURE, Members, folder, plainly_signed, zipped
from signing_material import NOON, YEAR, material

GB_DATA, GB_SIGNED_DATA = "1.2.156.10197.6.1.4.2.1", "1.2.156.10197.6.1.4.2.2"
SIGNER = material().signer
TRUST = TrustStore.of([material().root.certificate])


def verify(members: Members, trust: TrustStore = TRUST) -> VerificationReport:
    return verify_file(zipped(members), trust, now=NOON + YEAR)


def signed_data(
    signer: SoftwareSigner, content: bytes, *, signed: bytes | None = None, certificate: bool = True
) -> bytes:
    """GB/T 35275 SignedData over ``content``, as Chinese signature servers answer."""
    parsed = x509.Certificate.load(signer.certificate)
    digest = der.sequence(der.oid(oids.SM3), b"\x05\x00")
    info = der.sequence(
        der.integer(1),
        der.sequence(parsed.issuer.dump(), parsed["tbs_certificate"]["serial_number"].dump()),
        digest,
        der.sequence(der.oid("1.2.156.10197.1.301.1"), b"\x05\x00"),
        der.octets(signer.sign([content if signed is None else signed])[0]),
    )
    return der.sequence(
        der.oid(GB_SIGNED_DATA),
        der.explicit(
            0,
            der.sequence(
                der.integer(1),
                der.tlv(der.SET, digest),
                der.sequence(der.oid(GB_DATA), der.explicit(0, der.octets(content))),
                der.tlv(0xA0, signer.certificate) if certificate else b"",
                der.tlv(der.SET, info),
            ),
        ),
    )


def bare(xml: bytes) -> bytes:
    return SIGNER.sign([xml])[0]


@pytest.mark.parametrize(
    "value_of",
    [
        lambda xml: signed_data(SIGNER, sm3(xml)),
        lambda xml: base64.encodebytes(signed_data(SIGNER, sm3(xml))),
        lambda xml: signed_data(SIGNER, xml),
    ],
    ids=["SignedData over the digest", "in base64", "SignedData over the file"],
)
def test_signed_data_is_valid_without_a_seal(value_of: Callable[[bytes], bytes]) -> None:
    report = verify(plainly_signed(SIGNER, value_of))
    assert report.verdict is Verdict.VALID, report.first_failed
    assert {report.result_of(step).outcome for step in (Step.SEAL_EQUAL, Step.SEAL_MAKER)} == {
        Outcome.NOT_RUN
    }
    assert report.signatures[0].kind == "signature"
    assert report.signatures[0].signer.startswith("CN=Test Seal Signer")


@pytest.mark.parametrize(
    ("value_of", "verdict", "code"),
    [
        (lambda _: signed_data(SIGNER, bytes(32)), Verdict.INVALID, "data-hash"),
        (lambda xml: signed_data(SIGNER, sm3(xml), signed=b"other"), Verdict.INVALID, "bad-signature"),
        (
            lambda xml: signed_data(SIGNER, sm3(xml), certificate=False),
            Verdict.CANNOT_VERIFY,
            "signer-missing",
        ),
        (lambda _: b"no known form", Verdict.CANNOT_VERIFY, "signed-value"),
        (bare, Verdict.CANNOT_VERIFY, "signer-unknown"),
    ],
)
def test_values_that_prove_nothing(value_of: Callable[[bytes], bytes], verdict: Verdict, code: str) -> None:
    report = verify(plainly_signed(SIGNER, value_of))
    assert report.verdict is verdict
    assert report.first_failed is not None
    assert report.first_failed.reason.code == code
    assert "internal" not in {result.reason.code for result in report.steps}


def test_a_bare_signature_is_valid_with_its_certificate_beside_it_or_in_the_trust_store() -> None:
    beside = {folder() + "signer.cer": SIGNER.certificate}
    report = verify(plainly_signed(SIGNER, bare, beside=beside))
    assert report.verdict is Verdict.VALID, report.first_failed
    assert report.unsigned_members == (folder() + "signer.cer",)
    pinned = TrustStore.of([SIGNER.certificate])
    assert verify(plainly_signed(SIGNER, bare), pinned).verdict is Verdict.VALID


@pytest.mark.parametrize("algorithm", [Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_SHA256, Algorithm.ED25519])
def test_bare_signatures_of_the_classical_algorithms(algorithm: Algorithm) -> None:
    signer = material(algorithm).signer
    trust = TrustStore.of([material(algorithm).root.certificate], [signer.certificate])
    members = plainly_signed(signer, lambda xml: signer.sign([xml])[0])
    report = verify(members, trust)
    assert report.verdict is Verdict.VALID, report.first_failed
    assert report.signatures[0].algorithm == algorithm.value
    assert suite_of(algorithm).signature_oid.encode() in members[SIGNATURE]


def test_a_changed_part_or_signature_file_is_refused() -> None:
    members = plainly_signed(SIGNER, lambda xml: signed_data(SIGNER, sm3(xml)))
    assert verify({**members, PAGE: b"<x/>"}).verdict is Verdict.INVALID
    assert verify({**members, SIGNATURE: members[SIGNATURE] + b"\n"}).verdict is Verdict.INVALID


def test_signed_data_with_two_signers_or_none_is_no_known_form() -> None:
    value = signed_data(SIGNER, bytes(32))
    empty = value.replace(der.read_one(value).content[-10:], b"", 1)
    report = verify(plainly_signed(SIGNER, lambda _: empty))
    assert report.verdict is Verdict.CANNOT_VERIFY
