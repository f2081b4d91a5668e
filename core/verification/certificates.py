"""Certificates as verification sees them: names, keys, purposes, and whether a signature is theirs."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from asn1crypto import algos, x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from core.gm import der, oids, sm2
from core.gm.sm3 import sm3
from core.sealing.certificates import DOCUMENT_SIGNING, Purpose
from core.sealing.signers import MINIMUM_RSA_BITS, key_id
from core.verification.finding import Broken, Undecided

LARGEST_BYTES = 16 * 1024
MALFORMED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What asn1crypto raises where an encoding is not what it should be."""
_ANY_USAGE = "2.5.29.37.0"
_DOCUMENT_USAGES = {
    _ANY_USAGE,
    DOCUMENT_SIGNING,
    "1.3.6.1.5.5.7.3.4",  # e-mail protection: what certificates for signing people and offices commonly carry
    "1.3.6.1.4.1.311.10.3.12",  # Microsoft document signing
    "1.2.840.113583.1.1.5",  # Adobe authentic documents
}
_TIMESTAMP_USAGES = {"1.3.6.1.5.5.7.3.8"}
_SEAL_MAKER_USAGES = {_ANY_USAGE, Purpose.SEAL_MAKER.value, "1.3.6.1.5.5.7.3.4"}

_ECDSA = {
    "1.2.840.10045.4.3.2": hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
    "2.16.840.1.101.3.4.3.10": hashes.SHA3_256(),
    "2.16.840.1.101.3.4.3.11": hashes.SHA3_384(),
    "2.16.840.1.101.3.4.3.12": hashes.SHA3_512(),
}
_RSA = {
    "1.2.840.113549.1.1.11": hashes.SHA256(),
    "1.2.840.113549.1.1.12": hashes.SHA384(),
    "1.2.840.113549.1.1.13": hashes.SHA512(),
    "2.16.840.1.101.3.4.3.14": hashes.SHA3_256(),
    "2.16.840.1.101.3.4.3.15": hashes.SHA3_384(),
    "2.16.840.1.101.3.4.3.16": hashes.SHA3_512(),
}
_RSA_PSS = "1.2.840.113549.1.1.10"
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
    "2.16.840.1.101.3.4.2.8": hashes.SHA3_256(),
    "2.16.840.1.101.3.4.2.9": hashes.SHA3_384(),
    "2.16.840.1.101.3.4.2.10": hashes.SHA3_512(),
}
_SM2_NAMES = (oids.SM2_WITH_SM3, oids.SM2_CURVE, "1.2.156.10197.1.301.1", "1.2.156.10197.501")
"""How producers name an SM2 signature: with SM3 (the right one), by the curve, by its signing use, with an arc left out."""
_WEAK = {
    "1.2.840.113549.1.1.4": "MD5 with RSA",
    "1.2.840.113549.1.1.5": "SHA-1 with RSA",
    "1.2.840.10045.4.1": "SHA-1 with ECDSA",
    "1.2.840.113549.2.5": "MD5",
    "1.3.14.3.2.26": "SHA-1",
}
_SHORT_NAMES = {
    "common_name": "CN",
    "organization_name": "O",
    "organizational_unit_name": "OU",
    "locality_name": "L",
    "state_or_province_name": "ST",
    "country_name": "C",
}
ALGORITHM_NAMES = {
    **dict.fromkeys(_SM2_NAMES, "sm2-sm3"),
    oids.ECDSA_SHA256: "ecdsa-p256-sha256",
    oids.RSA_SHA256: "rsa-sha256",
    oids.RSA_KEY: "rsa",
    _RSA_PSS: "rsa-pss",
    "1.2.840.113549.1.1.12": "rsa-sha384",
    "1.2.840.113549.1.1.13": "rsa-sha512",
    "1.2.840.10045.4.3.3": "ecdsa-sha384",
    "1.2.840.10045.4.3.4": "ecdsa-sha512",
    oids.ED25519: "ed25519",
}


@lru_cache(maxsize=128)
def certificate_of(encoding: bytes) -> "Certificate":
    """The certificate of an encoding; seals repeat the same few, so what was parsed and checked is kept.

    Raises ``Broken`` for one beyond ``LARGEST_BYTES``: what is kept has to stay small whatever files bring.
    """
    if len(encoding) > LARGEST_BYTES:
        raise Broken("certificate-malformed", "a certificate is too large", "证书过大")
    return Certificate(encoding)


