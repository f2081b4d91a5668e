"""A font file as layout needs it: which characters it has and how wide they are."""

from functools import cache
from pathlib import Path

import uharfbuzz as hb

FONTS = Path(__file__).parent / "fonts"
SHIPPED_FONT = "hub-kai.ttf"
ASCENT_EM = 0.88
"""Baseline below the top of the em box (the usual ideographic em box: 880 above, 120 below)."""


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
        self._advances: dict[str, float] = {
            char: shaper.get_glyph_h_advance(glyph) / self.units_per_em for char, glyph in self.glyphs.items()
        }

    def advance_em(self, char: str) -> float:
        """Advance of ``char`` in em; a character the font lacks counts as a full em."""
        return self._advances.get(char, 1.0)

    def width_em(self, text: str) -> float:
        """Width of ``text`` on one line, in em."""
        return sum(map(self.advance_em, text))

    def missing_glyphs(self, text: str) -> tuple[str, ...]:
        """Characters of ``text`` the font cannot draw, each once, in order; line feeds do not count."""
        return tuple(dict.fromkeys(char for char in text if char not in self.glyphs and char != "\n"))


@cache
def typeface(path: Path = FONTS / SHIPPED_FONT) -> Typeface:
    """The typeface of a font file, loaded once per process."""
    return Typeface(path)


def missing_glyphs(text: str) -> tuple[str, ...]:
    """Characters of ``text`` the shipped font cannot draw."""
    return typeface().missing_glyphs(text)
