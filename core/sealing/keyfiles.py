"""Signers from key files: PEM (plain or encrypted PKCS#8) and PKCS#12."""

from pathlib import Path

from asn1crypto import pem
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from contracts.fault import Rule
from core.errors import ConfigError
from core.gm.libcrypto import Pkcs12, Sm2Key, Sm2Unavailable, read_pkcs12
from core.sealing.signers import PrivateKey, SoftwareSigner, algorithm_of, certificate_spki, spki_of

UNREADABLE_KEY = Rule(
    code="key.unreadable",
    en="the key cannot be used: {reason}",
    zh="密钥无法使用：{reason}",
    remedy_en="give a PEM (PKCS#8) or PKCS#12 file and its password, with an SM2, ECDSA P-256, RSA or Ed25519 key",
    remedy_zh="请提供 PEM（PKCS#8）或 PKCS#12 文件及其口令，密钥为 SM2、ECDSA P-256、RSA 或 Ed25519",
)
UNREADABLE_CERTIFICATE = Rule(
    code="key.certificate-unreadable",
    en="the certificate file cannot be read: {reason}",
    zh="证书文件无法读取：{reason}",
    remedy_en="give a PEM or DER file whose first certificate belongs to the key",
    remedy_zh="请提供 PEM 或 DER 文件，其中第一张证书应属于该密钥",
)
FOREIGN_CERTIFICATE = Rule(
    code="key.certificate-mismatch",
    en="the certificate is not that of the key",
    zh="证书与密钥不匹配",
    remedy_en="give the certificate issued for this key",
    remedy_zh="请提供为该密钥签发的证书",
)


def load_signer(key_file: Path, certificate_file: Path, password: bytes | None = None) -> SoftwareSigner:
    """The signer of a PEM key and its certificates (the key's own first, then the chain); raises ``ConfigError``."""
    try:
        key = read_private_key(key_file.read_bytes(), password)
    except (OSError, ValueError, Sm2Unavailable) as error:
        raise _refused(key_file, UNREADABLE_KEY, error) from error
    try:
        certificate, *chain = read_certificates(certificate_file.read_bytes())
    except (OSError, ValueError) as error:
        raise _refused(certificate_file, UNREADABLE_CERTIFICATE, error) from error
    return _signer(certificate_file, key, certificate, chain)


def load_pkcs12_signer(file: Path, password: bytes) -> SoftwareSigner:
    """The signer of a PKCS#12 file; raises ``ConfigError``."""
    try:
        key, certificate, chain = _read_pkcs12(file.read_bytes(), password)
    except (OSError, ValueError, Sm2Unavailable) as error:
        raise _refused(file, UNREADABLE_KEY, error) from error
    return _signer(file, key, certificate, chain)


def read_private_key(data: bytes, password: bytes | None = None) -> PrivateKey:
    """The private key of a PEM file; ValueError when it cannot be read, ``Sm2Unavailable`` where only libcrypto could read it."""
    try:
        key = serialization.load_pem_private_key(data, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return Sm2Key.from_pem(data, password)  # ``cryptography`` knows no SM2 and refuses the curve
    return _supported(key)


def read_certificates(data: bytes) -> list[bytes]:
    """DER certificates of a PEM file in their order, or the one of a DER file; ValueError when there is none."""
    if not pem.detect(data):
        certificate_spki(data)
        return [data]
    blocks = [der for kind, _, der in pem.unarmor(data, multiple=True) if kind == "CERTIFICATE"]
    if not blocks:
        raise ValueError("no certificate in the file")
    for block in blocks:
        certificate_spki(block)
    return blocks


def private_pem(key: PrivateKey, password: bytes | None = None) -> bytes:
    """PKCS#8 PEM of a private key, encrypted when a password is given."""
    if isinstance(key, Sm2Key):
        return key.to_pem(password)
    cipher = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher)


def certificates_pem(*certificates: bytes) -> bytes:
    """PEM of DER certificates."""
    return b"".join(pem.armor("CERTIFICATE", certificate) for certificate in certificates)


def _read_pkcs12(data: bytes, password: bytes) -> tuple[PrivateKey, bytes, list[bytes]]:
    try:
        bundle = pkcs12.load_pkcs12(data, password)
    except (ValueError, UnsupportedAlgorithm):
        found: Pkcs12 = read_pkcs12(data, password)
        return found.key, found.certificate, found.others
    if bundle.key is None or bundle.cert is None:
        raise ValueError("the file holds no key with its certificate")
    der = serialization.Encoding.DER
    others = [other.certificate.public_bytes(der) for other in bundle.additional_certs]
    return _supported(bundle.key), bundle.cert.certificate.public_bytes(der), others


def _supported(key: object) -> PrivateKey:
    algorithm_of(key)  # type: ignore[arg-type]  # raises for every kind outside the union
    return key  # type: ignore[return-value]  # the line above has just checked it


def _signer(file: Path, key: PrivateKey, certificate: bytes, chain: list[bytes]) -> SoftwareSigner:
    if certificate_spki(certificate) != spki_of(key):
        raise ConfigError(str(file), [FOREIGN_CERTIFICATE.at("")])
    return SoftwareSigner(key, certificate, chain)


def _refused(file: Path, rule: Rule, error: Exception) -> ConfigError:
    return ConfigError(str(file), [rule.at("", reason=str(error))])
