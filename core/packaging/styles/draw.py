"""Draws the base images of the shipped styles: ``python -m core.packaging.styles.draw [NAME…]``.

Guilloche bands, corner and centre rosettes and fine wave lines, all from our own curves: no emblem, no foreign artwork.
Everything is drawn at three times its size and scaled down.
"""

import math
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from PIL import Image, ImageCms, ImageDraw

_OVERSAMPLE = 3
_HERE = Path(__file__).parent
_QUALITY = 72
_ICC_VERSION = bytes.fromhex("04200000")
"""4.2, the newest that PDF 1.7 knows; the profile uses nothing newer."""
_ICC_DATE = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
Point = tuple[float, float]
Colour = tuple[int, int, int]


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """The look of one base image; measures in mm."""

    width: float
    height: float
    long_side_px: int = 1400
    margin: float = 9.0
    band: float = 9.0
    ground: Colour
    waves: Colour
    band_dark: Colour
    band_light: Colour
    rosette: Colour
    petals: int


PAPERS = {
    "business-licence": Paper(
        width=297,
        height=210,
        ground=(254, 252, 245),
        waves=(247, 240, 221),
        band_dark=(168, 128, 58),
        band_light=(214, 184, 122),
        rosette=(243, 231, 203),
        petals=16,
    ),
    "permit": Paper(
        width=210,
        height=297,
        ground=(251, 254, 252),
        waves=(229, 243, 237),
        band_dark=(38, 112, 98),
        band_light=(126, 184, 168),
        rosette=(217, 237, 229),
        petals=12,
    ),
    "certificate": Paper(
        width=260,
        height=185,
        ground=(255, 252, 250),
        waves=(249, 236, 233),
        band_dark=(142, 42, 52),
        band_light=(212, 150, 146),
        rosette=(247, 226, 222),
        petals=20,
    ),
}


