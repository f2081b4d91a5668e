"""The signature values an OFD may carry: a sealed SES value, or a plain signature as SignedData or bare numbers."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from core.gm import curve, der, oids
from core.gm.der import DerError
from core.sealing.ses import SesSeal, SesSignature, parse_signature
from core.sealing.suites import suite_by_oid
from core.verification.ber import in_der
from core.verification.certificates import (
    Certificate,
    certificate_of,
    names_of,
    refuse_weak,
    verify_signature,
)
from core.verification.cms import SignedData, check_attributes, parse_signed_data, signer_certificate
from core.verification.digests import digest_of
from core.verification.finding import Broken, Undecided
from core.verification.ofd import CONTAINER_PARAMETER, OfdSignature

_BARE_SIZES = {64, 256, 384, 512}
"""Bytes of Ed25519 and RSA signatures, which have no structure of their own."""


@dataclass(frozen=True)
class Plain:
    """A signature without seal: SignedData, or the bare value."""

    signed: SignedData | None
    bare: bytes


_BARE_SM2_BYTES = 64
_KEPT_SEAL_BYTES = 64 * 1024
"""Seals up to this size are remembered once their maker's signature was found good."""

SignedValue = SesSignature | Plain


@dataclass(frozen=True)
class Signed:
    """Who signed, by which algorithm, when; the outcome of a signature check."""

    certificate: Certificate
    algorithm: str
    signed_at: datetime | None
    others: tuple[Certificate, ...] = ()
    """Certificates that came along."""


def read_signed_value(signature: OfdSignature, data: bytes) -> SignedValue:
    """The signature value in ``data``; raises ``Broken`` when it is none of the known forms."""
    try:
        return parse_signature(data)
    except DerError as error:
        if signature.kind == "Seal":
            raise Broken(
                "signed-value",
                f"the signature value of {signature.name} is malformed: {error}",
                f"{signature.name} 的签名值格式错误",
            ) from error
    plain = _plain(data) or _plain(_from_base64(data))
    if plain is None:
        raise Undecided("signed-value", "the signature value is of an unknown form", "签名值的格式未知")
    return plain


def check_ses(signature: OfdSignature, value: SesSignature) -> Signed:
    """Raises ``Broken`` unless the value is a good signature over Signature.xml by the certificate it carries."""
    refuse_weak(value.signature_algorithm)
    suite = suite_by_oid(names_of(value.signature_algorithm)[0])
    if suite is None:
        raise Undecided(
            "algorithm-unsupported",
            f"signature algorithm {value.signature_algorithm} is not supported",
            f"不支持签名算法 {value.signature_algorithm}",
        )
    if value.data_hash != suite.digest(signature.encoding):
        raise Broken(
            "data-hash", f"{signature.member} was changed after signing", f"{signature.member} 在签名后被改动"
        )
    if not _made_for(value.property_info, signature.member):
        raise Broken(
            "property-info",
            f"the signature was made for {value.property_info}, not for {signature.member}",
            f"签名针对 {value.property_info}，而不是 {signature.member}",
        )
    if signature.method and signature.method not in (
        *names_of(value.signature_algorithm),
        suite.algorithm.value,
    ):
        raise Broken(
            "algorithm-differs",
            "document and signature name different algorithms",
            "文件与签名声明的算法不同",
        )
    certificate = certificate_of(value.certificate)
    if not verify_signature(
        certificate, value.signature_algorithm, value.to_sign, _on_the_wire(signature, value.signature)
    ):
        raise _bad_signature(signature)
    return Signed(certificate, value.signature_algorithm, value.signed_at or signature.claimed_at)


def _made_for(property_info: str, member: str) -> bool:
    """Whether the place a signature names is its own; the standard leaves the text free, so one that is no place passes."""
    place = property_info.strip("/")
    is_place = place.endswith(".xml")
    return not is_place or f"/{member}".endswith(f"/{place}")


def _on_the_wire(signature: OfdSignature, value: bytes) -> bytes:
    """An SM2 signature in DER, also from producers that write two bare numbers; the hub's own have one encoding."""
    if len(value) != _BARE_SM2_BYTES or CONTAINER_PARAMETER in signature.parameters:
        return value
    r, s = (int.from_bytes(value[at : at + 32], "big") for at in (0, 32))
    return der.sequence(der.integer(r), der.integer(s))


def check_plain(signature: OfdSignature, value: Plain, others: Sequence[Certificate]) -> Signed:
    """The signer of a plain signature over Signature.xml; ``others`` are certificates to try where none is embedded.

    Raises ``Broken`` when it is not genuine and ``Undecided`` when no certificate is at hand.
    """
    if value.signed is not None:
        return _check_signed_data(signature, value.signed, others)
    method = signature.method or oids.SM2_WITH_SM3
    for certificate in others:
        if verify_signature(certificate, method, signature.encoding, value.bare):
            return Signed(certificate, method, signature.claimed_at)
    raise Undecided(
        "signer-unknown",
        "the signature carries no certificate and none at hand fits it",
        "签名不带证书，且现有证书均不能验证该签名",
    )


def maker_coverage(seal: SesSeal) -> str:
    """What the seal maker's signature covers; raises ``Broken`` when it is good for neither convention."""
    if len(seal.encoding) > _KEPT_SEAL_BYTES:
        return _maker_coverage(seal)
    return _kept_maker_coverage(seal)


def _maker_coverage(seal: SesSeal) -> str:
    maker = certificate_of(seal.maker_certificate)
    for name, message in seal.signed_forms().items():
        if verify_signature(maker, seal.signature_algorithm, message, seal.signature):
            return name
    raise Broken("seal-signature", "the seal is not what its maker signed", "印章与制章者签名不符")


_kept_maker_coverage = lru_cache(maxsize=64)(_maker_coverage)


def _check_signed_data(signature: OfdSignature, signed: SignedData, others: Sequence[Certificate]) -> Signed:
    signer, certificate = signed.signer, signer_certificate(signed, others)
    digest = digest_of(signer.digest_algorithm, signature.encoding)
    if signed.content is not None and signed.content not in (digest, signature.encoding):
        raise Broken(
            "data-hash", f"{signature.member} was changed after signing", f"{signature.member} 在签名后被改动"
        )
    if signer.signed_attributes:
        embedded = digest if signed.content is None else digest_of(signer.digest_algorithm, signed.content)
        check_attributes(signed, certificate, embedded)
    message = signer.signed_attributes or (digest if signed.content is None else signed.content)
    if not verify_signature(
        certificate,
        signer.signature_algorithm,
        message,
        signer.signature,
        signer.digest_algorithm,
        signer.signature_parameters,
    ):
        raise _bad_signature(signature)
    return Signed(certificate, signer.signature_algorithm, signature.claimed_at, signed.certificates)


def _plain(data: bytes) -> Plain | None:
    try:
        return Plain(parse_signed_data(in_der(data)[0]), b"")
    except DerError:
        pass
    try:
        curve.read_signature(data)
    except DerError:
        return Plain(None, data) if len(data) in _BARE_SIZES else None
    return Plain(None, data)


def _from_base64(data: bytes) -> bytes:
    """Some producers wrap SignedData in base64."""
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _bad_signature(signature: OfdSignature) -> Broken:
    return Broken(
        "bad-signature", f"signature {signature.name} is not genuine", f"签名 {signature.name} 验证不通过"
    )
