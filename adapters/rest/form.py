"""A multipart push taken apart (RFC 7578): one record, and the files that came with it, each in a spool of its own.

The parser is pushed the body piece by piece; nothing is held in memory beyond a piece, the record and small files.
"""

import hashlib
import re
import tempfile
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from adapters.decoding.json_record import MAX_RECORD_BYTES
from adapters.rest.form_rules import (
    EMPTY_PART,
    ENCODED,
    FILE_NAME,
    MALFORMED,
    NESTED,
    NO_FILE,
    ORIGINALS,
    PART_TOO_LARGE,
    RECORD_MISSING,
    RECORD_TWICE,
    TOO_MANY_FILES,
    UNKNOWN_PART,
)
from contracts.fault import Fault, pointer
from contracts.text import escaped, forbidden_character
from core.errors import ContractError, Refused, Unavailable

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

RECORD, SCAN, ORIGINAL = "record", "scan", "original"
SPOOLED_BYTES = 256 * 1024
"""Bytes of one part kept in memory; the rest waits in a file without a name."""
NAME_LIMIT = 255
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
"""RFC 2046 section 5.1.1."""
_PLAIN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})


class Part:
    """One part: its name, what its sender calls the file, and its bytes."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.name = ""
        self.file_name = ""
        self.place = ""
        """Pointer: ``/record``, ``/scan/0``."""
        self.content: IO[bytes] = tempfile.SpooledTemporaryFile(SPOOLED_BYTES)  # noqa: SIM115 closed with its form
        self.size = 0
        self._digest = hashlib.sha256()

    def add(self, piece: bytes) -> None:
        """Takes the next bytes."""
        self.size += len(piece)
        self._digest.update(piece)
        self.content.write(piece)

    @property
    def sha256(self) -> str:
        """Of all bytes, lower-case hex."""
        return self._digest.hexdigest()


class Form:
    """The parts of a push, in their order; ``close`` frees what they hold."""

    def __init__(self) -> None:
        self.parts: list[Part] = []

    @property
    def record(self) -> bytes:
        """The record as sent."""
        part = self.named(RECORD)[0]
        part.content.seek(0)
        return part.content.read()

    def named(self, name: str) -> list[Part]:
        """The parts of that name."""
        return [part for part in self.parts if part.name == name]

    @property
    def digest(self) -> bytes:
        """SHA-256 over names and contents of the parts: equal for the same form under another boundary."""
        told = "".join(f"{part.name}\0{part.file_name}\0{part.sha256}\n" for part in self.parts)
        return hashlib.sha256(told.encode()).digest()

    def close(self) -> None:
        """Frees the spools."""
        for part in self.parts:
            part.content.close()


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type declares; raises ``Refused`` (400) without a sound one."""
    _media, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        fault = MALFORMED.at(
            "Content-Type",
            content_type[:100],
            why="its boundary is missing or malformed",
            why_zh="分隔符缺失或无效",
        )
        raise Refused.by(fault, status=400)
    return boundary


def read_form(pieces: Iterable[bytes], boundary: bytes, *, files: int, file_bytes: int) -> Form:
    """The form, judged by its parts' names, numbers and sizes; at most ``files`` files of ``file_bytes`` each.

    Raises ``Refused``: 400 for a body that cannot be taken apart, 413 beyond a limit; ``ContractError`` with every other finding;
    ``Unavailable`` when the disk takes no more.
    """
    reading = _Reading(files, file_bytes)
    try:
        _parse(pieces, boundary, reading)
        refuse([*reading.faults, *_form_faults(reading.form)])
    except OSError as error:
        reading.form.close()
        raise Unavailable(
            "no room to keep the files", retry_after_s=30, summary_zh="暂无空间保存文件"
        ) from error
    except BaseException:
        reading.form.close()
        raise
    return reading.form


def refuse(faults: list[Fault]) -> None:
    """Raises ``ContractError`` with the faults, when there are any."""
    if faults:
        raise ContractError(faults[0].message, faults, faults[0].message_zh)


