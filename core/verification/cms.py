"""SignedData as CMS (RFC 5652) and GB/T 35275 write it, read strictly as DER."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.gm import der
from core.gm.der import DerError, Tlv
from core.verification.certificates import Certificate, certificate_of
from core.verification.digests import digest_of
from core.verification.finding import Broken, Undecided

DATA = "1.2.840.113549.1.7.1"
_GB_DATA = "1.2.156.10197.6.1.4.2.1"
_SIGNED_DATA = {"1.2.840.113549.1.7.2", "1.2.156.10197.6.1.4.2.2"}
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = (f"1.2.840.113549.1.9.{arc}" for arc in (3, 4, 5))
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
TIMESTAMP_ATTRIBUTE = "1.2.840.113549.1.9.16.2.14"
_CONTEXT_0, _CONTEXT_0_PRIMITIVE, _CONTEXT_1 = 0xA0, 0x80, 0xA1
_CERTIFICATES_BYTES = 128 * 1024
"""Room for any honest chain."""


@dataclass(frozen=True, kw_only=True)
class SignerInfo:
    """One signer of a SignedData."""

    issuer_and_serial: bytes
    """DER of the two, or empty when the key identifier is given."""
    key_identifier: bytes
    digest_algorithm: str
    signed_attributes: bytes
    """DER of the SET the signature covers, or empty when it covers the content itself."""
    attributes: dict[str, tuple[Tlv, ...]]
    signature_algorithm: str
    signature_parameters: bytes
    """DER of the algorithm's parameters, or empty."""
    signature: bytes
    unsigned_attributes: dict[str, tuple[Tlv, ...]]

    def value(self, oid: str) -> Tlv | None:
        """The single value of a signed attribute; raises ``DerError`` when it has several."""
        values = self.attributes.get(oid, ())
        if len(values) > 1:
            raise DerError("a signed attribute has several values")
        return values[0] if values else None

    @property
    def signed_at(self) -> datetime | None:
        """The claimed signing time, where there is one."""
        value = self.value(SIGNING_TIME)
        return der.read_time(value) if value else None


@dataclass(frozen=True, kw_only=True)
class SignedData:
    """A SignedData with exactly one signer."""

    content_type: str
    content: bytes | None
    """Embedded content; None when it is detached."""
    certificates: tuple[Certificate, ...]
    signer: SignerInfo
    encoding: bytes


def parse_signed_data(data: bytes) -> SignedData:
    """The SignedData in a ContentInfo; raises ``DerError`` for anything else, or when there is not exactly one signer."""
    kind, wrapped = _parts(der.read_one(data), 2, 2)
    if der.read_oid(kind) not in _SIGNED_DATA or wrapped.tag != _CONTEXT_0:
        raise DerError("not SignedData")
    _, digests, encapsulated, *rest = _parts(der.read_one(wrapped.content), 4, 6)
    if digests.tag != der.SET or rest[-1].tag != der.SET:
        raise DerError("SignedData is malformed")
    content_type, *content = _parts(encapsulated, 1, 2)
    signers = der.children(rest[-1].content)
    if len(rest[0].content) > _CERTIFICATES_BYTES and len(rest) > 1:
        raise DerError("too many certificates")
    if len(signers) != 1:
        raise DerError("SignedData has not exactly one signer")
    embedded = [entry for part in rest[:-1] if part.tag == _CONTEXT_0 for entry in der.children(part.content)]
    return SignedData(
        content_type=der.read_oid(content_type),
        content=der.read_octets(der.read_one(content[0].content)) if content else None,
        certificates=tuple(certificate_of(entry.encoding) for entry in embedded if entry.tag == der.SEQUENCE),
        signer=_signer(signers[0]),
        encoding=data,
    )


def check_attributes(signed: SignedData, certificate: Certificate, digest: bytes) -> None:
    """Raises ``Broken`` unless the signed attributes are about ``digest``, the content type and ``certificate``."""
    signer = signed.signer
    stated, kind, named = (
        signer.value(oid) for oid in (MESSAGE_DIGEST, CONTENT_TYPE, SIGNING_CERTIFICATE_V2)
    )
    if stated is None or der.read_octets(stated) != digest:
        raise Broken("digest-differs", "the content was changed after signing", "内容在签名后被改动")
    if kind is None or not _same_kind(der.read_oid(kind), signed.content_type):
        raise Broken(
            "content-type", "the signature is about another kind of content", "签名针对的内容类型不符"
        )
    if named is not None and not _names_certificate(named, certificate):
        raise Broken("signer-swapped", "the signer's certificate was exchanged", "签名者证书被替换")


