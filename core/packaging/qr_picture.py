"""A two-dimensional code as the smallest picture each format has for it."""

import struct
import zlib

_BITS = bytes.maketrans(b"\0\1", b"10")


def packed(row: bytes, scale: int = 1) -> bytes:
    """A row of modules as bits, light modules 1 (white in a one-bit grey picture), each ``scale`` pixels wide."""
    bits = row.translate(_BITS).replace(b"1", b"1" * scale).replace(b"0", b"0" * scale)
    size = -(-len(bits) // 8)
    return int(bits.ljust(size * 8, b"0"), 2).to_bytes(size, "big")


def qr_png(rows: list[bytes], scale: int = 4) -> bytes:
    """One-bit PNG of the rows, ``scale`` pixels a module, so that readers that smooth pictures keep the edges."""
    side = len(rows) * scale
    lines = b"".join((b"\0" + packed(row, scale)) * scale for row in rows)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(lines, 6)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
