"""Fonts embedded in a PDF: a subset of the style's typeface as a composite font with identity encoding."""

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from itertools import groupby

import msgspec
import uharfbuzz as hb

from core.packaging.pdf_objects import indirect, stream
from core.packaging.typeface import FontMetrics, Typeface

OBJECTS_PER_FONT = 5
_FULL_EM = 1000
_NOT_IN_NAMES = re.compile("[^A-Za-z0-9-]")
_CHARACTERS_PER_BLOCK = 100
"""``beginbfchar`` takes at most this many lines."""


class SubsetFont(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A subset ready to be written and used."""

    name: str
    """Of the whole font, as PDF names it."""
    data: bytes
    """TrueType font file."""
    codes: dict[str, int]
    """Character -> glyph number in the subset, which is its code in content streams."""
    widths: dict[int, int]
    """Glyph number -> advance in thousandths of an em, where it is not a full em."""
    tag: str
    """Six capitals that mark the font's name as a subset (ISO 32000-1, 9.6.4)."""
    metrics: FontMetrics

    @cached_property
    def hex_codes(self) -> dict[str, str]:
        """Character -> code as four hexadecimal digits."""
        return {char: f"{code:04x}" for char, code in self.codes.items()}


def subset_font(typeface: Typeface, characters: Iterable[str]) -> SubsetFont:
    """The glyphs of ``characters`` as a font of their own."""
    chars = sorted(characters)
    plan = hb.SubsetInput()
    plan.unicode_set.update(map(ord, chars))
    plan.flags = hb.SubsetFlags.NO_HINTING
    plan.drop_table_tag_set.update(_DROPPED)
    ready = hb.SubsetPlan(_prepared(typeface), plan)
    data = ready.execute().blob.data
    renumbered = ready.old_to_new_glyph_mapping
    codes = {char: renumbered[typeface.glyphs[char]] for char in chars}
    widths = {code: round(typeface.advances_em[char] * _FULL_EM) for char, code in codes.items()}
    return SubsetFont(
        name=_NOT_IN_NAMES.sub("", typeface.path.stem) or "Font",
        data=data,
        codes=codes,
        widths={code: width for code, width in widths.items() if width != _FULL_EM},
        tag=_tag(codes.values(), len(data)),
        metrics=typeface.metrics(),
    )


def _table_tag(name: str) -> int:
    return int.from_bytes(name.ljust(4).encode(), "big")


_DROPPED = [_table_tag(name) for name in ("OS/2", "name", "post", "gasp", "cmap", "GSUB", "GPOS", "GDEF")]
"""Tables a reader of an identity-encoded composite font does not look at."""


@lru_cache(maxsize=4)
def _prepared(typeface: Typeface) -> hb.Face:
    """The face in the form from which HarfBuzz cuts small subsets fastest."""
    return hb.subset_preprocess(typeface.face)


def _tag(codes: Iterable[int], size: int) -> str:
    value = (sum((index + 1) * code for index, code in enumerate(codes)) * 8191 + size) % 26**6
    letters = ""
    for _ in range(6):
        value, letter = divmod(value, 26)
        letters += chr(ord("A") + letter)
    return letters


def font_objects(first: int, font: SubsetFont) -> list[bytes]:
    """The five objects of a font, numbered from ``first``; the first is the one pages name."""
    base, metrics = f"{font.tag}+{font.name}", font.metrics
    box = " ".join(map(str, metrics.box))
    widths = "".join(f"{code}[{width}]" for code, width in sorted(font.widths.items()))
    return [
        indirect(
            first,
            f"<</Type/Font/Subtype/Type0/BaseFont/{base}/Encoding/Identity-H"
            f"/DescendantFonts[{first + 1} 0 R]/ToUnicode {first + 4} 0 R>>",
        ),
        indirect(
            first + 1,
            f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{base}/CIDToGIDMap/Identity/DW {_FULL_EM}/W[{widths}]"
            "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
            f"/FontDescriptor {first + 2} 0 R>>",
        ),
        indirect(
            first + 2,
            f"<</Type/FontDescriptor/FontName/{base}/Flags 4/FontBBox[{box}]/ItalicAngle 0"
            f"/Ascent {metrics.ascent}/Descent {metrics.descent}/CapHeight {metrics.ascent}/StemV 80/FontFile2 {first + 3} 0 R>>",
        ),
        stream(first + 3, f"/Length1 {len(font.data)}", font.data),
        stream(first + 4, "", _to_unicode(font.codes)),
    ]


def _to_unicode(codes: dict[str, int]) -> bytes:
    lines = [
        f"<{code:04x}><{char.encode('utf-16-be').hex()}>"
        for char, code in sorted(codes.items(), key=_by_code)
    ]
    blocks = [
        lines[start : start + _CHARACTERS_PER_BLOCK] for start in range(0, len(lines), _CHARACTERS_PER_BLOCK)
    ]
    body = "".join(f"{len(block)} beginbfchar\n{chr(10).join(block)}\nendbfchar\n" for block in blocks)
    return (
        "/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n"
        "/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<0000><ffff>\nendcodespacerange\n{body}"
        "endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend"
    ).encode()


def _by_code(entry: tuple[str, int]) -> int:
    return entry[1]


class FontSet:
    """The fonts of a page by resource name; a character is taken from the first that has it."""

    def __init__(self, shared: tuple[str, SubsetFont], own: tuple[str, SubsetFont] | None = None) -> None:
        self._shared_name = shared[0]
        self._shared = shared[1].hex_codes
        self._own_name, self._own = (own[0], own[1].hex_codes) if own else ("", {})

    def runs(self, text: str) -> list[tuple[str, str]]:
        """``text`` as runs of one font each: (resource name, codes as hexadecimal)."""
        if self._shared.keys() >= set(text):
            return [(self._shared_name, "".join(map(self._shared.__getitem__, text)))]
        return [
            (self._shared_name, "".join(map(self._shared.__getitem__, run)))
            if shared
            else (self._own_name, "".join(map(self._own.__getitem__, run)))
            for shared, run in groupby(text, self._shared.__contains__)
        ]
