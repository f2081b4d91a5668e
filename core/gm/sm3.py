"""SM3 (GB/T 32905): OpenSSL's through hashlib, or that of ``cryptography`` where Python's OpenSSL has none."""

import hashlib
from typing import Protocol, Self

from cryptography.hazmat.primitives import hashes


class Digest(Protocol):
    """A running digest, as hashlib gives it."""

    def update(self, data: bytes | memoryview, /) -> None: ...
    def digest(self) -> bytes: ...
    def copy(self) -> Self: ...


class BundledSm3:
    """SM3 of ``cryptography`` behind the hashlib shape."""

    def __init__(self, data: bytes = b"", running: hashes.Hash | None = None) -> None:
        self._running = running or hashes.Hash(hashes.SM3())
        self._running.update(data)

    def update(self, data: bytes | memoryview, /) -> None:
        self._running.update(data)

    def digest(self) -> bytes:
        return self._running.copy().finalize()

    def copy(self) -> "BundledSm3":
        return BundledSm3(running=self._running.copy())


def new_sm3(data: bytes = b"") -> Digest:
    """A running SM3 over ``data``."""
    if "sm3" in hashlib.algorithms_available:
        return hashlib.new("sm3", data)
    return BundledSm3(data)


def sm3(data: bytes) -> bytes:
    """SM3 of ``data``, 32 bytes."""
    return new_sm3(data).digest()
