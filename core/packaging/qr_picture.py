"""A two-dimensional code as the smallest picture each format has for it."""

import struct
import zlib


def packed(row: bytes, scale: int = 1) -> bytes:
    """A row of modules as bits, light modules 1 (white in a one-bit grey picture), each ``scale`` pixels wide."""
    bits = "".join(("0" if module else "1") * scale for module in row)
    padded = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return int(padded, 2).to_bytes(len(padded) // 8, "big")


def qr_png(rows: list[bytes], scale: int = 4) -> bytes:
    """One-bit PNG of the rows, ``scale`` pixels a module, so that readers that smooth pictures keep the edges."""
    side = len(rows) * scale
    lines = b"".join((b"\0" + packed(row, scale)) * scale for row in rows)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(lines, 6)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
