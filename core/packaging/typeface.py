"""A font file as layout needs it: which characters it has and how wide they are."""

import struct
from functools import cache
from pathlib import Path
from typing import NamedTuple

import uharfbuzz as hb

FONTS = Path(__file__).parent / "fonts"
SHIPPED_FONT = "hub-kai.ttf"
ASCENT_EM = 0.88
"""Baseline below the top of the em box (the usual ideographic em box: 880 above, 120 below)."""


class FontMetrics(NamedTuple):
    """What a font descriptor states."""

    box: tuple[int, int, int, int]
    ascent: int
    descent: int


class _Advances(dict[str, float]):
    """Advances in em."""

    def __missing__(self, char: str) -> float:
        return 1.0


class _ScaledAdvances(dict[str, float]):
    """Advances at one size, worked out when first asked for."""

    def __init__(self, advances_em: _Advances, size_mm: float, spacing_em: float) -> None:
        super().__init__()
        self._advances_em, self._size_mm, self._spacing_em = advances_em, size_mm, spacing_em

    def __missing__(self, char: str) -> float:
        value = round((self._advances_em[char] + self._spacing_em) * self._size_mm, 3)
        self[char] = value
        return value


class Typeface:
    """One font file: coverage and advances. Loading takes some 10 ms; use ``typeface``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path.read_bytes()
        self.face = hb.Face(hb.Blob(self.data))
        shaper = hb.Font(self.face)
        self.units_per_em: int = self.face.upem
        self.glyphs: dict[str, int] = {
            chr(code): shaper.get_nominal_glyph(code) for code in self.face.unicodes if code >= 0x20
        }
        """Character -> glyph number."""
        self.advances_em = _Advances(
            {
                char: shaper.get_glyph_h_advance(glyph) / self.units_per_em
                for char, glyph in self.glyphs.items()
            }
        )
        """Character -> advance in em; a character the font lacks counts as a full em."""
        self._drawable = frozenset(self.glyphs) | {"\n"}
        self._scaled: dict[tuple[float, float], _ScaledAdvances] = {}

    @property
    def has_outlines(self) -> bool:
        """Whether the file is a font with TrueType outlines, the ones an embedded subset is made of."""
        return bool(self.face.reference_table("glyf").data) and bool(self.glyphs)

    def metrics(self) -> FontMetrics:
        """Bounding box, ascent and descent in thousandths of an em, from the tables head and hhea."""
        box = struct.unpack_from(">4h", self.face.reference_table("head").data, 36)
        ascent, descent = struct.unpack_from(">2h", self.face.reference_table("hhea").data, 4)
        scale = 1000 / self.units_per_em
        left, bottom, right, top = (round(edge * scale) for edge in box)
        return FontMetrics((left, bottom, right, top), round(ascent * scale), round(descent * scale))

    def width_em(self, text: str) -> float:
        """Width of ``text`` on one line, in em."""
        return sum(map(self.advances_em.__getitem__, text))

    def advances_mm(self, text: str, size_mm: float, spacing_em: float) -> tuple[float, ...]:
        """Advance of each character at a size with extra space after each, to the micrometre."""
        key = (size_mm, spacing_em)
        if key not in self._scaled:
            self._scaled[key] = _ScaledAdvances(self.advances_em, size_mm, spacing_em)
        return tuple(map(self._scaled[key].__getitem__, text))

    def missing_glyphs(self, text: str) -> tuple[str, ...]:
        """Characters of ``text`` the font cannot draw, each once, in order; line feeds do not count."""
        if self._drawable.issuperset(text):
            return ()
        return tuple(dict.fromkeys(char for char in text if char not in self._drawable))


@cache
def typeface(path: Path = FONTS / SHIPPED_FONT) -> Typeface:
    """The typeface of a font file, loaded once per process."""
    return Typeface(path)


def missing_glyphs(text: str) -> tuple[str, ...]:
    """Characters of ``text`` the shipped font cannot draw."""
    return typeface().missing_glyphs(text)
