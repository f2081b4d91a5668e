"""Content streams: set text, pictures and the watermark of a page."""

import math
from collections.abc import Iterable

from core.packaging.layout import MM_PER_PT, Box, SetText
from core.packaging.markup import number
from core.packaging.pdf_font import FontSet
from core.packaging.pdf_objects import POINTS_PER_MM, points
from core.packaging.style import Watermark, rgb


def colour_operands(colour: str) -> str:
    """Operands of ``rg`` for ``#rrggbb``."""
    return " ".join(number(part / 255) for part in rgb(colour))


def draw_text(
    text: SetText, box: Box, page_height: float, fonts: FontSet, colour: str, spacing_em: float
) -> str:
    """Operators that draw a set text in its box."""
    size = points(text.size_mm)
    lines = []
    for line in text.lines:
        x, y = points(box.x + line.x), points(page_height - box.y - line.baseline)
        shown = "".join(f"/{name} {size} Tf<{codes}>Tj " for name, codes in fonts.runs(line.text))
        lines.append(f"1 0 0 1 {x} {y} Tm {shown}")
    spacing = number(spacing_em * text.size_mm * POINTS_PER_MM)
    return f"BT {colour_operands(colour)} rg {spacing} Tc {' '.join(lines)}ET\n"


def draw_picture(name: str, box: Box, page_height: float) -> str:
    """Operators that fill a box with an image resource."""
    place = f"{points(box.width)} 0 0 {points(box.height)} {points(box.x)} {points(page_height - box.y - box.height)}"
    return f"q {place} cm /{name} Do Q\n"


def draw_watermark(
    mark: Watermark,
    centres: Iterable[tuple[float, float]],
    page_height: float,
    fonts: FontSet,
    width_em: float,
) -> str:
    """Operators for the repeated watermark, drawn with the transparency state ``GSw``."""
    cosine, sine = math.cos(math.radians(mark.angle)), math.sin(math.radians(mark.angle))
    size_mm = mark.size_pt * MM_PER_PT
    back, down = width_em * size_mm / 2, size_mm * 0.38
    shown = "".join(f"/{name} {number(mark.size_pt)} Tf<{codes}>Tj " for name, codes in fonts.runs(mark.text))
    turn = f"{number(cosine)} {number(sine)} {number(-sine)} {number(cosine)}"
    lines = [
        f"{turn} {points(x - back * cosine + down * sine)} {points(page_height - y - back * sine - down * cosine)} Tm {shown}"
        for x, y in centres
    ]
    return f"q /GSw gs BT {colour_operands(mark.colour)} rg {' '.join(lines)}ET Q\n"
