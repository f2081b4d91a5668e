"""The digests documents name: accepted ones, and weak ones that prove nothing."""

import hashlib

from core.gm import oids
from core.gm.sm3 import Digest, new_sm3
from core.verification.finding import Broken, Undecided

_ACCEPTED = {
    "SM3": "sm3",
    oids.SM3: "sm3",
    "1.2.156.10197.1.401.1": "sm3",  # SM3 without a key, as GM/T 0006 numbers it
    "SHA256": "sha256",
    "SHA-256": "sha256",
    oids.SHA256: "sha256",
    "SHA384": "sha384",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "SHA512": "sha512",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.8": "sha3_256",
    "2.16.840.1.101.3.4.2.9": "sha3_384",
    "2.16.840.1.101.3.4.2.10": "sha3_512",
}
_WEAK = {"MD5", "SHA1", "SHA-1", "1.2.840.113549.2.5", "1.3.14.3.2.26"}


def new_digest(method: str) -> Digest:
    """A running digest for a method given by name or OID; raises ``Broken`` for a weak one, ``Undecided`` for an unknown one."""
    name = method.strip().upper()
    if name in _WEAK:
        raise Broken(
            "weak-digest",
            f"digest {name} is too weak to prove anything",
            f"摘要算法 {name} 强度不足，不能作为证明",
        )
    if name not in _ACCEPTED:
        raise Undecided(
            "digest-unsupported",
            f"digest {name or '(none)'} is not supported",
            f"不支持摘要算法 {name or '（空）'}",
        )
    chosen = _ACCEPTED[name]
    return new_sm3() if chosen == "sm3" else hashlib.new(chosen)


def digest_of(method: str, data: bytes) -> bytes:
    """The digest of ``data`` under ``method``; raises like ``new_digest``."""
    running = new_digest(method)
    running.update(data)
    return running.digest()