@lru_cache(maxsize=256)
def _issued(certificate: "Certificate", issuer: "Certificate") -> bool:
    if certificate.parsed.issuer.dump() != issuer.parsed.subject.dump() or not issuer.is_authority:
        return False
    tbs, algorithm, signature = certificate.signed_parts
    if algorithm not in (part.encoding for part in der.children(der.read_one(tbs).content)[:3]):
        return False
    try:
        return verify_signature(
            issuer,
            certificate.signature_algorithm,
            tbs,
            signature,
            parameters=certificate.signature_parameters,
        )
    except Undecided:
        return False


@dataclass(frozen=True)
class Certificate:
    """A DER certificate."""

    encoding: bytes

    @cached_property
    def parsed(self) -> Any:
        """asn1crypto's view; raises ``Broken`` when it is no certificate."""
        try:
            parsed = x509.Certificate.load(self.encoding, strict=True)
            _ = parsed.native  # parsing is lazy: errors are to come here, not later
        except MALFORMED as error:
            raise Broken("certificate-malformed", "a certificate cannot be read", "证书无法解析") from error
        return parsed

    @cached_property
    def signed_parts(self) -> tuple[bytes, bytes, bytes]:
        """TBSCertificate, algorithm identifier and signature as they stand in the encoding; raises ``Broken``.

        asn1crypto re-encodes what it has parsed, so a value in a second encoding would come back in the one that was signed.
        """
        try:
            tbs, algorithm, signature = der.children(der.read_one(self.encoding, der.SEQUENCE).content)
            return tbs.encoding, algorithm.encoding, der.read_bits(signature)
        except ValueError as error:
            raise Broken(
                "certificate-malformed", "a certificate is not in DER", "证书不是 DER 编码"
            ) from error

    @cached_property
    def subject(self) -> str:
        """Subject for people, most specific part first: ``CN=…, O=…``."""
        parts = [
            (name, value) for name, value in self.parsed.subject.native.items() if isinstance(value, str)
        ]
        return ", ".join(f"{_SHORT_NAMES.get(name, name)}={value}" for name, value in reversed(parts))

    @cached_property
    def spki(self) -> bytes:
        encoding: bytes = self.parsed.public_key.dump()
        return encoding

    @property
    def key_id(self) -> str:
        return key_id(self.spki)

    @property
    def valid_from(self) -> datetime:
        moment: datetime = self.parsed.not_valid_before
        return moment

    @property
    def valid_until(self) -> datetime:
        moment: datetime = self.parsed.not_valid_after
        return moment

    @property
    def is_authority(self) -> bool:
        """May sign certificates: basic constraints, and key usage where stated."""
        usage = self.parsed.key_usage_value
        return bool(self.parsed.ca) and (usage is None or "key_cert_sign" in usage.native)

    @property
    def path_length(self) -> int | None:
        """How many authorities may follow below, or None for any number."""
        length: int | None = self.parsed.max_path_length
        return length

    @property
    def signature_algorithm(self) -> str:
        dotted: str = self.parsed["signature_algorithm"]["algorithm"].dotted
        return dotted

    @property
    def signature_parameters(self) -> bytes:
        """DER of the parameters of the signature algorithm, or empty."""
        return b"".join(
            part.encoding for part in der.children(der.read_one(self.signed_parts[1]).content)[1:]
        )

    def digests(self) -> tuple[bytes, ...]:
        """The digests a seal may list a certificate by."""
        return sm3(self.encoding), hashlib.sha256(self.encoding).digest()

    def was_issued_by(self, issuer: "Certificate") -> bool:
        """Whether ``issuer`` is named, may issue, and made the signature; raises ``Broken`` for a weak algorithm."""
        return _issued(self, issuer)

    def check_document_purpose(self) -> None:
        """Raises ``Broken`` unless the certificate may sign documents."""
        self._check_purpose(_DOCUMENT_USAGES, "sign documents", "签署文件")

    def check_seal_maker_purpose(self) -> None:
        """Raises ``Broken`` unless the certificate may make seals."""
        self._check_purpose(_SEAL_MAKER_USAGES, "make seals", "制作印章")

    def check_timestamp_purpose(self) -> None:
        """Raises ``Broken`` unless the certificate may stamp times (RFC 3161, 2.3)."""
        self._check_purpose(_TIMESTAMP_USAGES, "stamp times", "签发时间戳", stated=True)

    def _check_purpose(self, allowed: set[str], en: str, zh: str, *, stated: bool = False) -> None:
        usage, extended = self.parsed.key_usage_value, self.parsed.extended_key_usage_value
        signs = usage is None or {"digital_signature", "non_repudiation"} & usage.native
        fits = (extended is None and not stated) or (
            extended is not None and bool(allowed & {use.dotted for use in extended})
        )
        if not signs or not fits or self.is_authority:
            raise Broken(
                "wrong-purpose",
                f"the certificate of {self.subject} is not meant to {en}",
                f"{self.subject} 的证书用途不允许{zh}",
            )


