"""SM2 signature verification with whatever is at hand: libcrypto where it has SM2, plain Python otherwise (same verdicts)."""

from functools import lru_cache

from core.gm import curve, der, libcrypto, oids

_SPKI_PREFIX = der.sequence(der.oid(oids.EC_PUBLIC_KEY), der.oid(oids.SM2_CURVE))


def spki(point: bytes) -> bytes:
    """SubjectPublicKeyInfo of an uncompressed SM2 point."""
    return der.sequence(_SPKI_PREFIX, der.bits(point))


def verify(point: bytes, message: bytes, signature: bytes, identity: bytes = curve.DEFAULT_IDENTITY) -> bool:
    """Whether ``signature`` (DER) is the SM2 signature of ``message`` under ``point`` (``04 || x || y``)."""
    if not libcrypto.available():
        return curve.verify(point, message, signature, identity)
    try:
        return _key(point).verify(message, signature, identity)
    except libcrypto.KeyRefused:
        return False


@lru_cache(maxsize=256)
def _key(point: bytes) -> libcrypto.Sm2Key:
    return libcrypto.Sm2Key.from_spki(spki(point))
