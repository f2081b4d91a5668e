"""Which encoding a text is in, and reading it without ever replacing a byte.

Order: the source's setting, a byte order mark, strict UTF-8, then GB18030 (never bare GB2312). Bytes that do not decode become
lone surrogates (PEP 383), so that lines and fields can still be cut; the row that holds one is quarantined with the offset.
"""

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from adapters.decoding.rows import Tally

GB18030 = "gb18030"
_BLOCK = 256 * 1024
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", GB18030),
)
_LONGEST_MARK = 4
_SUPERSETS = {"gb2312": GB18030, "gbk": GB18030, "cp936": GB18030}
_SAMPLE_LINES = 2000
"""Lines with other than ASCII characters that vote on the encoding of a text that is neither one as a whole."""


def detect(stream: BinaryIO, setting: str) -> tuple[str, int]:
    """(encoding, length of its mark) of a seekable stream, which is left behind the mark."""
    stream.seek(0)
    _head, mark, encoding = _mark(stream)
    if setting:
        name = canonical(setting)
        skip = len(mark) if encoding == name or (encoding.startswith("utf-16") and name == "utf-16") else 0
        encoding = encoding if skip else name
    else:
        skip = len(mark)
        encoding = encoding or _detect_unmarked(stream)
    stream.seek(skip)
    return encoding, skip


def canonical(setting: str) -> str:
    """The codec read for a declared encoding; ``LookupError`` for one that does not exist."""
    name = codecs.lookup(setting).name
    return _SUPERSETS.get(name, name)


def errors_of(encoding: str) -> str:
    """The error handling under which every input decodes and bad places show as lone surrogates."""
    return "surrogatepass" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"


def text_blocks(stream: BinaryIO, encoding: str, offset: int) -> Iterator[tuple[int, str]]:
    """(byte offset, text) of consecutive blocks; bad bytes show as lone surrogates."""
    decoder = codecs.getincrementaldecoder(encoding)(errors_of(encoding))
    while block := stream.read(_BLOCK):
        pending = len(decoder.getstate()[0])
        text = decoder.decode(block)
        if text:
            yield offset - pending, text
        offset += len(block)
    cut_off: bytes = decoder.getstate()[0]
    if cut_off:  # the text breaks off inside a character
        yield (
            offset - len(cut_off),
            cut_off.decode("ascii", "surrogateescape") if max(cut_off) > 127 else "\udc80",
        )


def has_bad_bytes(text: str) -> bool:
    """Whether a text of ``text_blocks`` holds bytes that did not decode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def bad_offset(text: str, encoding: str, start: int = 0) -> int:
    """Byte offset, from the start of ``text``, of the first bytes behind ``start`` (in characters) that did not decode."""
    bad = _SURROGATE.search(text, start)
    return len(text[: bad.start() if bad else start].encode(encoding, errors_of(encoding)))


def utf8_stream(stream: BinaryIO, setting: str, tally: Tally) -> BinaryIO:
    """The stream as UTF-8 without a mark, for JSON: another encoding only by setting or mark (RFC 8259 section 8.1)."""
    head, mark, marked = _mark(stream)
    tally.encoding = canonical(setting) if setting else marked or "utf-8"
    rest = io.BufferedReader(_Prefixed(head[len(mark) :], stream), _BLOCK)
    return rest if tally.encoding == "utf-8" else io.BufferedReader(_Transcoded(rest, tally.encoding), _BLOCK)


def _mark(stream: BinaryIO) -> tuple[bytes, bytes, str]:
    """The first bytes of a stream, the mark among them, and the encoding it stands for (empty without one)."""
    head = b""
    while len(head) < _LONGEST_MARK and (piece := stream.read(_LONGEST_MARK - len(head))):
        head += piece
    mark, encoding = next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), (b"", ""))
    return head, mark, encoding


class _Prefixed(io.RawIOBase):
    """A stream with bytes put back before it."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        super().__init__()
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the buffers BufferedReader passes
        block = self._head[: len(buffer)] or self._stream.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(block)] = block
        return len(block)


class _Transcoded(io.RawIOBase):
    """A text in another encoding as UTF-8; bad bytes pass as they are, so that the record that holds them is refused."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        super().__init__()
        self._blocks = text_blocks(stream, encoding, 0)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the buffers BufferedReader passes
        if not self._left:
            _offset, text = next(self._blocks, (0, ""))
            self._left = text.encode("utf-8", "surrogatepass")
        block, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(block)] = block
        return len(block)


def _detect_unmarked(stream: BinaryIO) -> str:
    """UTF-8 when the whole text is; else what most of its lines that are not ASCII are in."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        while block := stream.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        stream.seek(0)
        return _vote(stream)
    return "utf-8"


def _vote(stream: BinaryIO) -> str:
    """Counts UTF-8 lines: a GB18030 line is hardly ever UTF-8 by chance, while a UTF-8 line often is GB18030 by chance."""
    sound = voting = 0
    while voting < _SAMPLE_LINES and (line := stream.readline(_BLOCK)):
        if line.isascii():
            continue
        voting += 1
        sound += _is_utf8(line)
    return "utf-8" if sound * 2 > voting else GB18030


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
