"""A two-dimensional code as the smallest picture each format has for it."""

import struct
import zlib
from collections.abc import Sequence

_BITS = bytes.maketrans(b"\0\1", b"10")


def packed(rows: Sequence[bytes], scale: int = 1) -> list[bytes]:
    """Each row of modules as bits, light modules 1 (white in a one-bit grey picture), each ``scale`` pixels wide.

    The last byte of a row is filled up with light pixels.
    """
    filled = len(rows[0])
    while filled * scale % 8:
        filled += 1
    bits = b"".join(row.ljust(filled, b"\0") for row in rows).translate(_BITS)
    if scale > 1:
        bits = bits.replace(b"1", b"1" * scale).replace(b"0", b"0" * scale)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    stride, size = filled * scale // 8, -(-len(rows[0]) * scale // 8)
    return [data[start : start + size] for start in range(0, len(data), stride)]


def qr_png(rows: Sequence[bytes], scale: int = 4) -> bytes:
    """One-bit PNG of the rows, ``scale`` pixels a module, so that readers that smooth pictures keep the edges."""
    side = len(rows) * scale
    lines = b"".join([(b"\0" + row) * scale for row in packed(rows, scale)])
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(lines, 6)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
