from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.errors import ConfigError
from core.ports.signer import Algorithm
from core.sealing.keyfiles import certificates_pem
from core.sealing.signers import SoftwareSigner, generate_key
from core.verification.report import Step, Verdict
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from ofd_material import sealed, zipped
from signing_material import NOON, YEAR, Material, material

HOUR = timedelta(hours=1)
MADE = material(Algorithm.ECDSA_P256_SHA256)
DATA = zipped(sealed(MADE))


def revocation_list(issuer: SoftwareSigner, revoked: SoftwareSigner, when: datetime) -> bytes:
    """PEM of a list made by ``cryptography``."""
    key = issuer._key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    serial = x509.load_der_x509_certificate(revoked.certificate).serial_number
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when).build()
    subject = x509.load_der_x509_certificate(issuer.certificate).subject
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(subject)
        .last_update(NOON)
        .next_update(NOON + YEAR)
    )
    signed = builder.add_revoked_certificate(entry).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def store(folder: Path, made: Material, listed: bytes) -> TrustStore:
    (folder / "root.crt").write_bytes(certificates_pem(made.root.certificate))
    (folder / "list.crl").write_bytes(listed)
    return TrustStore.load(folder)


@pytest.mark.parametrize("revoked", [MADE.signer, MADE.maker], ids=["signer", "seal maker"])
def test_a_certificate_revoked_before_it_was_used_makes_the_file_invalid(
    revoked: SoftwareSigner, tmp_path: Path
) -> None:
    when = NOON - HOUR if revoked is MADE.signer else NOON - 2 * YEAR
    report = verify_file(DATA, store(tmp_path, MADE, revocation_list(MADE.root, revoked, when)))
    assert report.verdict is Verdict.INVALID
    assert report.first_failed == report.result_of(Step.VALIDITY)
    assert report.first_failed.reason.code == "certificate-revoked"


def test_a_certificate_revoked_after_the_signing_time_does_no_harm(tmp_path: Path) -> None:
    trust = store(tmp_path, MADE, revocation_list(MADE.root, MADE.signer, NOON + HOUR))
    assert verify_file(DATA, trust).verdict is Verdict.VALID


def test_a_list_its_issuer_never_signed_revokes_nothing(tmp_path: Path) -> None:
    impostor = SoftwareSigner(generate_key(Algorithm.ECDSA_P256_SHA256), MADE.root.certificate)
    trust = store(tmp_path, MADE, revocation_list(impostor, MADE.signer, NOON - HOUR))
    assert verify_file(DATA, trust).verdict is Verdict.VALID


def test_a_file_that_is_no_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"list\.crl"):
        store(tmp_path, MADE, b"junk")
