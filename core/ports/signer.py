"""Signing with a key that may live in a file, a token or a remote service."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol


class Algorithm(StrEnum):
    """Signature algorithms a signer may declare; the value is stored beside every signature."""

    SM2_SM3 = "sm2-sm3"
    ECDSA_P256_SHA256 = "ecdsa-p256-sha256"
    RSA_SHA256 = "rsa-sha256"
    ED25519 = "ed25519"


class Signer(Protocol):
    """One signing key with its certificate.

    ``sign`` takes a batch, so that a remote service can pipeline it, and answers in the same order. It signs the messages
    themselves (hashing, and for SM2 the Z value with the default identity, is the signer's work) and returns DER
    ``SEQUENCE {r, s}`` for SM2 and ECDSA, the raw signature otherwise.

    Raises ``Unavailable`` when the key is out of reach and ``Throttled`` when the service asks for patience: the caller's
    packages wait, nothing else is touched.
    """

    @property
    def key_id(self) -> str: ...

    @property
    def algorithm(self) -> Algorithm: ...

    @property
    def certificate(self) -> bytes:
        """DER certificate of the key."""
        ...

    @property
    def chain(self) -> Sequence[bytes]:
        """DER certificates up to, not including, the trust root."""
        ...

    def sign(self, messages: Sequence[bytes]) -> list[bytes]: ...
