"""Whether the file of a picture is whole, told by its structure: nothing is unpacked, so that it costs no more than its size."""

import re
import zlib
from typing import BinaryIO

from PIL.TiffImagePlugin import TiffImageFile

_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""Begins a segment; the others stand alone, or stuff the pixel data."""
_JPEG_END = b"\xff\xd9"
_JPEG_BEGIN_BYTES = 2
_PNG_BEGIN_BYTES = 8
_PNG_AROUND_BYTES = 12
"""Length, kind and checksum of a chunk."""
_TIFF_PIECES = ((273, 279), (324, 325))
"""Tags of offsets and lengths: strips, tiles."""


def jpeg_is_whole(data: bytes) -> bool:
    """Whether the segments and the pixel data between them lead to the end marker; what follows it is no concern here."""
    at = _JPEG_BEGIN_BYTES
    while found := _JPEG_MARKER.search(data, at):
        if found.group() == _JPEG_END:
            return True
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return False


def png_is_whole(data: bytes) -> bool:
    """Whether the chunks, each with its checksum, lead to the last one."""
    at, view = _PNG_BEGIN_BYTES, memoryview(data)
    while at + _PNG_AROUND_BYTES <= len(data):
        end = at + _PNG_AROUND_BYTES + int.from_bytes(view[at : at + 4], "big")
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            return False
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at = end
    return False


class Watched:
    """A file that notes when it holds less than it is asked for: Pillow passes over a TIFF directory that breaks off."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self._read = file.seek, file.tell, file.read
        self.fell_short = False

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes."""
        data = self._read(size)
        self.fell_short = self.fell_short or len(data) < size
        return data


def tiff_page_is_whole(page: TiffImageFile, size: int) -> bool:
    """Whether the strips or tiles of the page now sought lie within the ``size`` bytes of the file."""
    tags = page.tag_v2
    pieces = (
        zip(tags.get(offsets, ()), tags.get(lengths, ()), strict=False) for offsets, lengths in _TIFF_PIECES
    )
    return all(offset + length <= size for piece in pieces for offset, length in piece)
