"""Authorities, seals and pictures that sealing and verification tests share; made once per test run."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from PIL import Image

from core.ports.signer import Algorithm
from core.sealing.certificates import CertificateRequest, Purpose, build_certificate
from core.sealing.making import SealDesign, make_seal
from core.sealing.seal import ANY, Seal
from core.sealing.ses import SesSeal
from core.sealing.signers import PrivateKey, SoftwareSigner, generate_key, spki_of

GOLDEN = Path(__file__).parent / "golden" / "ofd"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


@cache
def small_picture() -> bytes:
    """A red square, PNG."""
    out = io.BytesIO()
    Image.new("P", (8, 8)).save(out, "PNG")
    return out.getvalue()


@dataclass(frozen=True)
class Material:
    """A root with a seal maker and a seal signer under it, all of one algorithm."""

    root: SoftwareSigner
    maker: SoftwareSigner
    signer: SoftwareSigner
    ses: SesSeal
    seal: Seal


def self_signed(
    key: PrivateKey, *, valid_from: datetime = NOON - YEAR, valid_until: datetime = NOON + YEAR
) -> SoftwareSigner:
    """A root certificate over ``key``."""
    request = _request(key, "Test Root", Purpose.AUTHORITY, (valid_from, valid_until))
    return SoftwareSigner(key, build_certificate(request, SoftwareSigner(key, b"")))


def issued(
    root: SoftwareSigner,
    purpose: Purpose,
    *,
    name: str = "Test Leaf",
    validity: tuple[datetime, datetime] = (NOON - YEAR, NOON + YEAR),
    key: PrivateKey | None = None,
) -> SoftwareSigner:
    """A key (a fresh one unless given) with a certificate of ``root`` for ``purpose``."""
    key = key or generate_key(root.algorithm)
    return SoftwareSigner(key, build_certificate(_request(key, name, purpose, validity), root))


def made_seal(
    maker: SoftwareSigner,
    *signers: SoftwareSigner,
    validity: tuple[datetime, datetime] = (NOON - YEAR, NOON + YEAR),
) -> SesSeal:
    """An SES seal of ``maker`` for ``signers``."""
    design = SealDesign(
        name="海州县行政审批局",
        picture_png=small_picture(),
        signer_certificates=[signer.certificate for signer in signers],
        created=validity[0],
        valid_from=validity[0],
        valid_until=validity[1],
    )
    return make_seal(maker, design)


def bound_to_all(ses: SesSeal, signer: SoftwareSigner, name: str = "test") -> Seal:
    """The seal in the hands of ``signer``, for any licence type and issuer."""
    return Seal(name, ses, signer, frozenset({ANY}), frozenset({ANY}))


def material(algorithm: Algorithm = Algorithm.SM2_SM3) -> Material:
    """Everything needed to seal, of one algorithm."""
    return _material(algorithm)


@cache
def _material(algorithm: Algorithm) -> Material:
    root = self_signed(generate_key(algorithm))
    maker = issued(root, Purpose.SEAL_MAKER, name="Test Seal Maker")
    signer = issued(root, Purpose.DOCUMENT_SIGNER, name="Test Seal Signer")
    ses = made_seal(maker, signer)
    return Material(root, maker, signer, ses, bound_to_all(ses, signer))


def _request(
    key: PrivateKey, name: str, purpose: Purpose, validity: tuple[datetime, datetime]
) -> CertificateRequest:
    return CertificateRequest(
        spki=spki_of(key),
        common_name=name,
        organisation="Test",
        purpose=purpose,
        valid_from=validity[0],
        valid_until=validity[1],
    )
