"""The cross-references of a PDF (ISO 32000-2, 7.5): which object every number means, now and in an earlier revision."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from core.verification.container import too_much
from core.verification.pdf_syntax import (
    Budget,
    Name,
    Placed,
    Reference,
    Scanner,
    Stream,
    StructureError,
    Value,
    read_object,
)

MOST_OBJECTS = 60_000
"""Cross-reference entries read for one file."""
_MOST_SECTIONS = 200
_LARGEST_STREAM = 8 * 1024 * 1024
_START = re.compile(rb"startxref[\0\t\n\f\r ]{1,8}(\d{1,10})")
_TAIL = re.compile(rb"(?:[\0\t\n\f\r ]++|%[^\r\n]*+)*+")
_SUBSECTION = re.compile(rb"[\0\t\n\f\r ]*+(\d{1,10}) (\d{1,10})(?= *+[\r\n])")
_ENTRY = re.compile(rb"[\0\t\n\f\r ]*+(\d{10}) (\d{5}) ([fn])")
_OBJECT_STREAM, _XREF_STREAM = Name(b"ObjStm"), Name(b"XRef")
_UP = 2


class Entry(NamedTuple):
    """Where an object is: ``kind`` 0 free, 1 at offset ``place`` with a generation, 2 in the object stream ``place``."""

    kind: int
    place: int
    detail: int
    """Generation, or position inside the object stream."""


@dataclass(frozen=True)
class Section:
    """One cross-reference section with its trailer."""

    start: int
    end: int
    entries: dict[int, Entry]
    trailer: dict[bytes, Value]
    hidden: frozenset[int] = frozenset()
    """Objects of a hybrid file that only its cross-reference stream knows."""


@dataclass
class Revision:
    """The file as a reader sees it whose last section is ``sections[0]``."""

    data: bytes
    sections: tuple[Section, ...]
    budget: Budget
    _contents: dict[int, tuple[bytes, list[tuple[int, int]]]] = field(default_factory=dict)

    @property
    def trailer(self) -> dict[bytes, Value]:
        return self.sections[0].trailer

    def entry(self, number: int) -> Entry:
        """Where the newest section that knows an object puts it."""
        for section in self.sections:
            if (found := section.entries.get(number)) is not None:
                return found
        return Entry(0, 0, 0)

    def numbers(self) -> set[int]:
        """Objects in use."""
        known = {number for section in self.sections for number in section.entries}
        return {number for number in known if self.entry(number).kind}

    def placed(self, reference: Reference) -> Placed | None:
        """The object with its place, or None for a reference to nothing; raises ``StructureError``."""
        entry = self.entry(reference.number)
        if entry.kind == 0 or (entry.kind == 1 and entry.detail != reference.generation):
            return None
        if entry.kind == 1:
            return read_object(self.data, entry.place, reference, self._length, self.budget)
        content, places = self._unpacked(entry.place)
        if reference.generation or entry.detail >= len(places) or places[entry.detail][0] != reference.number:
            raise StructureError(f"object {reference.number} is not in its object stream")
        return Placed(Scanner(content, places[entry.detail][1], self.budget).value(), 0, 0)

    def value(self, value: Value) -> Value:
        """``value``, or what it refers to; raises ``StructureError``."""
        if isinstance(value, Reference):
            placed = self.placed(value)
            value = placed.value if placed else None
        if isinstance(value, Reference):
            raise StructureError("a reference leads to a reference")
        return value

    def dictionary(self, value: Value) -> dict[bytes, Value]:
        """The dictionary that ``value`` is or refers to; empty for null; raises ``StructureError`` for anything else."""
        found = self.value(value)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise StructureError("no dictionary here")
        return found

    def items(self, value: Value) -> list[Value]:
        """The array that ``value`` is or refers to; empty for null; raises ``StructureError`` for anything else."""
        found = self.value(value)
        if found is None:
            return []
        if not isinstance(found, list):
            raise StructureError("no array here")
        return found

    def reference(self, number: int) -> Reference:
        """The name of an object in use."""
        entry = self.entry(number)
        return Reference(number, entry.detail if entry.kind == 1 else 0)

    def _length(self, stated: Value) -> int:
        size = self.value(stated)
        if not isinstance(size, int) or size < 0:
            raise StructureError("a stream states no length")
        return size

    def _unpacked(self, number: int) -> tuple[bytes, list[tuple[int, int]]]:
        """The content of an object stream, and number and place of each object in it."""
        if number not in self._contents:
            self._contents.clear()  # one at a time: objects are asked for in the order of their streams
            self._contents[number] = self._object_stream(number)
        return self._contents[number]

    def _object_stream(self, number: int) -> tuple[bytes, list[tuple[int, int]]]:
        if b"Encrypt" in self.trailer:
            raise StructureError("object streams are encrypted")
        entry = self.entry(number)
        if entry.kind != 1:
            raise StructureError("an object stream is not in the file")
        stream = read_object(
            self.data, entry.place, Reference(number, entry.detail), self._length, self.budget
        ).value
        if not isinstance(stream, Stream) or stream.dictionary.get(b"Type") != _OBJECT_STREAM:
            raise StructureError("no object stream here")
        content = unpacked(self.data, stream, self.budget)
        count, first = stream.dictionary.get(b"N"), stream.dictionary.get(b"First")
        if not isinstance(count, int) or not isinstance(first, int) or count > MOST_OBJECTS:
            raise StructureError("an object stream is malformed")
        head = Scanner(content, 0, self.budget)
        numbers = [head.value() for _ in range(2 * count)]
        pairs = [number for number in numbers if isinstance(number, int)]
        if len(pairs) != len(numbers):
            raise StructureError("an object stream is malformed")
        return content, [(which, first + at) for which, at in zip(pairs[::2], pairs[1::2], strict=True)]


def read_revision(data: bytes, end: int, budget: Budget) -> Revision:
    """The revision that ends at ``end``; raises ``StructureError``, and ``Broken`` beyond the bounds."""
    found = data.rfind(b"startxref", max(0, end - 2048), end)
    start = _START.match(data, found, end) if found >= 0 else None
    if start is None or _TAIL.fullmatch(data, start.end(), end) is None:
        raise StructureError("there is no startxref at the end")
    sections: list[Section] = []
    place: Value = int(start[1])
    entries = 0
    while place is not None:
        if (
            not isinstance(place, int)
            or not 0 <= place < end
            or place in {section.start for section in sections}
        ):
            raise StructureError("the cross-references do not lead back to the first")
        section = _section(data, place, budget)
        sections.append(_with_hidden(data, section, budget))
        entries += len(sections[-1].entries)
        if entries > MOST_OBJECTS or len(sections) > _MOST_SECTIONS:
            raise too_much(
                "the PDF has too many objects or revisions to judge", "PDF 对象或修订过多，无法判断"
            )
        place = section.trailer.get(b"Prev")
    return Revision(data, tuple(sections), budget)


def unpacked(data: bytes, stream: Stream, budget: Budget) -> bytes:
    """The content of a stream, plain or deflated; raises ``StructureError`` for other filters."""
    raw, filters = data[stream.start : stream.end], stream.dictionary.get(b"Filter")
    if filters is None:
        return raw
    if filters not in (Name(b"FlateDecode"), [Name(b"FlateDecode")]):
        raise StructureError("a stream is packed in another way")
    bound = min(_LARGEST_STREAM, budget.inflated)
    try:
        content = zlib.decompressobj().decompress(raw, bound + 1)
    except zlib.error as error:
        raise StructureError("a stream cannot be unpacked") from error
    if len(content) > bound:
        raise too_much("a stream of the PDF is too large to judge", "PDF 的流过大，无法判断")
    budget.inflated -= len(content)
    parameters = stream.dictionary.get(b"DecodeParms")
    return _without_predictor(
        content, parameters[0] if isinstance(parameters, list) and parameters else parameters
    )


def _section(data: bytes, at: int, budget: Budget) -> Section:
    scanner = Scanner(data, at, budget)
    scanner.blank()
    return _table(scanner, at) if scanner.word(b"xref") else _stream_section(data, at, budget)


def _table(scanner: Scanner, start: int) -> Section:
    entries: dict[int, Entry] = {}
    while head := _SUBSECTION.match(scanner.data, scanner.at):
        scanner.at = head.end()
        for number in range(int(head[1]), int(head[1]) + int(head[2])):
            found = _ENTRY.match(scanner.data, scanner.at)
            if found is None:
                raise StructureError("a cross-reference entry is malformed")
            if len(entries) > MOST_OBJECTS:
                raise too_much("the PDF has too many objects to judge", "PDF 对象过多，无法判断")
            scanner.at = found.end()
            entries[number] = Entry(int(found[3] == b"n"), int(found[1]), int(found[2]))
    if not scanner.word(b"trailer"):
        raise StructureError("a cross-reference table has no trailer")
    trailer = scanner.dictionary()
    return Section(start, _after_start(scanner), entries, trailer)


def _stream_section(data: bytes, at: int, budget: Budget) -> Section:
    header = Scanner(data, at, budget)
    header.blank()
    number, generation = header.value(), header.value()
    if not isinstance(number, int) or not isinstance(generation, int):
        raise StructureError("no cross-reference here")
    placed = read_object(data, at, Reference(number, generation), _stated_length, budget)
    stream = placed.value
    if not isinstance(stream, Stream) or stream.dictionary.get(b"Type") != _XREF_STREAM:
        raise StructureError("no cross-reference stream here")
    scanner = Scanner(data, placed.end, budget)
    entries = dict(_stream_entries(unpacked(data, stream, budget), stream.dictionary))
    return Section(at, _after_start(scanner), entries, stream.dictionary)


def _stated_length(stated: Value) -> int:
    if not isinstance(stated, int) or stated < 0:
        raise StructureError("a cross-reference stream states no length")
    return stated


def _stream_entries(content: bytes, dictionary: dict[bytes, Value]) -> Iterator[tuple[int, Entry]]:
    widths, size = dictionary.get(b"W"), dictionary.get(b"Size")
    index = dictionary.get(b"Index", [0, size])
    if not isinstance(widths, list) or not isinstance(index, list):
        raise StructureError("a cross-reference stream is malformed")
    wide = [width for width in widths if isinstance(width, int) and 0 <= width <= 8]
    runs = [number for number in index if isinstance(number, int) and number >= 0]
    if len(wide) != 3 or len(widths) != 3 or len(runs) != len(index) or len(runs) % 2 or not sum(wide):
        raise StructureError("a cross-reference stream is malformed")
    at = 0
    for first, count in zip(runs[::2], runs[1::2], strict=True):
        if count > MOST_OBJECTS or at + count * sum(wide) > len(content):
            raise StructureError("a cross-reference stream is too short or too long")
        for number in range(first, first + count):
            fields = []
            for width in wide:
                fields.append(int.from_bytes(content[at : at + width], "big"))
                at += width
            kind = fields[0] if wide[0] else 1
            yield number, Entry(kind if kind <= 2 else 0, fields[1], fields[2])


def _with_hidden(data: bytes, section: Section, budget: Budget) -> Section:
    """A hybrid section: what its table leaves free and its stream knows is in use (7.5.8.4)."""
    place = section.trailer.get(b"XRefStm")
    if place is None:
        return section
    if not isinstance(place, int):
        raise StructureError("the trailer is malformed")
    known = _section(data, place, budget).entries
    taken = {number: entry for number, entry in section.entries.items() if entry.kind}
    entries = {**section.entries, **known, **taken}
    return replace(section, entries=entries, hidden=frozenset(known.keys() - taken.keys()))


def _after_start(scanner: Scanner) -> int:
    """Where a section ends: after its startxref, where that follows."""
    at = scanner.at
    scanner.blank()
    found = _START.match(scanner.data, scanner.at)
    return found.end() if found else at


def _without_predictor(content: bytes, parameters: Value) -> bytes:
    """PNG rows undone (7.4.4.4), as far as cross-reference streams use them: none, sub and up."""
    if not isinstance(parameters, dict) or parameters.get(b"Predictor", 1) == 1:
        return content
    columns = parameters.get(b"Columns", 1)
    plain = parameters.get(b"Colors", 1) == 1 and parameters.get(b"BitsPerComponent", 8) == 8
    if not isinstance(columns, int) or not 0 < columns <= 4096 or not plain:
        raise StructureError("a predictor is not read")
    out, above = bytearray(), bytes(columns)
    for at in range(0, len(content), columns + 1):
        kind, row = content[at], content[at + 1 : at + 1 + columns].ljust(columns, b"\0")
        above = _row(kind, row, above)
        out += above
    return bytes(out)


def _row(kind: int, row: bytes, above: bytes) -> bytes:
    if kind == 0:
        return row
    if kind == _UP:
        return bytes((one + other) & 0xFF for one, other in zip(row, above, strict=True))
    if kind == 1:
        out = bytearray(row)
        for at in range(1, len(out)):
            out[at] = (out[at] + out[at - 1]) & 0xFF
        return bytes(out)
    raise StructureError("a predictor is not read")