class _Canvas:
    """A page to draw on in mm."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.scale = paper.long_side_px * _OVERSAMPLE / max(paper.width, paper.height)
        size = (round(paper.width * self.scale), round(paper.height * self.scale))
        self.image = Image.new("RGB", size, paper.ground)
        self.pen = ImageDraw.Draw(self.image)

    def curve(self, points: Iterator[Point], colour: Colour, width: float) -> None:
        """A line through ``points``, ``width`` mm wide."""
        scaled = [(x * self.scale, y * self.scale) for x, y in points]
        self.pen.line(scaled, fill=colour, width=max(round(width * self.scale), 1), joint="curve")

    def frame(self, inset: float, colour: Colour, width: float) -> None:
        """A rectangle ``inset`` mm from the edges."""
        right, bottom = self.paper.width - inset, self.paper.height - inset
        box = tuple(value * self.scale for value in (inset, inset, right, bottom))
        self.pen.rectangle(box, outline=colour, width=max(round(width * self.scale), 1))

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        """A filled circle."""
        box = (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius)
        self.pen.ellipse(tuple(value * self.scale for value in box), fill=colour)

    def finished(self) -> Image.Image:
        """The page at its final size."""
        size = (self.image.width // _OVERSAMPLE, self.image.height // _OVERSAMPLE)
        return self.image.resize(size, Image.Resampling.LANCZOS)


def draw(paper: Paper) -> Image.Image:
    """The base image of ``paper``."""
    canvas = _Canvas(paper)
    _waves(canvas)
    _centre(canvas)
    _clear_edge(canvas)
    _band(canvas)
    _frames(canvas)
    for corner in _corners(paper):
        _corner(canvas, corner)
    return canvas.finished()


def _waves(canvas: _Canvas) -> None:
    paper = canvas.paper
    y = 0.0
    while y < paper.height + 4:
        canvas.curve(_wave(paper.width, y), paper.waves, 0.12)
        y += 1.35


def _wave(width: float, y: float) -> Iterator[Point]:
    for step in range(int(width) + 1):
        x = float(step)
        yield x, y + 1.1 * math.sin(x / 9.0 + y / 14.0) + 0.7 * math.sin(x / 23.0 - y / 9.0)


def _centre(canvas: _Canvas) -> None:
    paper = canvas.paper
    centre = (paper.width / 2, paper.height / 2)
    radius = min(paper.width, paper.height) * 0.33
    for ring in range(14):
        phase = ring * math.pi / 14
        canvas.curve(_rosette(centre, radius, paper.petals, phase, depth=0.34), paper.rosette, 0.16)
    for ring in range(10):
        phase = ring * math.pi / 10
        canvas.curve(
            _rosette(centre, radius * 0.55, paper.petals // 2, phase, depth=0.5), paper.rosette, 0.16
        )


def _rosette(centre: Point, radius: float, petals: int, phase: float, depth: float) -> Iterator[Point]:
    for step in range(1441):
        angle = step * math.tau / 1440
        reach = radius * (1 - depth / 2 + depth / 2 * math.cos(petals * angle + 2 * phase))
        yield centre[0] + reach * math.cos(angle), centre[1] + reach * math.sin(angle)


def _clear_edge(canvas: _Canvas) -> None:
    """Paper white around the band and under it, so that the band stands clear."""
    paper = canvas.paper
    canvas.frame(0, paper.ground, paper.margin + paper.band + 0.2)


def _band(canvas: _Canvas) -> None:
    paper = canvas.paper
    middle, reach = paper.margin + paper.band / 2, paper.band / 2 - 0.7
    strands = [(index * math.tau / 6, paper.band_light, 0.17) for index in range(6)]
    strands += [(index * math.tau / 3 + 0.5, paper.band_dark, 0.22) for index in range(3)]
    for place in _sides(paper, middle):
        length = place.length
        turns = round(length / (paper.band * 1.55))
        for phase, colour, width in strands:
            canvas.curve(place.along(_strand(length, turns, phase, reach)), colour, width)


class _Side(msgspec.Struct, frozen=True):
    """One side of the page; maps (distance along, distance off its middle line) to the page."""

    length: float
    place: Callable[[float, float], Point]

    def along(self, points: Iterator[Point]) -> Iterator[Point]:
        """The points on the page."""
        return (self.place(distance, off) for distance, off in points)


def _sides(paper: Paper, middle: float) -> list[_Side]:
    across, down = paper.width - 2 * middle, paper.height - 2 * middle
    return [
        _Side(across, lambda along, off: (middle + along, middle + off)),
        _Side(across, lambda along, off: (middle + along, paper.height - middle - off)),
        _Side(down, lambda along, off: (middle + off, middle + along)),
        _Side(down, lambda along, off: (paper.width - middle - off, middle + along)),
    ]


def _strand(length: float, turns: int, phase: float, reach: float) -> Iterator[Point]:
    steps = turns * 36
    for step in range(steps + 1):
        turn = step * math.tau * turns / steps
        swell = 0.72 + 0.28 * math.cos(turn)
        yield length * step / steps, reach * swell * math.sin(turn + phase)


def _frames(canvas: _Canvas) -> None:
    paper = canvas.paper
    inner = paper.margin + paper.band
    canvas.frame(paper.margin, paper.band_dark, 0.5)
    canvas.frame(paper.margin - 1.3, paper.band_light, 0.22)
    canvas.frame(inner, paper.band_dark, 0.35)
    canvas.frame(inner + 1.4, paper.band_light, 0.2)


def _corners(paper: Paper) -> list[Point]:
    inset = paper.margin + paper.band / 2
    return [(x, y) for x in (inset, paper.width - inset) for y in (inset, paper.height - inset)]


def _corner(canvas: _Canvas, centre: Point) -> None:
    paper = canvas.paper
    radius = paper.band * 0.86
    canvas.disc(centre, radius + 0.5, paper.band_dark)
    canvas.disc(centre, radius + 0.1, paper.ground)
    for ring in range(6):
        canvas.curve(_rosette(centre, radius, 8, ring * math.pi / 6, depth=0.5), paper.band_light, 0.16)
    for ring in range(3):
        canvas.curve(_rosette(centre, radius * 0.66, 8, ring * math.pi / 3, depth=0.7), paper.band_dark, 0.18)
    canvas.disc(centre, radius * 0.16, paper.band_dark)


def colour_profile() -> bytes:
    """The sRGB profile that PDF files carry: Little CMS's own, free to use, without its date, declared as ICC 4.2."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[8:12] = _ICC_VERSION
    profile[24:36] = _ICC_DATE
    return bytes(profile)


def main(names: list[str]) -> int:
    """Command line: the names of the styles to draw, all without names."""
    (_HERE / "srgb.icc").write_bytes(colour_profile())
    for name in names or sorted(PAPERS):
        target = _HERE / name / "base.jpg"
        draw(PAPERS[name]).save(target, quality=_QUALITY, optimize=True, subsampling=0)
        sys.stdout.write(f"{target}: {target.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
