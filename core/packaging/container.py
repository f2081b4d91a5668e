"""The canonical ZIP container of an OFD: members with one possible form, joined by concatenation (docs/verification.md).

Every local header carries its sizes and a fixed date, so a stored run of members needs nothing but the central directory to
become a file, and that is derived from the headers themselves.
"""

import struct
import zlib
from collections.abc import Iterator

from core.errors import InternalError

STORED, DEFLATED = 0, 8
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION = 20
_TIME, _DATE = 0x0000, 0x0021
"""Midnight of 1980-01-01, the first moment a ZIP can name."""
_LEVEL = 6


def member(name: str, data: bytes, *, method: int = DEFLATED) -> bytes:
    """One member in its final bytes: local header, name, content."""
    content = _deflated(data) if method == DEFLATED else data
    path = name.encode("ascii")
    header = _LOCAL.pack(
        LOCAL_MARK,
        _VERSION,
        0,
        method,
        _TIME,
        _DATE,
        zlib.crc32(data),
        len(content),
        len(data),
        len(path),
        0,
    )
    return b"".join((header, path, content))


def central_directory(members: bytes) -> bytes:
    """Central directory and end record for a run of members that starts at byte 0."""
    entries = central_entries(members)
    return closed_directory(entries, len(members))


def central_entries(members: bytes, start: int = 0) -> list[bytes]:
    """Entries of the central directory for a run of members that starts at byte ``start`` of its file."""
    return [
        _CENTRAL.pack(_CENTRAL_MARK, _VERSION, *fields[1:], 0, 0, 0, 0, start + offset) + path
        for fields, path, offset in _headers(members)
    ]


def closed_directory(entries: list[bytes], size_bytes: int) -> bytes:
    """Central directory and end record after members of ``size_bytes`` together."""
    directory = b"".join(entries)
    end = _END.pack(_END_MARK, 0, 0, len(entries), len(entries), len(directory), size_bytes, 0)
    return directory + end


def _headers(members: bytes) -> Iterator[tuple[tuple[int, ...], bytes, int]]:
    offset = 0
    while offset < len(members):
        fields = _LOCAL.unpack_from(members, offset)
        if fields[0] != LOCAL_MARK:
            raise InternalError(f"no member of a package starts at byte {offset}")
        name_start = offset + _LOCAL.size
        content_start = name_start + fields[9]
        yield fields, members[name_start:content_start], offset
        offset = content_start + fields[7]


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()
