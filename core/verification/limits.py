"""How much work and memory one file may cost, whatever it contains."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds counted while reading, never taken from what the file declares."""

    file_bytes: int = 64 * 1024 * 1024
    members: int = 2_000
    content_bytes: int = 128 * 1024 * 1024
    """Inflated bytes of all readings together."""
    markup_bytes: int = 2 * 1024 * 1024
    """One XML member."""
    markup_nodes: int = 60_000
    """Elements of one XML member."""
    all_markup_nodes: int = 150_000
    """Elements of all XML members read together."""
    binary_bytes: int = 1024 * 1024
    """A seal, a signature value or a certificate."""
    signatures: int = 60
    references: int = 2_000


DEFAULT = Limits()
