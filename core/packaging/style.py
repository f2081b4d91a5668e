"""Licence style (证照样式): how the face of a licence type looks, as data."""

import hashlib
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import Annotated, Literal, NamedTuple

import msgspec

from contracts.declare import described
from core.packaging.layout import Align, Box, TextRule, VerticalAlign
from core.packaging.typeface import Typeface
from core.packaging.values import DateFormat

FieldFormat = Literal["text", "date", "span", "list"]
DEFAULT_INK = "#1c1c1c"
Place = Annotated[float, msgspec.Meta(ge=-3000, le=3000)]
"""mm from the top left corner; bounds keep out what is no number (NaN, infinity)."""
Extent = Annotated[float, msgspec.Meta(gt=0, le=3000)]
"""mm."""
TypeSize = Annotated[float, msgspec.Meta(ge=1, le=720)]
"""Points."""
Colour = Annotated[
    str, described(r"^#[0-9A-Fa-f]{6}(?![\s\S])", "a colour written #rrggbb", "为 #rrggbb 形式的颜色")
]
"""``(?![\\s\\S])`` is the end of the text in JSON Schema as in Python, whose ``$`` lets a line break follow."""


class _Placed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    x: Place
    y: Place
    width: Extent
    height: Extent
    size_pt: TypeSize
    min_size_pt: Annotated[float, msgspec.Meta(ge=0, le=720)] = 0.0
    align: Align = "left"
    valign: VerticalAlign = "middle"
    line_height: Annotated[float, msgspec.Meta(ge=0.5, le=10)] = 1.35
    spacing_em: Annotated[float, msgspec.Meta(ge=-0.5, le=20)] = 0.0
    colour: Colour = DEFAULT_INK

    @property
    def box(self) -> Box:
        """Where the text may stand."""
        return Box(self.x, self.y, self.width, self.height)

    def rule(self, *, wrap: bool) -> TextRule:
        """How the text may be set."""
        return TextRule(
            size_pt=self.size_pt,
            min_size_pt=self.min_size_pt,
            align=self.align,
            valign=self.valign,
            wrap=wrap,
            line_height=self.line_height,
            spacing_em=self.spacing_em,
        )


class FieldPlace(_Placed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A field of the face: which item it shows, where, how."""

    code: str
    """Metadata code (GB/T 36903), ``KZ_`` item of the licence type, or ``KZ_*``: all items that have no field of their own."""
    name: str
    """What people call it, e.g. ``住所``."""
    sample: str
    """The longest text it must hold."""
    wrap: bool = True
    optional: bool = False
    """Not every licence type that uses the style has this item."""
    format: FieldFormat = "text"
    dates: DateFormat = "long"
    row: str = ""
    """For lists of mappings: the text of one element, with ``{CODE}`` places."""
    separator: str = "; "
    limit: Annotated[int, msgspec.Meta(ge=1)] = 20
    """Elements of a list that are shown; the rest is in the attached data."""


class LabelText(_Placed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Printed text that is the same on every licence of the style."""

    text: str


class QrPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The two-dimensional code with the licence's identifier, a square with its quiet zone."""

    x: Place
    y: Place
    size: Extent
    text: str = "{ZZBS}"

    @property
    def box(self) -> Box:
        """Its square on the page."""
        return Box(self.x, self.y, self.size, self.size)


class SealPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the seal is shown; it may lie over text, as on paper."""

    x: Place
    y: Place
    width: Extent
    height: Extent

    @property
    def box(self) -> Box:
        """Its rectangle on the page."""
        return Box(self.x, self.y, self.width, self.height)


class Watermark(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Faint text repeated across the page."""

    text: str
    size_pt: TypeSize = 20.0
    angle: Annotated[float, msgspec.Meta(ge=-360, le=360)] = 30.0
    """Degrees, rising to the right."""
    opacity: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.06
    step_x: Annotated[float, msgspec.Meta(ge=10, le=3000)] = 90.0
    """Every repetition is an object in the file: a page full of them must stay small."""
    step_y: Annotated[float, msgspec.Meta(ge=10, le=3000)] = 60.0
    colour: Colour = "#7a1f1f"


class Style(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A checked style, with its picture and its typeface."""

    name: str
    version: int
    title: dict[str, str]
    page_width: float
    """mm, like every measure that does not name its unit."""
    page_height: float
    base_image: bytes
    """JPEG or PNG with the paper's proportions."""
    base_image_name: str
    """Its file name in the style's folder."""
    released: date
    """When this version of the style was released: the date its watermark carries."""
    ofd_font: str
    """Family name an OFD asks its reader for; the text positions are those of ``typeface``."""
    typeface: Typeface
    labels: tuple[LabelText, ...]
    fields: tuple[FieldPlace, ...]
    qr: QrPlace | None
    seal: SealPlace
    watermark: Watermark | None
    source: bytes
    """The TOML text it was read from."""

    @property
    def ident(self) -> str:
        """Name and version: ``permit@1``."""
        return f"{self.name}@{self.version}"

    @property
    def base_image_member(self) -> str:
        """Its file name in a package: plain and its own, whatever the style calls it."""
        return "base.png" if self.base_image.startswith(b"\x89PNG") else "base.jpg"

    @cached_property
    def placed_fields(self) -> tuple["PlacedField", ...]:
        """The fields ready to be set."""
        return tuple(PlacedField(field, field.box, field.rule(wrap=field.wrap)) for field in self.fields)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over everything the style draws with: a change is a new version."""
        running = hashlib.sha256(self.source)
        running.update(self.base_image)
        running.update(self.typeface.data)
        return running.hexdigest()


class PlacedField(NamedTuple):
    """A field with its box and rule worked out."""

    field: FieldPlace
    box: Box
    rule: TextRule


def rgb(colour: str) -> tuple[int, int, int]:
    """The three bytes of ``#rrggbb``."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def watermark_centres(mark: Watermark, width: float, height: float) -> Iterator[tuple[float, float]]:
    """Centres of the watermark repeated over a page, every second row shifted by half a step."""
    rows = max(round(height / mark.step_y), 1)
    columns = max(round(width / mark.step_x), 1)
    for row in range(rows):
        for column in range(columns):
            shift = 0.25 if row % 2 else -0.25
            yield (
                (column + 0.5 + shift / max(columns, 1)) * width / columns,
                (row + 0.5) * height / rows,
            )
