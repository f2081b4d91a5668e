"""Fits a text into a box: one line, wrapped lines, smaller type, in that order."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from core.packaging.typeface import ASCENT_EM, Typeface

MM_PER_PT = 25.4 / 72
Align = Literal["left", "center", "right"]
VerticalAlign = Literal["top", "middle", "bottom"]
_COMFORTABLE = 0.8
"""A text that fits on one line at this part of its size is shrunk to it rather than wrapped."""
_SHRINK = 0.95
"""Each attempt is 5 % smaller than the one before."""
_TOLERANCE_MM = 0.01
_NO_LINE_START = frozenset(" ，。、；：？！）》】〕」』”’…·%％,.;:?!)]}")
_NO_LINE_END = frozenset("（《【〔「『“‘([{")


class Box(msgspec.Struct, frozen=True):
    """A rectangle on the page in mm, from the top left corner."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: "Box") -> bool:
        """Whether the two have more than an edge in common."""
        return (
            self.x + self.width > other.x + _TOLERANCE_MM
            and other.x + other.width > self.x + _TOLERANCE_MM
            and self.y + self.height > other.y + _TOLERANCE_MM
            and other.y + other.height > self.y + _TOLERANCE_MM
        )


class TextRule(msgspec.Struct, frozen=True, kw_only=True):
    """How a text may be set into its box."""

    size_pt: float
    min_size_pt: float = 0.0
    """Smallest size the text may shrink to; 0: it never shrinks."""
    align: Align = "left"
    valign: VerticalAlign = "middle"
    wrap: bool = True
    line_height: float = 1.35
    """Distance of baselines in em."""
    spacing_em: float = 0.0
    """Extra space after each character."""


class Line(msgspec.Struct, frozen=True):
    """One line of set text; position of its first character's origin relative to the box, in mm."""

    text: str
    x: float
    baseline: float
    advances: tuple[float, ...]
    """Advance of each character in mm."""


class SetText(msgspec.Struct, frozen=True):
    """A text that fits its box."""

    size_mm: float
    lines: tuple[Line, ...]


def set_text(text: str, box: Box, rule: TextRule, typeface: Typeface) -> SetText | None:
    """``text`` set into ``box``, or None when it does not fit at the smallest size the rule allows."""
    width_em = _width_em(text, rule, typeface)
    size_mm = round(rule.size_pt * MM_PER_PT, 3)
    if width_em * size_mm <= box.width and size_mm <= box.height and "\n" not in text:
        return SetText(size_mm, _placed([text], box, size_mm, rule, typeface))
    rule = _kept_on_one_line(text, width_em, box, rule)
    for size_mm in _sizes_mm(rule):
        room_em = box.width / size_mm + 1e-6
        fits = width_em <= room_em and "\n" not in text
        lines = [text] if fits else _broken(text, room_em, rule, typeface)
        if lines is not None and _height_mm(len(lines), size_mm, rule) <= box.height + _TOLERANCE_MM:
            return SetText(size_mm, _placed(lines, box, size_mm, rule, typeface))
    return None


def _kept_on_one_line(text: str, width_em: float, box: Box, rule: TextRule) -> TextRule:
    """The rule without wrapping when a little shrinking is enough."""
    smallest_pt = max(rule.size_pt * _COMFORTABLE, rule.min_size_pt)
    length_mm = width_em * smallest_pt * MM_PER_PT
    if not rule.min_size_pt or "\n" in text or length_mm > box.width:
        return rule
    return msgspec.structs.replace(rule, wrap=False, min_size_pt=smallest_pt)


def _sizes_mm(rule: TextRule) -> Iterator[float]:
    size_pt, smallest_pt = rule.size_pt, rule.min_size_pt or rule.size_pt
    while size_pt > smallest_pt:
        yield round(size_pt * MM_PER_PT, 3)
        size_pt *= _SHRINK
    yield round(smallest_pt * MM_PER_PT, 3)


def _height_mm(lines: int, size_mm: float, rule: TextRule) -> float:
    return ((lines - 1) * rule.line_height + 1) * size_mm


def _broken(text: str, width_em: float, rule: TextRule, typeface: Typeface) -> list[str] | None:
    paragraphs = text.split("\n")
    if all(_width_em(part, rule, typeface) <= width_em for part in paragraphs):
        return paragraphs
    if not rule.wrap:
        return None
    lines = [line for part in paragraphs for line in _wrapped(part, width_em, rule, typeface)]
    too_wide = any(_width_em(line.rstrip(" "), rule, typeface) > width_em for line in lines)
    return None if too_wide else lines


def _width_em(text: str, rule: TextRule, typeface: Typeface) -> float:
    return typeface.width_em(text) + max(len(text) - 1, 0) * rule.spacing_em


def _wrapped(text: str, width_em: float, rule: TextRule, typeface: Typeface) -> Iterator[str]:
    """Lines of one paragraph; a character wider than the room stands alone on a line that is too wide."""
    start = 0
    while True:
        end = _full_at(text, start, width_em, rule, typeface)
        if end == len(text):
            break
        stop = _break_before(text, start, end)
        yield text[start:stop]
        start = stop
    yield text[start:]


def _full_at(text: str, start: int, width_em: float, rule: TextRule, typeface: Typeface) -> int:
    """Where a line from ``start`` is full: at least one character on."""
    used, advances = 0.0, typeface.advances_em
    for index in range(start, len(text)):
        used += advances[text[index]]
        if used > width_em and index > start:
            return index
        used += rule.spacing_em
    return len(text)


def _break_before(text: str, start: int, index: int) -> int:
    """Where the line from ``start`` that is full before ``index`` ends: not inside a word or before closing punctuation."""
    for stop in range(index, start, -1):
        before, after = text[stop - 1], text[stop]
        inside_word = _in_word(before) and _in_word(after)
        if not inside_word and after not in _NO_LINE_START and before not in _NO_LINE_END:
            return stop
    return index


def _in_word(char: str) -> bool:
    return char.isascii() and not char.isspace() and char not in "-/,;"


def _placed(
    lines: list[str], box: Box, size_mm: float, rule: TextRule, typeface: Typeface
) -> tuple[Line, ...]:
    slack_y = box.height - _height_mm(len(lines), size_mm, rule)
    top = {"top": 0.0, "middle": slack_y / 2, "bottom": slack_y}[rule.valign]
    return tuple(
        _line(text, top + (number * rule.line_height + ASCENT_EM) * size_mm, box, size_mm, rule, typeface)
        for number, text in enumerate(lines)
    )


def _line(text: str, baseline: float, box: Box, size_mm: float, rule: TextRule, typeface: Typeface) -> Line:
    advances = typeface.advances_mm(text, size_mm, rule.spacing_em)
    slack_x = box.width - _width_em(text.rstrip(" "), rule, typeface) * size_mm
    x = {"left": 0.0, "center": slack_x / 2, "right": slack_x}[rule.align]
    return Line(text, round(max(x, 0.0), 3), round(baseline, 3), advances)
