"""JSON documents of any size, record by record: an array (or the array a pointer names), one object, or one a line."""

import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from adapters.decoding.encoding import utf8_stream
from adapters.decoding.json_record import MAX_RECORD_BYTES, parse_record
from adapters.decoding.rows import Row, Tally, refusal
from adapters.decoding.rules import EMPTY_FILE, JSON_NO_RECORDS, JSON_SYNTAX, JSON_TRUNCATED, RECORD_TOO_LARGE
from contracts.fault import Fault
from contracts.mapping import Translator

_BLOCK = 256 * 1024
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},:"]', re.DOTALL)
"""A whole text, a structural character, or the opening quote of a text that is not complete yet."""
_TEXT = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'


def _inside(levels: int) -> str:
    """Pattern of what stands between brackets that nest at most so deep."""
    if levels == 0:
        return rf'(?:[^"{{}}\[\]]++|{_TEXT})*+'
    below = _inside(levels - 1)
    return rf'(?:[^"{{}}\[\]]++|{_TEXT}|\{{{below}\}}|\[{below}\])*+'


_SHALLOW_OBJECT = re.compile(rf"\s*+\{{{_inside(2)}\}}".encode(), re.DOTALL)
"""A whole object of at most three levels: nearly every record, found in one step."""
_WHITE = b" \t\r\n"


def decode_ndjson(stream: BinaryIO, translator: Translator, tally: Tally | None = None) -> Iterator[Row]:
    """One record a line; blank lines are skipped. A bad line is a row with its fault, and the next line goes on."""
    tally = tally if tally is not None else Tally()
    source = utf8_stream(stream, translator.interface.source.encoding, tally)
    position = 0
    for line, raw in enumerate(_lines(source), 1):
        if raw is not None and not raw.strip(_WHITE):
            tally.skipped["empty"] += 1
            continue
        yield _row(position, line, raw)
        position += 1


def decode_json(stream: BinaryIO, translator: Translator, tally: Tally | None = None) -> Iterator[Row]:
    """The records of one document. Raises ``ContractError`` where the document itself breaks off or holds no records.

    Rows given before that stand; a caller that must refuse a broken document as a whole takes all rows first.
    """
    tally = tally if tally is not None else Tally()
    source = translator.interface.source
    place = tuple(step.replace("~1", "/").replace("~0", "~") for step in source.records.split("/")[1:])
    elements = _Elements(utf8_stream(stream, source.encoding, tally), place)
    for position, raw in enumerate(elements):
        yield _row(position, position + 1, raw)


