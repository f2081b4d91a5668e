"""X.509 certificates (RFC 5280) by purpose, built here because SM2 ones (GB/T 20518) have no builder in ``cryptography``."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from asn1crypto import x509

from core.gm import der
from core.ports.signer import Signer
from core.sealing.suites import suite_of

DOCUMENT_SIGNING: Final = "1.3.6.1.5.5.7.3.36"
"""id-kp-documentSigning (RFC 9336)."""

_KEY_CERT_SIGN_AND_CRL_SIGN: Final = b"\x03\x02\x01\x06"
_SIGNATURE_AND_NON_REPUDIATION: Final = b"\x03\x02\x06\xc0"
_CA: Final = der.sequence(b"\x01\x01\xff")


class Purpose(Enum):
    """What a certificate may be used for; the value is its extended key usage (the hub's own ones are UUIDs, X.667)."""

    AUTHORITY = ""
    SEAL_MAKER = "2.25.19480633305785130270686148333488891242"
    """Makes seals: signs the picture and the list of those who may use it."""
    DOCUMENT_SIGNER = DOCUMENT_SIGNING
    """Signs documents: applies a seal, or signs a PDF."""
    JOURNAL = "2.25.233806328346538834512599524031223243610"
    """Signs the journal's checkpoints."""


@dataclass(frozen=True, kw_only=True)
class CertificateRequest:
    """What a certificate is to say."""

    spki: bytes
    common_name: str
    organisation: str
    purpose: Purpose
    valid_from: datetime
    valid_until: datetime


def build_certificate(request: CertificateRequest, issuer: Signer) -> bytes:
    """A DER certificate for ``request``, signed by ``issuer``; an empty ``issuer.certificate`` makes it self-signed."""
    suite = suite_of(issuer.algorithm)
    algorithm = der.sequence(der.oid(suite.signature_oid), suite.parameters)
    subject = _name(request)
    parent = x509.Certificate.load(issuer.certificate) if issuer.certificate else None
    tbs = der.sequence(
        der.explicit(0, der.integer(2)),
        der.integer(int.from_bytes(secrets.token_bytes(16), "big") >> 1 | 1),
        algorithm,
        parent.subject.dump() if parent else subject,
        der.sequence(_time(request.valid_from), _time(request.valid_until)),
        subject,
        request.spki,
        der.explicit(
            3, der.sequence(*_extensions(request, parent.public_key.dump() if parent else request.spki))
        ),
    )
    return der.sequence(tbs, algorithm, der.bits(issuer.sign([tbs])[0]))


def _name(request: CertificateRequest) -> bytes:
    name: bytes = x509.Name.build(
        {"country_name": "CN", "organization_name": request.organisation, "common_name": request.common_name}
    ).dump()
    return name


def _extensions(request: CertificateRequest, issuer_spki: bytes) -> list[bytes]:
    is_authority = request.purpose is Purpose.AUTHORITY
    usage = _KEY_CERT_SIGN_AND_CRL_SIGN if is_authority else _SIGNATURE_AND_NON_REPUDIATION
    extensions = [
        _extension("2.5.29.19", _CA if is_authority else der.sequence(), critical=True),
        _extension("2.5.29.15", usage, critical=True),
        _extension("2.5.29.14", der.octets(_key_identifier(request.spki))),
        _extension("2.5.29.35", der.sequence(der.tlv(0x80, _key_identifier(issuer_spki)))),
    ]
    if not is_authority:
        extensions.append(_extension("2.5.29.37", der.sequence(der.oid(request.purpose.value))))
    return extensions


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return der.sequence(der.oid(oid), b"\x01\x01\xff" if critical else b"", der.octets(value))


def _key_identifier(spki: bytes) -> bytes:
    """RFC 7093 method 1: the leftmost 160 bits of SHA-256 over the key's bits."""
    return hashlib.sha256(der.read_bits(der.children(der.read_one(spki).content)[1])).digest()[:20]


def _time(moment: datetime) -> bytes:
    """UTCTime up to 2049, GeneralizedTime from 2050 (RFC 5280, 4.1.2.5)."""
    encoded = der.generalized_time(moment)
    return encoded if moment.year >= 2050 else der.tlv(der.UTC_TIME, encoded[4:])
