"""The objects of PDF (ISO 32000-2, 7.2 and 7.3) read from bytes that may be hostile: counted, never deeper than a bound."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from core.verification.container import too_much

MOST_TOKENS = 400_000
"""Tokens read for one file, over all readings."""
_DEEPEST = 50
_LONGEST_STRING = 4 * 1024 * 1024
"""Room for the largest signature value that is read."""
_BLANK = re.compile(rb"(?:[\0\t\n\f\r ]++|%[^\r\n]*+)*+")
_NAME = re.compile(rb"/([^\0\t\n\f\r ()<>\[\]{}/%]{0,255})")
_NUMBER = re.compile(rb"[+-]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})")
_REFERENCE = re.compile(
    rb"(\d{1,10})[\0\t\n\f\r ]{1,8}(\d{1,5})[\0\t\n\f\r ]{1,8}R(?![^\0\t\n\f\r ()<>\[\]{}/%])"
)
_HEX = re.compile(rb"<([0-9A-Fa-f\0\t\n\f\r ]*+)>")
_WORD = re.compile(rb"[A-Za-z]{1,20}")
_STRING_PART = re.compile(rb"[()\\]")
_ESCAPE = re.compile(rb"\\(\r\n|[0-7]{1,3}|.)|\r\n?", re.DOTALL)
_ESCAPED = {
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"b": b"\b",
    b"f": b"\f",
    b"\n": b"",
    b"\r": b"",
    b"\r\n": b"",
}
_NAME_CODE = re.compile(rb"#([0-9A-Fa-f]{2})")
_WORDS: dict[bytes, "bool | None"] = {b"true": True, b"false": False, b"null": None}
_HEADER = re.compile(rb"(\d{1,10})[\0\t\n\f\r ]{1,8}(\d{1,5})[\0\t\n\f\r ]{1,8}obj(?![A-Za-z])")
_STREAM = re.compile(rb"stream(?:\r\n|\n)")


class StructureError(ValueError):
    """Bytes that are not the PDF object expected here."""


@dataclass(frozen=True)
class Name:
    """A name without its solidus, number-sign codes resolved."""

    value: bytes


class Reference(NamedTuple):
    """An indirect reference."""

    number: int
    generation: int


@dataclass(frozen=True)
class Stream:
    """A stream: its dictionary, and where its bytes stand in the file."""

    dictionary: "dict[bytes, Value]"
    start: int
    end: int


Value = bool | None | int | float | bytes | Name | Reference | Stream | list["Value"] | dict[bytes, "Value"]


@dataclass
class Budget:
    """What is left of the work one file may cost."""

    tokens: int = MOST_TOKENS
    inflated: int = 32 * 1024 * 1024

    def take(self) -> None:
        """Counts one token; raises ``Broken`` beyond the bound."""
        self.tokens -= 1
        if self.tokens < 0:
            raise too_much("the structure of the PDF is too large to judge", "PDF 结构过大，无法判断")


@dataclass
class Scanner:
    """Reads values from ``data`` at ``at``; every reading raises ``StructureError`` for what is malformed."""

    data: bytes
    at: int
    budget: Budget

    def blank(self) -> None:
        """Moves over white space and comments."""
        self.at = _end_of(_BLANK.match(self.data, self.at), self.at)

    def word(self, expected: bytes) -> bool:
        """Takes the keyword when it stands next."""
        self.blank()
        found = self.data.startswith(expected, self.at)
        self.at += len(expected) if found else 0
        return found

    def value(self, depth: int = 0) -> Value:
        """The value that stands next, moved over."""
        self.budget.take()
        self.blank()
        start = self.data[self.at : self.at + 2]
        if depth > _DEEPEST or not start:
            raise StructureError("no value here")
        if start == b"<<":
            return self._dictionary(depth)
        match start[:1]:
            case b"/":
                return Name(self._name())
            case b"[":
                return self._array(depth)
            case b"(":
                return self._string()
            case b"<":
                return self._hexadecimal()
        return self._plain()

    def dictionary(self) -> dict[bytes, Value]:
        """A dictionary that has to stand next."""
        value = self.value()
        if not isinstance(value, dict):
            raise StructureError("no dictionary here")
        return value

    def _plain(self) -> Value:
        if found := _REFERENCE.match(self.data, self.at):
            self.at = found.end()
            return Reference(int(found[1]), int(found[2]))
        if found := _NUMBER.match(self.data, self.at):
            self.at = found.end()
            return float(found[0]) if b"." in found[0] else int(found[0])
        found = _WORD.match(self.data, self.at)
        if found is None or found[0] not in _WORDS:
            raise StructureError("no value here")
        self.at = found.end()
        return _WORDS[found[0]]

    def _name(self) -> bytes:
        found = _NAME.match(self.data, self.at)
        if found is None:
            raise StructureError("no name here")
        self.at = found.end()
        return _NAME_CODE.sub(lambda code: bytes.fromhex(code[1].decode()), found[1])

    def _array(self, depth: int) -> list[Value]:
        self.at += 1
        found: list[Value] = []
        while not self.word(b"]"):
            found.append(self.value(depth + 1))
        return found

    def _dictionary(self, depth: int) -> dict[bytes, Value]:
        self.at += 2
        found: dict[bytes, Value] = {}
        while not self.word(b">>"):
            name = self._name()
            if name in found:
                raise StructureError("a dictionary has a key twice")
            found[name] = self.value(depth + 1)
        return found

    def _hexadecimal(self) -> bytes:
        found = _HEX.match(self.data, self.at)
        if found is None or found.end() - found.start() > _LONGEST_STRING:
            raise StructureError("a hexadecimal string is malformed or too long")
        self.at = found.end()
        digits = found[1].translate(None, b"\0\t\n\f\r ")
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))

    def _string(self) -> bytes:
        start, open_ = self.at, 0
        while found := _STRING_PART.search(self.data, self.at, start + _LONGEST_STRING):
            self.budget.take()
            self.at = found.end() + (found[0] == b"\\")
            open_ += {b"(": 1, b")": -1}.get(found[0], 0)
            if not open_:
                return _ESCAPE.sub(_unescaped, self.data[start + 1 : self.at - 1])
        raise StructureError("a string has no end, or is too long")


@dataclass(frozen=True)
class Placed:
    """An indirect object with its place in the file."""

    value: Value
    start: int
    end: int
    """After ``endobj``."""


def read_object(
    data: bytes, at: int, reference: Reference, length: Callable[[Value], int], budget: Budget
) -> Placed:
    """The indirect object at ``at``, which has to bear the name ``reference``; raises ``StructureError``.

    ``length`` tells the size of a stream from its /Length, which may be a reference.
    """
    scanner = Scanner(data, at, budget)
    scanner.blank()
    header = _HEADER.match(data, scanner.at)
    if header is None or (int(header[1]), int(header[2])) != reference:
        raise StructureError(f"object {reference.number} is not where the cross-reference says")
    start = scanner.at
    scanner.at = header.end()
    value = scanner.value()
    scanner.blank()
    if isinstance(value, dict) and (opening := _STREAM.match(data, scanner.at)):
        size = length(value.get(b"Length"))
        scanner.at = opening.end() + size
        value = Stream(value, opening.end(), scanner.at)
        if not scanner.word(b"endstream"):
            raise StructureError(f"stream {reference.number} does not end where it says")
    if not scanner.word(b"endobj"):
        raise StructureError(f"object {reference.number} has no end")
    return Placed(value, start, scanner.at)


def _unescaped(found: re.Match[bytes]) -> bytes:
    """What a reversed solidus and what follows it stand for; a bare end of line is one line feed."""
    code = found[1]
    if code is None:
        return b"\n"
    if code[:1] in b"01234567":
        return bytes([int(code, 8) & 0xFF])
    return _ESCAPED.get(code, code)


def _end_of(found: "re.Match[bytes] | None", at: int) -> int:
    return found.end() if found else at
