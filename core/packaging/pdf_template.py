"""The part of a PDF that every licence of a style shares: base image, labels, watermark, font, colour profile, seal picture."""

import hashlib
from collections.abc import Mapping
from functools import cache
from io import BytesIO

from PIL import Image

from core.packaging import pdf_layout as at
from core.packaging.layout import Box, set_text
from core.packaging.markup import number
from core.packaging.pdf_font import FontSet, SubsetFont, font_objects, subset_font
from core.packaging.pdf_objects import HEADER, indirect, offsets, points, stream
from core.packaging.pdf_text import draw_picture, draw_text, draw_watermark
from core.packaging.stored import Template, template_of
from core.packaging.style import Style, watermark_centres
from core.packaging.style_loader import STYLES
from core.packaging.typeface import FONTS


class PdfTemplate:
    """The shared part in final bytes, its running digest, and what pages need to know of it."""

    def __init__(self, style: Style, font: SubsetFont, objects: Mapping[int, bytes]) -> None:
        """``objects`` by their numbers, in their order in the file; ``font`` is the one they hold."""
        self.style = style
        self.font = font
        prefix = HEADER + b"".join(objects.values())
        self.template: Template = template_of(prefix)
        self.places = offsets(objects, len(HEADER))
        self._running = hashlib.sha256(prefix)

    def digest(self, *parts: bytes) -> bytes:
        """SHA-256 of the shared part followed by ``parts``."""
        running = self._running.copy()
        for part in parts:
            running.update(part)
        return running.digest()


_templates: dict[tuple[str, bytes], PdfTemplate] = {}


def pdf_template(style: Style, seal_picture: bytes) -> PdfTemplate:
    """The template of a style and a seal's picture, built once per process."""
    key = (style.digest, seal_picture)
    if key not in _templates:
        font = subset_font(style.typeface, _shared_characters(style))
        _templates[key] = PdfTemplate(style, font, _objects(style, font, seal_picture))
    return _templates[key]


@cache
def _common_characters() -> frozenset[str]:
    lines = (FONTS / "common.txt").read_text("utf-8").splitlines()
    return frozenset(char for line in lines if not line.startswith("#") for char in line)


def _shared_characters(style: Style) -> set[str]:
    """Common characters, ASCII, and all that the style itself prints."""
    wanted = _common_characters() | {chr(code) for code in range(0x20, 0x7F)}
    wanted |= {char for label in style.labels for char in label.text}
    wanted |= set(style.watermark.text) if style.watermark else set()
    return {char for char in wanted if char in style.typeface.glyphs}


def _objects(style: Style, font: SubsetFont, seal_picture: bytes) -> dict[int, bytes]:
    ground = _ground(style, FontSet((at.SHARED_FONT_NAME, font)))
    return {
        at.BASE_IMAGE: _base_image(style.base_image),
        at.GROUND: stream(at.GROUND, "", ground.encode()),
        **marking_objects(style, font, seal_picture),
    }


def marking_objects(style: Style, font: SubsetFont, seal_picture: bytes) -> dict[int, bytes]:
    """What composed and scanned pages share: font, colour profile, state of the watermark, seal."""
    objects = [
        *font_objects(at.SHARED_FONT, font),
        stream(at.COLOUR_PROFILE, "/N 3", (STYLES / "srgb.icc").read_bytes()),
        indirect(
            at.OUTPUT_INTENT,
            "<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/Info(sRGB IEC61966-2.1)"
            f"/DestOutputProfile {at.COLOUR_PROFILE} 0 R>>",
        ),
        indirect(at.WATERMARK_STATE, _watermark_state(style)),
        *_seal_objects(style, seal_picture),
    ]
    return dict(zip(range(at.SHARED_FONT, at.LAST_SHARED + 1), objects, strict=True))


def _base_image(data: bytes) -> bytes:
    with Image.open(BytesIO(data)) as picture:
        size = f"/Width {picture.width}/Height {picture.height}"
        entries = f"/Type/XObject/Subtype/Image{size}/BitsPerComponent 8/ColorSpace/DeviceRGB"
        if picture.format == "JPEG" and picture.mode == "RGB":
            return stream(at.BASE_IMAGE, f"/Filter/DCTDecode{entries}", data, packed=False)
        return stream(at.BASE_IMAGE, entries, picture.convert("RGB").tobytes())


def _ground(style: Style, fonts: FontSet) -> str:
    page = Box(0, 0, style.page_width, style.page_height)
    parts = [draw_picture(at.BASE_IMAGE_NAME, page, style.page_height)]
    for label in style.labels:
        placed = set_text(label.text, label.box, label.rule(wrap=True), style.typeface)
        if placed:
            parts.append(
                draw_text(placed, label.box, style.page_height, fonts, label.colour, label.spacing_em)
            )
    parts.append(page_watermark(style, fonts, style.page_width, style.page_height))
    return "".join(parts)


def page_watermark(style: Style, fonts: FontSet, width: float, height: float) -> str:
    """Operators that draw the style's watermark over a page; empty where it has none."""
    mark = style.watermark
    if mark is None:
        return ""
    width_em = style.typeface.width_em(mark.text)
    return draw_watermark(mark, watermark_centres(mark, width, height), height, fonts, width_em)


def _watermark_state(style: Style) -> str:
    opacity = number(style.watermark.opacity if style.watermark else 1.0)
    return f"<</Type/ExtGState/ca {opacity}>>"


def _seal_objects(style: Style, picture: bytes) -> list[bytes]:
    """Image, mask, appearance and blend state of the seal: multiplied with the page, text under it stays readable."""
    with Image.open(BytesIO(picture)) as opened:
        ink = opened.convert("RGBA")
    size = f"/Type/XObject/Subtype/Image/Width {ink.width}/Height {ink.height}/BitsPerComponent 8"
    width, height = points(style.seal.width), points(style.seal.height)
    resources = f"<</XObject<</{at.SEAL_NAME} {at.SEAL_IMAGE} 0 R>>/ExtGState<</{at.SEAL_STATE_NAME} {at.SEAL_STATE} 0 R>>>>"
    return [
        stream(
            at.SEAL_IMAGE,
            f"{size}/ColorSpace/DeviceRGB/SMask {at.SEAL_MASK} 0 R",
            ink.convert("RGB").tobytes(),
        ),
        stream(at.SEAL_MASK, f"{size}/ColorSpace/DeviceGray", ink.getchannel("A").tobytes()),
        stream(
            at.SEAL_APPEARANCE,
            f"/Type/XObject/Subtype/Form/BBox[0 0 {width} {height}]/Resources{resources}",
            f"q /{at.SEAL_STATE_NAME} gs {width} 0 0 {height} 0 0 cm /{at.SEAL_NAME} Do Q".encode(),
        ),
        indirect(at.SEAL_STATE, "<</Type/ExtGState/BM/Multiply>>"),
    ]
