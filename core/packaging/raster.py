"""Draws a face as a picture: for previews, the face picture and thumbnails.

Base image, labels and watermark of a style are drawn once per size; a value is pasted from masks of its glyphs, which are kept.
"""

import math
from io import BytesIO
from typing import NamedTuple

import msgspec
from PIL import Image, ImageChops, ImageDraw, ImageFont

from core.packaging.face import Face, compose_face, sample_face
from core.packaging.layout import MM_PER_PT, Box, SetText, set_text
from core.packaging.qr import qr_rows
from core.packaging.qr_picture import packed
from core.packaging.request import PackageRequest, Waiting
from core.packaging.scans import read_scans, stamp_box
from core.packaging.style import SealPlace, Style, Watermark, rgb, watermark_centres

THUMBNAIL_PX = 400
"""Long side of a thumbnail."""
_THUMBNAIL_QUALITY = 75
_MM_PER_INCH = 25.4
_MOST_GLYPHS = 20_000
"""Masks kept per painter."""
_PAINTERS = 8
"""Sizes of styles whose ground and masks are kept per process."""


class _Glyph(NamedTuple):
    mask: Image.Image
    left: int
    """Of the mask, from the origin of the character."""
    top: int
    width: int
    height: int


class FacePainter:
    """Paints faces of one style at one size (``scale`` pixels per mm)."""

    def __init__(self, style: Style, scale: float) -> None:
        self._style = style
        self._scale = scale
        self._fonts: dict[float, ImageFont.FreeTypeFont] = {}
        self._glyphs: dict[tuple[str, float], _Glyph] = {}
        self._stamps: dict[bytes, Image.Image] = {}
        self._ground = self._drawn_ground()

    def paint(self, face: Face, seal_picture: bytes = b"") -> Image.Image:
        """The face, under the seal's picture where one is given."""
        image = self._ground.copy()
        for item in face.texts:
            self._draw(image, item.set, item.box, rgb(item.field.colour))
        if self._style.qr and face.qr_text:
            left, top, right, _ = self._pixels(self._style.qr.box)
            image.paste(_qr_image(face.qr_text, right - left), (left, top))
        if seal_picture:
            place = self._pixels(self._style.seal.box)
            stamp = self._stamp(seal_picture, (place[2] - place[0], place[3] - place[1]))
            image.paste(ImageChops.multiply(image.crop(place), stamp), place)
        return image

    def _drawn_ground(self) -> Image.Image:
        style = self._style
        size = (round(style.page_width * self._scale), round(style.page_height * self._scale))
        with Image.open(BytesIO(style.base_image)) as picture:
            ground = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        for label in style.labels:
            placed = set_text(label.text, label.box, label.rule(wrap=True), style.typeface)
            if placed:
                self._draw(ground, placed, label.box, rgb(label.colour))
        if style.watermark:
            self._draw_watermark(ground, style.watermark)
        return ground

    def _draw(self, image: Image.Image, text: SetText, box: Box, colour: tuple[int, int, int]) -> None:
        scale, pixels = self._scale, image.im
        for line in text.lines:
            x, baseline = (box.x + line.x) * scale, round((box.y + line.baseline) * scale)
            for char, advance in zip(line.text, line.advances, strict=True):
                glyph = self._glyph(char, text.size_mm)
                left, top = round(x) + glyph.left, baseline + glyph.top
                # The core's paste: the checks of Image.paste cost ten times the work, some 300 times a face.
                pixels.paste(colour, (left, top, left + glyph.width, top + glyph.height), glyph.mask.im)
                x += advance * scale

    def _glyph(self, char: str, size_mm: float) -> _Glyph:
        key = (char, size_mm)
        if key not in self._glyphs:
            if len(self._glyphs) >= _MOST_GLYPHS:
                self._glyphs.clear()
            self._glyphs[key] = self._drawn_glyph(char, size_mm)
        return self._glyphs[key]

    def _drawn_glyph(self, char: str, size_mm: float) -> _Glyph:
        font = self._font(size_mm)
        left, top, right, bottom = font.getbbox(char, anchor="ls")
        box = (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
        mask = Image.new("L", (max(box[2] - box[0], 1), max(box[3] - box[1], 1)), 0)
        ImageDraw.Draw(mask).text((-box[0], -box[1]), char, fill=255, font=font, anchor="ls")
        return _Glyph(mask, box[0], box[1], mask.width, mask.height)

    def _font(self, size_mm: float) -> ImageFont.FreeTypeFont:
        if size_mm not in self._fonts:
            path = str(self._style.typeface.path)
            self._fonts[size_mm] = ImageFont.truetype(
                path, size_mm * self._scale, layout_engine=ImageFont.Layout.BASIC
            )
        return self._fonts[size_mm]

    def _draw_watermark(self, ground: Image.Image, mark: Watermark) -> None:
        font = self._font(mark.size_pt * MM_PER_PT)
        width, height = math.ceil(font.getlength(mark.text)), math.ceil(font.size * 1.2)
        flat = Image.new("L", (width, height), 0)
        ImageDraw.Draw(flat).text((width / 2, height / 2), mark.text, fill=255, font=font, anchor="mm")
        turned = flat.rotate(mark.angle, resample=Image.Resampling.BICUBIC, expand=True)
        faint = turned.point([round(level * mark.opacity) for level in range(256)])
        for x, y in watermark_centres(mark, self._style.page_width, self._style.page_height):
            place = (round(x * self._scale - faint.width / 2), round(y * self._scale - faint.height / 2))
            ground.paste(rgb(mark.colour), place, faint)

    def _pixels(self, box: Box) -> tuple[int, int, int, int]:
        edges = (box.x, box.y, box.x + box.width, box.y + box.height)
        left, top, right, bottom = (round(edge * self._scale) for edge in edges)
        return left, top, right, bottom

    def _stamp(self, picture: bytes, size: tuple[int, int]) -> Image.Image:
        """The seal on white paper: multiplied with the face, text under it stays readable."""
        if picture not in self._stamps:
            with Image.open(BytesIO(picture)) as opened:
                ink = opened.convert("RGBA").resize(size, Image.Resampling.LANCZOS)
            paper = Image.new("RGB", size, (255, 255, 255))
            paper.paste(ink, (0, 0), ink)
            self._stamps[picture] = paper
        return self._stamps[picture]


_painters: dict[tuple[str, float], FacePainter] = {}


def painter(style: Style, scale: float) -> FacePainter:
    """The painter of a style at ``scale`` pixels per mm; the last few are kept per process."""
    key = (style.digest, scale)
    if key not in _painters:
        if len(_painters) >= _PAINTERS:
            _painters.pop(next(iter(_painters)))
        _painters[key] = FacePainter(style, scale)
    return _painters[key]


def render_face(
    request: PackageRequest, style: Style, dpi: int = 150, seal_picture: bytes = b""
) -> bytes | Waiting:
    """PNG of the composed face, with the seal's picture where one is given."""
    face = compose_face(request, style)
    if isinstance(face, Waiting):
        return face
    out = BytesIO()
    painter(style, dpi / _MM_PER_INCH).paint(face, seal_picture).save(out, "PNG")
    return out.getvalue()


def render_scan(
    request: PackageRequest, style: Style, dpi: int = 150, seal_picture: bytes = b""
) -> bytes | Waiting:
    """PNG of the first scanned page as it is packaged: under the watermark, and under the seal's picture where it is the last."""
    pages = read_scans(request)
    if isinstance(pages, Waiting):
        return pages
    first = pages[0]
    stamp = stamp_box(first, style)
    sheet = msgspec.structs.replace(
        style,
        page_width=first.width_mm,
        page_height=first.height_mm,
        base_image=first.image,
        labels=(),
        seal=SealPlace(x=stamp.x, y=stamp.y, width=stamp.width, height=stamp.height),
    )
    drawn = FacePainter(sheet, dpi / _MM_PER_INCH)
    out = BytesIO()
    picture = drawn.paint(Face(texts=(), qr_text=""), seal_picture if len(pages) == 1 else b"")
    picture.save(out, "PNG")
    return out.getvalue()


def render_preview(style: Style, dpi: int = 150, seal_picture: bytes = b"") -> bytes:
    """PNG of a style with its samples, the longest text in every field."""
    out = BytesIO()
    painter(style, dpi / _MM_PER_INCH).paint(sample_face(style), seal_picture).save(out, "PNG")
    return out.getvalue()


def thumbnail(face: Face, style: Style, seal_picture: bytes = b"") -> bytes:
    """JPEG of a face, 400 px on its long side."""
    scale = THUMBNAIL_PX / max(style.page_width, style.page_height)
    out = BytesIO()
    painter(style, scale).paint(face, seal_picture).save(out, "JPEG", quality=_THUMBNAIL_QUALITY)
    return out.getvalue()


def scan_thumbnail(page: bytes) -> bytes:
    """JPEG of a scanned page, 400 px on its long side."""
    out = BytesIO()
    with Image.open(BytesIO(page)) as picture:
        picture.draft("RGB", (THUMBNAIL_PX, THUMBNAIL_PX))
        picture.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
        picture.convert("RGB").save(out, "JPEG", quality=_THUMBNAIL_QUALITY)
    return out.getvalue()


def _qr_image(text: str, side: int) -> Image.Image:
    rows = qr_rows(text)
    bits = b"".join(packed(rows))
    code = Image.frombytes("1", (len(rows), len(rows)), bits)
    return code.convert("L").resize((side, side), Image.Resampling.BOX).convert("RGB")
