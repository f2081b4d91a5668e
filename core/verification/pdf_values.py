"""The values PDF signatures hold, one form for each sub-filter (ISO 32000-2, 12.8.3): CMS, a bare RSA value, a timestamp."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.gm import der, oids
from core.gm.der import DerError
from core.verification import pdf
from core.verification.ber import in_der
from core.verification.certificates import Certificate, certificate_of, verify_signature
from core.verification.cms import (
    TIMESTAMP_ATTRIBUTE,
    SignedData,
    check_attributes,
    parse_signed_data,
    signer_certificate,
)
from core.verification.digests import digest_of, new_digest
from core.verification.finding import Broken, Undecided
from core.verification.pdf import PdfSignature
from core.verification.pdf_canonical import without_padding
from core.verification.timestamps import Timestamp, read_timestamp

_RSA_DIGESTS = ("2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.3")


@dataclass(frozen=True, kw_only=True)
class PdfValue:
    """A signature value that is about the bytes it covers; whether it is genuine is still to be asked."""

    certificate: Certificate
    others: tuple[Certificate, ...]
    algorithm: str
    claimed_at: datetime | None = None
    message: bytes = b""
    hashed: bool = False
    """``message`` is the digest of what was signed."""
    signature: bytes = b""
    digest: str = ""
    parameters: bytes = b""
    token: bytes = b""
    """Timestamp of the signature, or empty."""
    stamp: Timestamp | None = None
    """What a document timestamp says; it is genuine."""

    @property
    def has_timestamp(self) -> bool:
        return bool(self.token)

    @property
    def stamped_at(self) -> datetime | None:
        return self.stamp.moment if self.stamp else None

    def is_genuine(self) -> bool:
        """Whether the signature is the signer's; raises findings for what is weak or not supported."""
        return self.stamp is not None or verify_signature(
            self.certificate,
            self.algorithm,
            self.message,
            self.signature,
            self.digest,
            self.parameters,
            hashed=self.hashed,
        )

    def timestamp(self) -> Timestamp | None:
        """The genuine timestamp there is; raises like ``read_timestamp``."""
        if self.stamp or not self.token:
            return self.stamp
        return read_timestamp(self.token, lambda method: digest_of(method, self.signature))


def read_value(data: bytes, signature: PdfSignature, others: Sequence[Certificate], *, own: bool) -> PdfValue:
    """The value of a signature; ``others`` may hold the signer's certificate. ``own`` files are in the hub's one form.

    Raises ``Broken`` when the covered bytes are not those that were signed, ``Undecided`` for a form that is not read, and
    ``DerError``.
    """
    value = _element(signature, own=own)
    match signature.sub_filter:
        case pdf.TIMESTAMP:
            return _document_timestamp(data, signature, value)
        case pdf.X509_RSA_SHA1:
            return _bare(data, signature, value)
        case pdf.PKCS7_SHA1:
            return _refuse_sha1(data, signature, parse_signed_data(value))
        case pdf.CADES_DETACHED | pdf.PKCS7_DETACHED:
            return _detached(data, signature, parse_signed_data(value), others)
    raise Undecided(
        "sub-filter",
        f"signatures of form {signature.sub_filter} are not judged",
        f"不支持 {signature.sub_filter} 形式的签名",
    )


def covered_digest(data: bytes, signature: PdfSignature, method: str) -> bytes:
    """The digest of the bytes a signature covers; raises like ``new_digest``."""
    first, size, second, rest = signature.byte_range
    running, view = new_digest(method), memoryview(data)
    running.update(view[first : first + size])
    running.update(view[second : second + rest])
    return running.digest()


def _detached(
    data: bytes, signature: PdfSignature, signed: SignedData, others: Sequence[Certificate]
) -> PdfValue:
    signer = signed.signer
    if signed.content is not None:
        raise Broken(
            "content-type", "the signature value is about content of its own", "签名值针对其自带的内容"
        )
    certificate = signer_certificate(signed, others)
    digest = covered_digest(data, signature, signer.digest_algorithm)
    if signer.signed_attributes:
        check_attributes(signed, certificate, digest)
    tokens = signer.unsigned_attributes.get(TIMESTAMP_ATTRIBUTE, ())
    return PdfValue(
        certificate=certificate,
        others=signed.certificates,
        algorithm=signer.signature_algorithm,
        claimed_at=signer.signed_at,
        message=signer.signed_attributes or digest,
        hashed=not signer.signed_attributes,
        signature=signer.signature,
        digest=signer.digest_algorithm,
        parameters=signer.signature_parameters,
        token=tokens[0].encoding if tokens else b"",
    )


def _refuse_sha1(data: bytes, signature: PdfSignature, signed: SignedData) -> PdfValue:
    """This form signs a SHA-1 digest: it can show that a file was changed, never that it was not."""
    digest = _covered_sha1(data, signature)
    if signed.content != digest:
        raise Broken("digest-differs", "the content was changed after signing", "内容在签名后被改动")
    raise Broken(
        "weak-digest",
        "the signature is over a SHA-1 digest, which proves nothing",
        "签名针对 SHA-1 摘要，不能作为证明",
    )


def _covered_sha1(data: bytes, signature: PdfSignature) -> bytes:
    first, size, second, rest = signature.byte_range
    running, view = hashlib.sha1(usedforsecurity=False), memoryview(data)
    running.update(view[first : first + size])
    running.update(view[second : second + rest])
    return running.digest()


def _bare(data: bytes, signature: PdfSignature, value: bytes) -> PdfValue:
    """An RSA value without CMS: the digest is the one it was made with; SHA-1, the usual one, proves nothing."""
    if not signature.certificates:
        raise Undecided(
            "signer-missing", "the signer's certificate is not in the signature", "签名中没有签名者证书"
        )
    certificate, *others = (certificate_of(encoding) for encoding in signature.certificates)
    bare = der.read_octets(der.read_one(value))
    for method in _RSA_DIGESTS:
        digest = covered_digest(data, signature, method)
        if verify_signature(certificate, oids.RSA_KEY, digest, bare, method, hashed=True):
            return PdfValue(
                certificate=certificate,
                others=tuple(others),
                algorithm=oids.RSA_KEY,
                message=digest,
                hashed=True,
                signature=bare,
                digest=method,
            )
    raise Broken(
        "weak-digest",
        "the signature is over a SHA-1 digest or over other bytes, and proves nothing",
        "签名针对 SHA-1 摘要或其他内容，不能作为证明",
    )


def _document_timestamp(data: bytes, signature: PdfSignature, value: bytes) -> PdfValue:
    stamp = read_timestamp(value, lambda method: covered_digest(data, signature, method))
    return PdfValue(certificate=stamp.certificate, others=stamp.others, algorithm="", stamp=stamp)


def _element(signature: PdfSignature, *, own: bool) -> bytes:
    """The signature value in DER; BER of other producers is turned into it. Raises ``DerError``."""
    if own:
        return without_padding(signature.value)
    value, size = in_der(signature.value)
    if signature.value[size:].strip(b"\0"):
        raise DerError("bytes follow the signature value")
    return value
