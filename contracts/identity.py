"""Names that identify: receipts, licence keys, time-ordered ids."""

import hashlib
import hmac
import os
import time
from uuid import UUID

_VARIANT = 0x8000000000000000
_RANDOM_BITS = (1 << 62) - 1
_INDEX_BYTES, _HASHED_BYTES = 4, 6
_LARGEST_INDEX = (1 << 26) - 1
"""Bits of an index that fit a UUIDv7 before 48 bits of hash; larger ones begin anew, told apart by their hash."""


def uuid7(at_ms: int | None = None, random: bytes | None = None) -> UUID:
    """A UUIDv7 (RFC 9562 section 5.7) at ``at_ms`` (default now); ``random`` gives its 10 free bytes."""
    stamp = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    filler = int.from_bytes(random if random is not None else os.urandom(10), "big")
    high = (stamp & 0xFFFFFFFFFFFF) << 16 | 0x7000 | (filler >> 62 & 0xFFF)
    return UUID(int=high << 64 | _VARIANT | (filler & _RANDOM_BITS))


def uuid7_ms(value: UUID) -> int:
    """Unix milliseconds a UUIDv7 was made at."""
    return value.int >> 80


def receipt_id(key: bytes, interface: str, submission: str, index: int, first_seen_ms: int) -> UUID:
    """Receipt of record ``index`` of a submission: ordered by time, then by index, the rest (48 bits) a keyed hash.

    The same (interface, submission key, index, first-seen time) always gives the same receipt, and nobody without
    ``key`` can guess one. ``first_seen_ms`` comes from the durable guard row or submission, so a repeat has it too.
    In order of the index, the rows of a file stand beside each other in every index of the ledger (RFC 9562 section 6.2).
    """
    text = f"{interface}\0{submission}\0{index}".encode()
    hashed = hmac.digest(key, text, "sha256")[:_HASHED_BYTES]
    place = (index & _LARGEST_INDEX).to_bytes(_INDEX_BYTES, "big")
    return uuid7(first_seen_ms, place + hashed)


def licence_key(licence_type: str, issuer: str, number: str, holder: str = "") -> bytes:
    """32-byte key of a licence: type + issuer + normalised number (+ holder where the type says so)."""
    return hashlib.sha256("\0".join((licence_type, issuer, number, holder)).encode()).digest()