def names_of(algorithm: str) -> tuple[str, ...]:
    """The OIDs that mean the same signature algorithm, the right one first."""
    return _SM2_NAMES if algorithm in _SM2_NAMES else (algorithm,)


def refuse_weak(*algorithms: str) -> None:
    """Raises ``Broken`` when one of the OIDs is an algorithm that is known to be broken."""
    for algorithm in algorithms:
        if weak := _WEAK.get(algorithm):
            raise Broken(
                "weak-algorithm", f"{weak} is too weak to prove anything", f"{weak} 强度不足，不能作为证明"
            )


def verify_signature(
    signer: Certificate,
    algorithm: str,
    message: bytes,
    signature: bytes,
    digest: str = "",
    parameters: bytes = b"",
    *,
    hashed: bool = False,
) -> bool:
    """Whether ``signature`` over ``message`` is the signer's under the named algorithm (OID) with its DER ``parameters``.

    ``digest`` (OID) completes algorithms that do not name one (plain RSA in CMS); with ``hashed`` the message is that digest
    already. Raises ``Broken`` for weak algorithms and ``Undecided`` for those not supported; an algorithm of another kind of
    key is simply false.
    """
    refuse_weak(algorithm, digest)
    key = signer.parsed.public_key
    if key.algorithm == "ec" and key["algorithm"]["parameters"].native == oids.SM2_CURVE:
        if hashed:
            raise _unsupported(algorithm)
        return algorithm in _SM2_NAMES and sm2.verify(signer.spki[-65:], message, signature)
    if algorithm in _SM2_NAMES:
        return False
    try:
        public = serialization.load_der_public_key(signer.spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Undecided("key-unsupported", "the kind of key is not supported", "不支持该密钥类型") from error
    try:
        match public:
            case ec.EllipticCurvePublicKey() if algorithm in _ECDSA:
                public.verify(signature, message, ec.ECDSA(_applied(_ECDSA[algorithm], hashed=hashed)))
            case rsa.RSAPublicKey():
                scheme, chosen = _rsa_scheme(public, algorithm, digest, parameters)
                public.verify(signature, message, scheme, _applied(chosen, hashed=hashed))
            case ed25519.Ed25519PublicKey() if algorithm == oids.ED25519 and not hashed:
                public.verify(signature, message)
            case _:
                raise _unsupported(algorithm)
    except InvalidSignature:
        return False
    return True


def _applied(chosen: hashes.HashAlgorithm, *, hashed: bool) -> hashes.HashAlgorithm | utils.Prehashed:
    return utils.Prehashed(chosen) if hashed else chosen


def _rsa_scheme(
    key: rsa.RSAPublicKey, algorithm: str, digest: str, parameters: bytes
) -> tuple[padding.PKCS1v15 | padding.PSS, hashes.HashAlgorithm]:
    if key.key_size < MINIMUM_RSA_BITS:
        raise Broken("weak-key", "the RSA key has fewer than 2048 bits", "RSA 密钥不足 2048 位")
    if algorithm == _RSA_PSS:
        return _pss(parameters)
    chosen = _HASHES.get(digest) if algorithm == oids.RSA_KEY else _RSA.get(algorithm)
    if chosen is None:
        raise _unsupported(algorithm)
    return padding.PKCS1v15(), chosen


def _pss(parameters: bytes) -> tuple[padding.PSS, hashes.HashAlgorithm]:
    """RSASSA-PSS-params (RFC 4055); absent members mean SHA-1, which is refused as weak."""
    try:
        read = algos.RSASSAPSSParams.load(parameters, strict=True)
        named = [read["hash_algorithm"], read["mask_gen_algorithm"]["parameters"]]
        digest, mask = (name["algorithm"].dotted for name in named)
        salt, trailer = read["salt_length"].native, read["trailer_field"].native
    except MALFORMED as error:
        raise Broken(
            "algorithm-parameters", "the parameters of RSA-PSS are malformed", "RSA-PSS 参数格式错误"
        ) from error
    refuse_weak(digest, mask)
    chosen, masking = _HASHES.get(digest), _HASHES.get(mask)
    if chosen is None or masking is None or trailer != "trailer_field_bc" or not 0 <= salt <= 512:
        raise _unsupported(_RSA_PSS)
    return padding.PSS(padding.MGF1(masking), salt), chosen


def _unsupported(algorithm: str) -> Undecided:
    return Undecided(
        "algorithm-unsupported",
        f"signature algorithm {algorithm} is not supported",
        f"不支持签名算法 {algorithm}",
    )
