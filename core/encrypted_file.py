"""Files encrypted at rest, written and read as streams in constant memory (ARCHITECTURE 4.11).

A file is ``magic | length of sealed key (2) | sealed key | frames``, a frame ``length (4) | AES-256-GCM ciphertext and tag``. The
key is the file's own, sealed by the keyring, whose key id stands in it. Each frame holds 256 KiB of the content, compressed by
itself (zstd), so that a reader can seek. The nonce is the frame's number and whether it is the last (the STREAM construction:
Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015): frames cannot be changed, moved, dropped or cut off unnoticed.
"""

import io
import os
import struct
from array import array
from pathlib import Path
from typing import BinaryIO

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import InternalError
from core.keyring import KEY_BYTES, NONCE_BYTES, Keyring

MAGIC = b"\x89licence-hub file\r\n\x1a\n\x01"
"""Begins with no letter and holds both line ends, as PNG does: no table or document begins so."""
FRAME_BYTES = 256 * 1024
"""Content of a frame; only the last may have less."""

_ZSTD_LEVEL = 1
_TAG_BYTES = 16
_LONGEST_FRAME = FRAME_BYTES + FRAME_BYTES // 128 + 64 + _TAG_BYTES
"""What cannot be compressed grows by a few bytes."""
_KEY_LENGTH, _LENGTH = struct.Struct(">H"), struct.Struct(">I")


def encrypt_file(source: BinaryIO, target: BinaryIO, keyring: Keyring, place: bytes) -> None:
    """Writes all of ``source`` to ``target``, encrypted; ``place`` names where it belongs and must be given to read it."""
    key = os.urandom(KEY_BYTES)
    sealed = keyring.encrypt(key, _key_place(place))
    target.write(MAGIC + _KEY_LENGTH.pack(len(sealed)) + sealed)
    cipher, packer = AESGCM(key), zstandard.ZstdCompressor(level=_ZSTD_LEVEL)
    source.seek(0)
    number, block = 0, source.read(FRAME_BYTES)
    while True:
        following = source.read(FRAME_BYTES)
        nonce = _nonce(number, last=not following)
        frame = cipher.encrypt(nonce, packer.compress(block), None)
        target.write(_LENGTH.pack(len(frame)))
        target.write(frame)
        if not following:
            return
        number, block = number + 1, following


def open_file(path: Path, keyring: Keyring, place: bytes) -> BinaryIO:
    """The content of a file as a seekable stream, whether it is encrypted or was written in clear by an older release.

    Raises ``InternalError`` when an encrypted file is cut, altered or of another place, at opening or while it is read.
    """
    source = path.open("rb")
    try:
        if source.read(len(MAGIC)) == MAGIC:
            return io.BufferedReader(EncryptedFile(source, keyring, place), FRAME_BYTES)
        source.seek(0)
    except BaseException:
        source.close()
        raise
    return source


class EncryptedFile(io.RawIOBase):
    """The content of an encrypted file, read frame by frame from ``source``, which stands behind the magic."""

    def __init__(self, source: BinaryIO, keyring: Keyring, place: bytes) -> None:
        super().__init__()
        self._source = source
        self._cipher = AESGCM(keyring.decrypt(self._sealed_key(), _key_place(place)))
        self._unpacker = zstandard.ZstdDecompressor()
        self._offsets = self._index()
        self._at = 0
        self._number, self._frame = -1, b""
        last = len(self._offsets) - 1
        self._size = last * FRAME_BYTES + len(self._open(last))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the io module hands in memory views
        if self._at >= self._size:
            return 0
        number, within = divmod(self._at, FRAME_BYTES)
        piece = self._open(number)[within : within + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        self._source.close()
        super().close()

    def _sealed_key(self) -> bytes:
        (length,) = _KEY_LENGTH.unpack(self._exactly(_KEY_LENGTH.size))
        return self._exactly(length)

    def _exactly(self, size: int) -> bytes:
        found = self._source.read(size)
        if len(found) != size:
            raise _broken()
        return found

    def _index(self) -> "array[int]":
        """Where each frame begins."""
        begin = self._source.tell()
        end = self._source.seek(0, os.SEEK_END)
        offsets = array("Q")
        while begin < end:
            offsets.append(begin)
            self._source.seek(begin)
            begin += _LENGTH.size + self._length()
        if begin != end or not offsets:
            raise _broken()
        return offsets

    def _length(self) -> int:
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        if not _TAG_BYTES < length <= _LONGEST_FRAME:
            raise _broken()
        return int(length)

    def _open(self, number: int) -> bytes:
        """The content of a frame; the one read last is kept."""
        if number != self._number:
            last = number == len(self._offsets) - 1
            self._source.seek(self._offsets[number])
            sealed = self._exactly(self._length())
            try:
                packed = self._cipher.decrypt(_nonce(number, last=last), sealed, None)
            except InvalidTag:
                raise _broken() from None
            self._number, self._frame = number, self._unpacker.decompress(packed)
        return self._frame


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(NONCE_BYTES - 1, "big") + bytes((last,))


def _key_place(place: bytes) -> bytes:
    return b"file key\0" + place


def _broken() -> InternalError:
    return InternalError("an encrypted file was cut, altered or moved")
