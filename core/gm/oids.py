"""Object identifiers of keys, digests and signatures (GM/T 0006, RFC 5480, RFC 8017, RFC 8410)."""

from typing import Final

SM2_CURVE: Final = "1.2.156.10197.1.301"
SM3: Final = "1.2.156.10197.1.401"
SM2_WITH_SM3: Final = "1.2.156.10197.1.501"
EC_PUBLIC_KEY: Final = "1.2.840.10045.2.1"
P256_CURVE: Final = "1.2.840.10045.3.1.7"
ECDSA_SHA256: Final = "1.2.840.10045.4.3.2"
RSA_KEY: Final = "1.2.840.113549.1.1.1"
RSA_SHA256: Final = "1.2.840.113549.1.1.11"
ED25519: Final = "1.3.101.112"
SHA256: Final = "2.16.840.1.101.3.4.2.1"
