"""Signers over software keys: SM2 in the system's libcrypto, the others in ``cryptography``; they fulfil the port ``Signer``."""

import hashlib
from collections.abc import Sequence

from asn1crypto import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from core.gm.libcrypto import Sm2Key
from core.ports.signer import Algorithm

PrivateKey = Sm2Key | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
MINIMUM_RSA_BITS = 2048


class UnsupportedKey(ValueError):
    """A key of a kind, curve or size the hub does not sign with."""


class SoftwareSigner:
    """A private key in memory with its certificate; safe to use from several threads."""

    def __init__(self, key: PrivateKey, certificate: bytes, chain: Sequence[bytes] = ()) -> None:
        self.algorithm = algorithm_of(key)
        self.certificate = certificate
        self.chain = tuple(chain)
        self.key_id = key_id(spki_of(key))
        self._key = key

    def sign(self, messages: Sequence[bytes]) -> list[bytes]:
        if isinstance(self._key, Sm2Key):
            return self._key.sign(messages)
        return [_sign(self._key, message) for message in messages]


def key_id(spki: bytes) -> str:
    """Name of a key: the first 16 bytes of SHA-256 over its SubjectPublicKeyInfo, in hexadecimal."""
    return hashlib.sha256(spki).hexdigest()[:32]


def certificate_spki(certificate: bytes) -> bytes:
    """SubjectPublicKeyInfo (DER) inside a DER certificate; ValueError when it is none."""
    spki: bytes = x509.Certificate.load(certificate, strict=True).public_key.dump()
    return spki


def spki_of(key: PrivateKey) -> bytes:
    """SubjectPublicKeyInfo (DER) of a private key's public half."""
    if isinstance(key, Sm2Key):
        return key.spki
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


def algorithm_of(key: PrivateKey) -> Algorithm:
    """The algorithm a key signs with; raises ``UnsupportedKey``."""
    match key:
        case Sm2Key():
            return Algorithm.SM2_SM3
        case ec.EllipticCurvePrivateKey() if isinstance(key.curve, ec.SECP256R1):
            return Algorithm.ECDSA_P256_SHA256
        case rsa.RSAPrivateKey() if key.key_size >= MINIMUM_RSA_BITS:
            return Algorithm.RSA_SHA256
        case ed25519.Ed25519PrivateKey():
            return Algorithm.ED25519
    raise UnsupportedKey("only SM2, ECDSA P-256, RSA of 2048 bits or more, and Ed25519 keys sign")


def generate_key(algorithm: Algorithm) -> PrivateKey:
    """A fresh private key for ``algorithm`` (RSA: 3072 bits)."""
    match algorithm:
        case Algorithm.SM2_SM3:
            return Sm2Key.generate()
        case Algorithm.ECDSA_P256_SHA256:
            return ec.generate_private_key(ec.SECP256R1())
        case Algorithm.RSA_SHA256:
            return rsa.generate_private_key(public_exponent=65537, key_size=3072)
        case Algorithm.ED25519:
            return ed25519.Ed25519PrivateKey.generate()


def _sign(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, message: bytes
) -> bytes:
    match key:
        case ec.EllipticCurvePrivateKey():
            return key.sign(message, ec.ECDSA(hashes.SHA256()))
        case rsa.RSAPrivateKey():
            return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        case _:
            return key.sign(message)
