"""What belongs to each signature algorithm: its identifier on the wire and the digest that goes with it."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from core.gm import oids
from core.gm.sm3 import Digest, new_sm3
from core.ports.signer import Algorithm


class Suite(NamedTuple):
    """A signature algorithm with the digest used beside it for members and documents."""

    algorithm: Algorithm
    signature_oid: str
    digest_oid: str
    digest_name: str
    new_digest: Callable[[bytes], Digest]
    """Starts a running digest over the bytes given."""
    parameters: bytes = b""
    """DER of the algorithm identifier's parameters (RSA: NULL)."""

    def digest(self, data: bytes) -> bytes:
        """Digest of ``data``, 32 bytes in every suite."""
        return self.new_digest(data).digest()


_SUITES = {
    suite.algorithm: suite
    for suite in (
        Suite(Algorithm.SM2_SM3, oids.SM2_WITH_SM3, oids.SM3, "SM3", new_sm3),
        Suite(Algorithm.ECDSA_P256_SHA256, oids.ECDSA_SHA256, oids.SHA256, "SHA256", hashlib.sha256),
        Suite(Algorithm.RSA_SHA256, oids.RSA_SHA256, oids.SHA256, "SHA256", hashlib.sha256, b"\x05\x00"),
        Suite(Algorithm.ED25519, oids.ED25519, oids.SHA256, "SHA256", hashlib.sha256),
    )
}
SUITES = tuple(_SUITES.values())
_BY_OID = {suite.signature_oid: suite for suite in SUITES}


def suite_of(algorithm: Algorithm) -> Suite:
    """The suite of ``algorithm``."""
    return _SUITES[algorithm]


def suite_by_oid(signature_oid: str) -> Suite | None:
    """The suite of a signature OID, or None for one the hub does not accept."""
    return _BY_OID.get(signature_oid)
