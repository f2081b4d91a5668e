"""The picture of a round unit seal: red ring, the owner's name along the arc, a star, a line of text below.

Drawn at four times the size and scaled down, then reduced to a palette whose alpha carries the smooth edges.
"""

import io
import math
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_OVERSAMPLE = 4
_RED = (204, 20, 28)
_QUALITIES = ((300, 8), (300, 4), (240, 4), (180, 4))
"""Pixels and levels of transparency, from the best: a long name needs more bytes, and the first that fits is taken."""
LIMIT_BYTES = 10 * 1024
"""A picture travels twice in every sealed document and is hashed each time, so it is kept small."""
_ARC_DEGREES = 232.0
"""The name never takes more of the circle than this, so that the line below stays free."""
_WIDEST_STEP_DEGREES = 26.0


@dataclass(frozen=True)
class SealText:
    """The owner's name along the ring and the line under the star (may be empty)."""

    owner: str
    line: str = ""


def draw_seal(text: SealText, font_file: Path, *, font_index: int = 0) -> bytes:
    """PNG (palette, transparent ground) of a seal for ``text``, at most ``LIMIT_BYTES``.

    ValueError when the owner's name is empty, or so long that no picture of it is small enough.
    """
    if not text.owner.strip():
        raise ValueError("a seal needs the name of its owner")
    size = _QUALITIES[0][0] * _OVERSAMPLE
    mask = Image.new("L", (size, size), 0)
    _draw_ring(mask)
    _draw_star(mask)
    _draw_owner(mask, text.owner, font_file, font_index)
    if text.line:
        _draw_line(mask, text.line, font_file, font_index)
    for pixels, levels in _QUALITIES:
        picture = _palette_png(mask.resize((pixels, pixels), Image.Resampling.LANCZOS), levels)
        if len(picture) <= LIMIT_BYTES:
            return picture
    raise ValueError(f"no picture of the name has at most {LIMIT_BYTES} bytes")


def _draw_ring(mask: Image.Image) -> None:
    size = mask.width
    margin, width = size * 0.012, round(size * 0.03)
    ImageDraw.Draw(mask).ellipse((margin, margin, size - margin, size - margin), outline=255, width=width)


def _draw_star(mask: Image.Image) -> None:
    centre, outer = mask.width / 2, mask.width * 0.15
    inner = outer * math.sin(math.radians(18)) / math.sin(math.radians(54))
    corners = [
        (centre + radius * math.sin(angle), centre - radius * math.cos(angle))
        for step in range(10)
        for radius, angle in [((outer, inner)[step % 2], math.radians(36 * step))]
    ]
    ImageDraw.Draw(mask).polygon(corners, fill=255)


def _draw_owner(mask: Image.Image, owner: str, font_file: Path, font_index: int) -> None:
    """Characters upright on the circle, evenly spaced around the top, taller than wide as on a cut seal."""
    size, count = mask.width, len(owner)
    step = min(_WIDEST_STEP_DEGREES, _ARC_DEGREES / max(count - 1, 1))
    radius = size * 0.385
    width = min(size * 0.13, radius * math.radians(step) * 0.92)
    height = size * 0.135
    for index, character in enumerate(owner):
        degrees = (index - (count - 1) / 2) * step
        glyph = _glyph(character, font_file, font_index, (round(width), round(height)))
        turned = glyph.rotate(-degrees, resample=Image.Resampling.BICUBIC, expand=True)
        x = size / 2 + radius * math.sin(math.radians(degrees)) - turned.width / 2
        y = size / 2 - radius * math.cos(math.radians(degrees)) - turned.height / 2
        mask.paste(255, (round(x), round(y)), turned)


def _draw_line(mask: Image.Image, line: str, font_file: Path, font_index: int) -> None:
    size = mask.width
    width = min(size * 0.07, size * 0.44 / len(line))
    left, top = size / 2 - width * len(line) / 2, size * 0.715
    for index, character in enumerate(line):
        glyph = _glyph(character, font_file, font_index, (round(width * 0.94), round(size * 0.085)))
        mask.paste(255, (round(left + index * width), round(top)), glyph)


def _glyph(character: str, font_file: Path, font_index: int, size: tuple[int, int]) -> Image.Image:
    """One character, a little emboldened, stretched from its em box to ``size``."""
    em = max(size)
    font = ImageFont.truetype(str(font_file), em, index=font_index)
    image = Image.new("L", (em, em), 0)
    ImageDraw.Draw(image).text(
        (em / 2, em / 2), character, fill=255, font=font, anchor="mm", stroke_width=em // 60
    )
    return image.resize(size, Image.Resampling.LANCZOS)


def _palette_png(mask: Image.Image, levels: int) -> bytes:
    steps = levels - 1
    picture = mask.point([round(value * steps / 255) for value in range(256)]).convert("P")
    picture.putpalette(bytes(_RED) * levels)
    out = io.BytesIO()
    alpha = bytes(round(level * 255 / steps) for level in range(levels))
    picture.save(out, "PNG", transparency=alpha, bits=2 if levels <= 4 else 4, optimize=True)
    return out.getvalue()