def _same_kind(stated: str, content_type: str) -> bool:
    """GB/T 35275 has its own identifier for data; producers mix it with that of CMS."""
    return stated == content_type or {stated, content_type} == {DATA, _GB_DATA}


def signer_certificate(signed: SignedData, others: Sequence[Certificate] = ()) -> Certificate:
    """The certificate the signer names, embedded or among ``others``; raises ``Undecided`` when it is not at hand."""
    for certificate in (*signed.certificates, *others):
        if _names(signed.signer, certificate):
            return certificate
    raise Undecided(
        "signer-missing", "the signer's certificate is not in the signature", "签名中没有签名者证书"
    )


def _names_certificate(value: Tlv, certificate: Certificate) -> bool:
    """Whether the first certificate of SigningCertificateV2 (RFC 5035) is this one."""
    first = _parts(_parts(_parts(value, 1, 2)[0], 1, 64)[0], 1, 3)
    if first[0].tag == der.SEQUENCE:
        method = der.read_oid(der.children(first[0].content)[0])
        return digest_of(method, certificate.encoding) == der.read_octets(first[1])
    return certificate.digests()[1] == der.read_octets(first[0])


def _signer(element: Tlv) -> SignerInfo:
    _, identifier, digest, *rest = _parts(element, 5, 7)
    attributes = rest.pop(0) if rest[0].tag == _CONTEXT_0 else None
    unsigned = rest.pop() if rest[-1].tag == _CONTEXT_1 else None
    if len(rest) != 2:
        raise DerError("SignerInfo is malformed")
    by_name = identifier.tag == der.SEQUENCE
    if not by_name and identifier.tag != _CONTEXT_0_PRIMITIVE:
        raise DerError("SignerInfo names nobody")
    return SignerInfo(
        issuer_and_serial=identifier.content if by_name else b"",
        key_identifier=b"" if by_name else identifier.content,
        digest_algorithm=_algorithm(digest),
        signed_attributes=der.tlv(der.SET, attributes.content) if attributes else b"",
        attributes=_attributes(attributes),
        signature_algorithm=_algorithm(rest[0]),
        signature_parameters=b"".join(part.encoding for part in _parts(rest[0], 1, 2)[1:]),
        signature=der.read_octets(rest[1]),
        unsigned_attributes=_attributes(unsigned, repeated=True),
    )


def _attributes(element: Tlv | None, *, repeated: bool = False) -> dict[str, tuple[Tlv, ...]]:
    """Values by kind; ``repeated`` kinds are gathered, as further timestamps are added beside the first."""
    found: dict[str, tuple[Tlv, ...]] = {}
    for entry in der.children(element.content) if element else ():
        kind, values = _parts(entry, 2, 2)
        oid = der.read_oid(kind)
        if (oid in found and not repeated) or values.tag != der.SET:
            raise DerError("an attribute stands twice or has no set of values")
        found[oid] = (*found.get(oid, ()), *der.children(values.content))
    return found


def _names(signer: SignerInfo, certificate: Certificate) -> bool:
    if signer.issuer_and_serial:
        serial = certificate.parsed["tbs_certificate"]["serial_number"].dump()
        return bool(signer.issuer_and_serial == certificate.parsed.issuer.dump() + serial)
    return bool(certificate.parsed.key_identifier == signer.key_identifier)


def _algorithm(element: Tlv) -> str:
    return der.read_oid(_parts(element, 1, 2)[0])


def _parts(element: Tlv, least: int, most: int) -> list[Tlv]:
    if element.tag != der.SEQUENCE:
        raise DerError("not a SEQUENCE")
    parts = der.children(element.content)
    if not least <= len(parts) <= most:
        raise DerError(f"{len(parts)} elements where {least} to {most} are due")
    return parts
