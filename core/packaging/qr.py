"""The two-dimensional code on a face (QR, ISO/IEC 18004) as a small picture."""

import struct
import zlib

import segno

_QUIET_ZONE = 4
_MASK = 0
"""One fixed mask: choosing the best of eight costs four times as much and readers accept any."""


def qr_rows(text: str) -> list[bytes]:
    """Module rows with their quiet zone, one byte per module, 1 is dark. Error correction M."""
    code = segno.make_qr(text, error="m", mask=_MASK, boost_error=False)
    blank = bytes(_QUIET_ZONE)
    side = len(code.matrix) + 2 * _QUIET_ZONE
    rows = [blank + bytes(row) + blank for row in code.matrix]
    return [bytes(side)] * _QUIET_ZONE + rows + [bytes(side)] * _QUIET_ZONE


def packed(row: bytes, scale: int = 1) -> bytes:
    """A row as bits, light modules 1 (a white pixel of a one-bit grey picture), each module ``scale`` pixels wide."""
    bits = "".join(("0" if module else "1") * scale for module in row)
    padded = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return int(padded, 2).to_bytes(len(padded) // 8, "big")


def qr_png(rows: list[bytes], scale: int = 8) -> bytes:
    """One-bit PNG of the rows, ``scale`` pixels a module, so that readers that smooth pictures keep the edges."""
    side = len(rows) * scale
    lines = b"".join((b"\0" + packed(row, scale)) * scale for row in rows)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(lines, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
