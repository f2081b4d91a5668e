"""CSV and its kin (RFC 4180, any separator), streamed: quoted line breaks, strict quotes, and rows that fail alone.

Records are cut by one regular expression without backtracking; a row whose quotes are wrong ends at its line break, so that
the rows after it are read.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from adapters.decoding.encoding import bad_offset, detect, errors_of, has_bad_bytes, text_blocks
from adapters.decoding.rows import Row, Tally
from adapters.decoding.rules import BAD_QUOTES, NUL, ROW_TOO_LONG, UNDECODABLE
from adapters.decoding.table import Cells, records
from contracts.fault import Fault
from contracts.interface import Source
from contracts.mapping import Translator

MAX_ROW_CHARACTERS = 1024 * 1024
"""Characters of one row; a quote that is not closed within them is taken as a slip of its own line."""


def decode_csv(stream: BinaryIO, translator: Translator, tally: Tally | None = None) -> Iterator[Row]:
    """The records of a delimited text. Raises ``ContractError`` when its header is not the declared one.

    ``stream`` must be seekable: the encoding is settled in a first pass over the bytes.
    """
    tally = tally if tally is not None else Tally()
    source = translator.interface.source
    tally.encoding, offset = detect(stream, source.encoding)
    rows = cut_rows(text_blocks(stream, tally.encoding, offset), source, tally)
    return records(rows, translator, tally, ragged=True)


class _Cut(NamedTuple):
    """A row as text, where it starts, whether its quotes are sound, and whether its line goes on behind the text."""

    text: str
    start: int
    sound: bool = True
    goes_on: bool = False


def cut_rows(blocks: Iterator[tuple[int, str]], source: Source, tally: Tally) -> Iterator[Cells]:
    """Cells of every row that is not blank, the header among them."""
    cutter = _Cutter(blocks, source, tally.encoding)
    line = 1
    for cut in cutter:
        if cut.text:
            yield _cells(cut, line, cutter, tally.encoding)
        line += 1 + cut.text.count("\n") + cut.text.count("\r") - cut.text.count("\r\n")


def _cells(cut: _Cut, line: int, cutter: "_Cutter", encoding: str) -> Cells:
    text = cut.text
    fault: Fault | None = None
    if not text.isascii() and has_bad_bytes(text):
        fault = UNDECODABLE.at("", offset=cutter.bad_offset(cut), encoding=encoding.upper())
    elif "\0" in text:
        fault = NUL.at("", line=line)
    elif len(text) > MAX_ROW_CHARACTERS:
        fault = ROW_TOO_LONG.at("", line=line, limit=MAX_ROW_CHARACTERS)
    elif not cut.sound:
        fault = BAD_QUOTES.at("", line=line)
    if fault:
        return Cells(line, (text.encode("utf-8", "backslashreplace").decode(),), (fault,))
    return Cells(line, cutter.split(text))


class _Cutter:
    """Iterates over the rows of a text that comes in blocks."""

    def __init__(self, blocks: Iterator[tuple[int, str]], source: Source, encoding: str) -> None:
        self._blocks, self._encoding = blocks, encoding
        self._delimiter, self._quote = source.delimiter, source.quote
        delimiter, quote = re.escape(source.delimiter), re.escape(source.quote)
        quoted = f"{quote}[^{quote}]*+(?:{quote}{quote}[^{quote}]*+)*+{quote}" if quote else "(?!)"
        bare = (f"(?!{quote})" if quote else "") + f"[^{delimiter}\r\n]*+"
        field = (
            f"(?:{quoted}|{bare}|)"  # the empty one before a quote that is not closed: the row stops there
        )
        self._row = re.compile(f"{field}(?:{delimiter}{field})*+")
        self._field = re.compile(f"{delimiter}(?:({quoted})|({bare}))")
        self._line = re.compile("[^\r\n]*+")
        self._text = ""
        self._offset = 0  # byte offset of the text's first character
        self._ended = False

    def __iter__(self) -> Iterator[_Cut]:
        at = 0
        while True:
            cut = self._cut(at)
            if cut is None:
                if not self._read_on(at):
                    return
                at = 0
                continue
            yield cut
            at = self._skip_line() if cut.goes_on else self._behind_break(cut.start + len(cut.text))

    def split(self, text: str) -> list[str]:
        """Cells of a sound row."""
        if not self._quote or self._quote not in text:
            return text.split(self._delimiter)
        quote = self._quote
        return [
            quoted[1:-1].replace(quote + quote, quote) if quoted else bare
            for quoted, bare in self._field.findall(self._delimiter + text)
        ]

    def bad_offset(self, cut: _Cut) -> int:
        """Byte offset in the document of the first bytes of a row that did not decode."""
        return self._offset + bad_offset(self._text, self._encoding, cut.start)

    def _cut(self, at: int) -> _Cut | None:
        """The row at ``at``, or None when more text is needed to see its end."""
        text, size = self._text, len(self._text)
        end = self._row.match(text, at).end()  # type: ignore[union-attr]  # the pattern matches the empty text
        if end < size and text[end] in "\r\n" and (text[end] == "\n" or end + 1 < size or self._ended):
            return _Cut(text[at:end], at)
        if end == size and self._ended:
            return _Cut(text[at:], at) if at < size else None
        behind_quote = end < size and text[end] not in (self._quote, "\r", "\n")
        if behind_quote or self._ended or size - at > MAX_ROW_CHARACTERS:
            return self._faulty_line(at)
        return None

    def _faulty_line(self, at: int) -> _Cut | None:
        """The line at ``at`` alone, whatever its quotes open; None when more text is needed to see its end."""
        end = self._line.match(self._text, at).end()  # type: ignore[union-attr]  # the pattern matches the empty text
        if end < len(self._text) or self._ended:
            return _Cut(self._text[at:end], at, sound=False)
        if end - at <= MAX_ROW_CHARACTERS:
            return None
        return _Cut(self._text[at:end], at, sound=False, goes_on=True)

    def _behind_break(self, end: int) -> int:
        return end + (2 if self._text.startswith("\r\n", end) else 1)

    def _skip_line(self) -> int:
        """Reads over the rest of a line that is too long to be kept; the place behind its break."""
        while self._read_on(len(self._text)):
            end = self._line.match(self._text).end()  # type: ignore[union-attr]  # the pattern matches the empty text
            if end < len(self._text):
                return self._behind_break(end)
        return 0

    def _read_on(self, at: int) -> bool:
        """Appends the next block, dropping what was cut; False when there is no more."""
        if self._ended:
            return False
        kept = self._text[at:]
        offset, text = next(self._blocks, (-1, ""))
        if offset < 0:
            self._ended = True
            self._offset += len(self._text[:at].encode(self._encoding, errors_of(self._encoding)))
        else:
            self._offset = offset - len(kept.encode(self._encoding, errors_of(self._encoding)))
        self._text = kept + text
        return True