def _parse(pieces: Iterable[bytes], boundary: bytes, reading: "_Reading") -> None:
    parser = MultipartParser(boundary, reading.callbacks)
    try:
        for piece in pieces:
            parser.write(piece)
    except FormParserError as error:
        raise _malformed(str(error), "格式错误") from None
    if not reading.ended:
        raise _malformed("it ends before its closing boundary", "正文在结束分隔符之前中断")


class _Reading:
    """Receives the parser's calls."""

    def __init__(self, files: int, file_bytes: int) -> None:
        self.form = Form()
        self.faults: list[Fault] = []
        self.ended = False
        self._files = files
        self._file_bytes = file_bytes
        self._field = b""
        self._value = b""
        self.callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.form.parts) > self._files:  # the record is a part, too
            raise Refused.by(TOO_MANY_FILES.at("", limit=self._files), status=413)
        self.form.parts.append(Part())

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        name = self._field.decode("latin-1").lower()
        headers = self.form.parts[-1].headers
        if name in headers:
            raise _malformed(f"a part has the header {name} twice", f"某部分的 {name} 头重复")
        headers[name] = self._value.decode("latin-1")
        self._field = self._value = b""

    def _headers_finished(self) -> None:
        part = self.form.parts[-1]
        kind, options = parse_options_header(part.headers.get("content-disposition", ""))
        if kind != b"form-data" or b"name" not in options:
            raise _malformed(
                "a part has no Content-Disposition: form-data with a name",
                "某部分缺少带名称的 Content-Disposition: form-data",
            )
        part.name = options[b"name"].decode("utf-8", "backslashreplace")
        part.place = _place(part, self.form)
        self.faults += _header_faults(part)
        part.file_name = self._file_name(part, options.get(b"filename", b""))

    def _file_name(self, part: Part, sent: bytes) -> str:
        """The last step of the name sent: a path of the sender's machine says nothing here."""
        name = sent.replace(b"\\", b"/").rpartition(b"/")[2].decode("utf-8", "backslashreplace")
        if forbidden_character(name) is None and len(name) <= NAME_LIMIT:
            return name
        self.faults.append(FILE_NAME.at(part.place, escaped(name), limit=NAME_LIMIT))
        return ""

    def _data(self, data: bytes, start: int, end: int) -> None:
        part = self.form.parts[-1]
        part.add(data[start:end])
        limit = MAX_RECORD_BYTES if part.name == RECORD else self._file_bytes
        if part.size > limit:
            raise Refused.by(PART_TOO_LARGE.at(part.place, part.file_name, limit=limit), status=413)

    def _end(self) -> None:
        self.ended = True


def _place(part: Part, form: Form) -> str:
    """Scans are counted; what must be there once has no number."""
    return pointer(SCAN, len(form.named(SCAN)) - 1) if part.name == SCAN else pointer(part.name)


def _header_faults(part: Part) -> list[Fault]:
    found = []
    if part.name not in (RECORD, SCAN, ORIGINAL):
        found.append(UNKNOWN_PART.at(part.place, escaped(part.name), name=escaped(part.name)[:100]))
    media = part.headers.get("content-type", "")
    if media.strip().lower().startswith("multipart/"):
        found.append(NESTED.at(part.place, media))
    encoding = part.headers.get("content-transfer-encoding", "").strip().lower()
    if encoding not in _PLAIN_ENCODINGS:
        found.append(ENCODED.at(part.place, encoding, encoding=encoding[:100]))
    return found


def _form_faults(form: Form) -> list[Fault]:
    """What is missing, empty, or there too often."""
    found = [EMPTY_PART.at(part.place, part.file_name) for part in form.parts if not part.size]
    records, scans, originals = (form.named(name) for name in (RECORD, SCAN, ORIGINAL))
    if not records:
        found.append(RECORD_MISSING.at(pointer(RECORD)))
    if len(records) > 1:
        found.append(RECORD_TWICE.at(pointer(RECORD), len(records)))
    if not scans and not originals:
        found.append(NO_FILE.at(""))
    if len(originals) > 1 or (scans and originals):
        found.append(ORIGINALS.at(pointer(ORIGINAL), len(originals)))
    return found


def _malformed(why: str, why_zh: str) -> Refused:
    return Refused.by(MALFORMED.at("", why=why, why_zh=why_zh), status=400)
