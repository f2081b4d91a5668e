"""PAdES-B-B signature values (ETSI EN 319 142-1) by DER concatenation: one shape, whatever the signer."""

import hashlib
from collections.abc import Sequence

from core.gm import der, oids
from core.ports.signer import Signer
from core.sealing.suites import suite_of

_DATA = "1.2.840.113549.1.7.1"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_ROOM_BESIDE_CERTIFICATES = 1024
"""Bytes of a signature value that are not certificates: attributes, identifiers and a signature of up to 4096 bits."""


class CmsWriter:
    """Writes signature values of one signer (CMS SignedData, RFC 5652, detached)."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        suite = suite_of(signer.algorithm)
        certificates = (signer.certificate, *signer.chain)
        self._digest_algorithm = der.sequence(der.oid(oids.SHA256))
        self._signature_algorithm = der.sequence(der.oid(suite.signature_oid), suite.parameters)
        self._certificates = der.tlv(0xA0, *certificates)
        self._identifier = _issuer_and_serial(signer.certificate)
        self._fixed_attributes = (
            _attribute(_CONTENT_TYPE, der.oid(_DATA)),
            _attribute(_SIGNING_CERTIFICATE_V2, _certificate_reference(signer.certificate)),
        )
        self.room_bytes = sum(map(len, certificates)) + _ROOM_BESIDE_CERTIFICATES
        """What a signature value takes at most."""

    def write(self, digests: Sequence[bytes]) -> list[bytes]:
        """Signature values over documents of these SHA-256 digests, in order; raises what ``Signer.sign`` raises."""
        attributes = [self._attributes(digest) for digest in digests]
        signatures = self._signer.sign([der.tlv(der.SET, content) for content in attributes])
        return [
            self._value(content, signature) for content, signature in zip(attributes, signatures, strict=True)
        ]

    def _attributes(self, digest: bytes) -> bytes:
        attributes = (*self._fixed_attributes, _attribute(_MESSAGE_DIGEST, der.octets(digest)))
        return b"".join(sorted(attributes))

    def _value(self, attributes: bytes, signature: bytes) -> bytes:
        signer_info = der.sequence(
            der.integer(1),
            self._identifier,
            self._digest_algorithm,
            der.tlv(0xA0, attributes),
            self._signature_algorithm,
            der.octets(signature),
        )
        signed_data = der.sequence(
            der.integer(1),
            der.tlv(der.SET, self._digest_algorithm),
            der.sequence(der.oid(_DATA)),
            self._certificates,
            der.tlv(der.SET, signer_info),
        )
        return der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, signed_data))


def _attribute(dotted: str, value: bytes) -> bytes:
    return der.sequence(der.oid(dotted), der.tlv(der.SET, value))


def _certificate_reference(certificate: bytes) -> bytes:
    """SigningCertificateV2 with the default digest, SHA-256 (RFC 5035)."""
    reference = der.sequence(der.octets(hashlib.sha256(certificate).digest()))
    return der.sequence(der.sequence(reference))


def _issuer_and_serial(certificate: bytes) -> bytes:
    fields = der.children(der.children(der.read_one(certificate).content)[0].content)
    if fields[0].tag != der.INTEGER:
        fields = fields[1:]
    serial, _, issuer = fields[:3]
    return der.sequence(issuer.encoding, serial.encoding)