def _row(position: int, line: int, raw: bytes | None) -> Row:
    if raw is None:
        return Row(position, line, None, (RECORD_TOO_LARGE.at("", limit=MAX_RECORD_BYTES),))
    parsed = parse_record(raw)
    if isinstance(parsed, Fault):
        return Row(position, line, None, (parsed,), raw)
    return Row(position, line, parsed, (), raw)


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Lines without their break; None for one beyond the size of a record, which is read over."""
    while line := stream.readline(MAX_RECORD_BYTES + 2):
        if line.endswith(b"\n") or len(line) < MAX_RECORD_BYTES + 2:
            yield line.rstrip(b"\r\n")
            continue
        while (rest := stream.readline(_BLOCK)) and not rest.endswith(b"\n"):
            pass
        yield None


class _Elements:
    """Iterates over the raw elements of the array at ``place``; None for one beyond the size of a record."""

    def __init__(self, stream: BinaryIO, place: tuple[str, ...]) -> None:
        self._stream = stream
        self._place = list(place)
        self._buffer = b""
        self._at = 0  # next byte of the buffer to look at
        self._passed = 0  # bytes of the document before the buffer
        self._ended = False
        self._opened = False  # something other than white space was seen

    def __iter__(self) -> Iterator[bytes | None]:
        first = self._first_byte()
        if first == b"{" and not self._place:
            yield self._whole()
            return
        if (not self._place and first != b"[") or not self._find_array():
            raise refusal(
                JSON_NO_RECORDS, place="/" + "/".join(self._place) if self._place else "the top level"
            )
        more = self._first_byte() != b"]"
        if not more:
            self._at += 1
        while more:
            element, more = self._element()
            yield element
        self._finish()

    def _fill(self, keep: int) -> bool:
        """Reads a further block, dropping what lies before ``keep``; False at the end of the document."""
        block = self._stream.read(_BLOCK)
        if not block:
            self._ended = True
            return False
        self._buffer = self._buffer[keep:] + block
        self._passed += keep
        self._at -= keep
        return True

    def _first_byte(self) -> bytes:
        while True:
            rest = self._buffer[self._at : self._at + 4096].lstrip(_WHITE)
            if rest:
                self._at = self._buffer.index(rest[:1], self._at)
                self._opened = True
                return rest[:1]
            self._at = min(len(self._buffer), self._at + 4096)
            if self._at == len(self._buffer) and not self._fill(self._at):
                raise refusal(JSON_TRUNCATED if self._opened else EMPTY_FILE, offset=self._passed + self._at)

    def _whole(self) -> bytes | None:
        """The document itself, when it is one record."""
        while len(self._buffer) <= MAX_RECORD_BYTES + _BLOCK and self._fill(0):
            pass
        return self._buffer if self._ended else None

    def _tokens(self) -> Iterator[bytes]:
        """Tokens from the present place on; ``self._at`` stands behind each when it is given."""
        while True:
            match = _TOKEN.search(self._buffer, self._at)
            if match is None or match.group() == b'"':
                kept = match.start() if match else len(self._buffer)
                if len(self._buffer) - kept > MAX_RECORD_BYTES or not self._fill(kept):
                    raise refusal(JSON_TRUNCATED, offset=self._passed + len(self._buffer))
                self._at = 0
                continue
            self._at = match.end()
            yield match.group()

    def _find_array(self) -> bool:
        """Goes behind the opening bracket of the wanted array; False when something else stands there."""
        stack: list[str | None] = []
        text = b'""'
        for token in self._tokens():
            if token == b"[" and stack == self._place:
                return True
            if token in (b"[", b"{"):
                stack.append(None)
                if not self._place or len(stack) > 64:
                    return False
            elif token in (b"]", b"}"):
                stack.pop()
                if not stack:
                    return False
            elif token == b":" and stack:
                stack[-1] = _name(text)
            text = token
        return False

    def _element(self) -> tuple[bytes | None, bool]:
        """The next element, and whether another follows."""
        shallow = _SHALLOW_OBJECT.match(self._buffer, self._at)
        start, depth = self._at, 0
        if shallow:
            self._at = shallow.end()
        oversize = False
        while True:
            match = _TOKEN.search(self._buffer, self._at)
            if match is None or match.group() == b'"':
                start, oversize = self._more(
                    start, match.start() if match else len(self._buffer), oversize=oversize
                )
                continue
            self._at = match.end()
            token = match.group()
            if token in (b"[", b"{"):
                depth += 1
            elif depth == 0 and token in (b",", b"]"):
                element = None if oversize else self._buffer[start : match.start()].strip(_WHITE)
                return element, token == b","
            elif token in (b"]", b"}"):
                depth -= 1
                if depth < 0:
                    raise self._broken()

    def _more(self, start: int, resume: int, *, oversize: bool) -> tuple[int, bool]:
        """Reads on inside an element: its new start, and whether it has grown beyond the size of a record."""
        oversize = oversize or len(self._buffer) - start > MAX_RECORD_BYTES
        keep = resume if oversize else start
        if len(self._buffer) - resume > MAX_RECORD_BYTES or not self._fill(keep):
            raise refusal(JSON_TRUNCATED, offset=self._passed + len(self._buffer))
        self._at = resume - keep
        return (self._at if oversize else 0), oversize

    def _finish(self) -> None:
        """Goes to the end of the document, which must be complete; nothing may follow a bare array."""
        if self._place:
            depth = len(self._place)
            for token in self._tokens():
                depth += (token in (b"[", b"{")) - (token in (b"]", b"}"))
                if depth == 0:
                    break
        while True:
            if self._buffer[self._at :].strip(_WHITE):
                raise self._broken()
            if not self._fill(len(self._buffer)):
                return
            self._at = 0

    def _broken(self) -> Exception:
        offset = self._passed + self._at
        return refusal(JSON_SYNTAX, "", None, reason="unexpected text", offset=offset)


def _name(text: bytes) -> str | None:
    try:
        name = json.loads(text)
    except ValueError:
        return None
    return name if isinstance(name, str) else None
