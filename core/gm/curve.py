"""SM2 in plain Python (GB/T 32918.2): the verifier where the system library has no SM2, and the tests' second opinion.

Only public values pass through here except in ``sign_with_nonce`` (for the published vectors), which is not constant time.
"""

from functools import lru_cache
from typing import Final

from core.gm import der
from core.gm.sm3 import sm3

P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A: Final = P - 3
B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX: Final = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY: Final = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
DEFAULT_IDENTITY: Final = b"1234567812345678"

Point = tuple[int, int]
_Jacobian = tuple[int, int, int]
_INFINITY: Final[_Jacobian] = (1, 1, 0)


def read_point(data: bytes) -> Point:
    """The affine point of an uncompressed encoding ``04 || x || y``; ValueError unless it lies on the curve."""
    if len(data) != 65 or data[0] != 4:
        raise ValueError("not an uncompressed SM2 point")
    x, y = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:], "big")
    if x >= P or y >= P or (y * y - x * x * x - A * x - B) % P:
        raise ValueError("point is not on the SM2 curve")
    return x, y


@lru_cache(maxsize=1024)
def z_value(point: bytes, identity: bytes = DEFAULT_IDENTITY) -> bytes:
    """Z of the signer (GB/T 32918.2 clause 5.5): the digest over identity, curve and public key that precedes every message."""
    curve = b"".join(value.to_bytes(32, "big") for value in (A, B, GX, GY))
    return sm3((len(identity) * 8).to_bytes(2, "big") + identity + curve + point[1:])


def message_digest(point: bytes, message: bytes, identity: bytes = DEFAULT_IDENTITY) -> bytes:
    """e = SM3(Z || M), what SM2 signs."""
    return sm3(z_value(point, identity) + message)


def verify(point: bytes, message: bytes, signature: bytes, identity: bytes = DEFAULT_IDENTITY) -> bool:
    """Whether ``signature`` (DER) is the SM2 signature of ``message`` under the public key ``point``."""
    try:
        r, s = read_signature(signature)
        public = read_point(point)
    except ValueError:
        return False
    t = (r + s) % N
    if not (0 < r < N and 0 < s < N and t):
        return False
    total = _affine(_add(_multiply(s, (GX, GY)), _multiply(t, public)))
    e = int.from_bytes(message_digest(point, message, identity), "big")
    return total is not None and (e + total[0]) % N == r


def read_signature(signature: bytes) -> tuple[int, int]:
    """r and s of a strict DER ``SEQUENCE {INTEGER r, INTEGER s}``."""
    parts = der.children(der.read_one(signature, der.SEQUENCE).content)
    if len(parts) != 2:
        raise der.DerError("not a pair of integers")
    return der.read_integer(parts[0]), der.read_integer(parts[1])


def public_point(secret: int) -> bytes:
    """The uncompressed public point of a secret scalar."""
    point = _affine(_multiply(secret, (GX, GY)))
    if point is None:
        raise ValueError("no public key for this secret")
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def sign_with_nonce(secret: int, message: bytes, nonce: int, identity: bytes = DEFAULT_IDENTITY) -> bytes:
    """The signature for a chosen nonce (published vectors only; a nonce used twice gives the key away)."""
    e = int.from_bytes(message_digest(public_point(secret), message, identity), "big")
    point = _affine(_multiply(nonce, (GX, GY)))
    if point is None:
        raise ValueError("nonce is out of range")
    r = (e + point[0]) % N
    s = pow(1 + secret, -1, N) * (nonce - r * secret) % N
    if not r or not s or r + nonce == N:
        raise ValueError("nonce gives no signature")
    return der.sequence(der.integer(r), der.integer(s))


def _multiply(scalar: int, point: Point) -> _Jacobian:
    table = _window(point)
    total = _INFINITY
    for shift in range((scalar.bit_length() + 3) // 4 * 4 - 4, -1, -4):
        total = _double(_double(_double(_double(total))))
        digit = scalar >> shift & 15
        if digit:
            total = _add(total, table[digit])
    return total


@lru_cache(maxsize=64)
def _window(point: Point) -> tuple[_Jacobian, ...]:
    row: list[_Jacobian] = [_INFINITY]
    for _ in range(15):
        row.append(_add(row[-1], (*point, 1)))
    return tuple(row)


def _double(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    if not z or not y:
        return _INFINITY
    zz, yy = z * z % P, y * y % P
    m = 3 * (x - zz) * (x + zz) % P  # a = -3
    s = 4 * x * yy % P
    nx = (m * m - 2 * s) % P
    return nx, (m * (s - nx) - 8 * yy * yy) % P, 2 * y * z % P


def _add(left: _Jacobian, right: _Jacobian) -> _Jacobian:
    x1, y1, z1 = left
    x2, y2, z2 = right
    if not z1 or not z2:
        return right if not z1 else left
    zz1, zz2 = z1 * z1 % P, z2 * z2 % P
    u1, u2 = x1 * zz2 % P, x2 * zz1 % P
    s1, s2 = y1 * zz2 * z2 % P, y2 * zz1 * z1 % P
    if u1 == u2:
        return _double(left) if s1 == s2 else _INFINITY
    h, r = (u2 - u1) % P, (s2 - s1) % P
    hh = h * h % P
    hhh, v = hh * h % P, u1 * hh % P
    nx = (r * r - hhh - 2 * v) % P
    return nx, (r * (v - nx) - s1 * hhh) % P, z1 * z2 * h % P


def _affine(point: _Jacobian) -> Point | None:
    x, y, z = point
    if not z:
        return None
    inverse = pow(z, -1, P)
    return x * inverse * inverse % P, y * inverse**3 % P
