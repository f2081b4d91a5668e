"""Reads a style file and checks it whole: every fault at once, each with its place."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from PIL import Image, UnidentifiedImageError

from contracts.fault import Fault, Rule, pointer
from contracts.licence_type import LicenceType
from core.errors import ConfigError, NotFound
from core.packaging.layout import Box, set_text
from core.packaging.style import FieldPlace, LabelText, QrPlace, SealPlace, Style, Watermark
from core.packaging.typeface import FONTS, SHIPPED_FONT, Typeface, typeface
from core.packaging.values import FACE_CODES, OTHER_ITEMS

STYLES = Path(__file__).parent / "styles"
_PROPORTION_TOLERANCE = 0.01
_Part = TypeVar("_Part")

_SHAPE = Rule(
    code="style.shape",
    en="The style does not have the expected shape: {why}.",
    zh="样式文件结构不正确：{why}。",
    remedy_en="Correct the entry; docs/styles.md lists every key.",
    remedy_zh="请按 docs/styles.md 修改该项。",
)
_FILE = Rule(
    code="style.file",
    en="{name} cannot be read: {why}.",
    zh="无法读取 {name}:{why}。",
    remedy_en="Place the file beside the style file and check its format.",
    remedy_zh="请将文件放在样式文件旁并检查格式。",
)
_PROPORTIONS = Rule(
    code="style.proportions",
    en="The base image is {image} but the page is {page}: proportions differ by more than 1 %.",
    zh="底图比例 {image} 与页面比例 {page} 相差超过 1%。",
    remedy_en="Draw the base image with the paper's proportions.",
    remedy_zh="请按纸张比例制作底图。",
)
_UNKNOWN_ITEM = Rule(
    code="style.unknown-item",
    en="The licence type has no item {code}.",
    zh="证照类型没有信息项 {code}。",
    remedy_en="Use a metadata code or an item declared in the licence type.",
    remedy_zh="请使用元数据代码或证照类型中声明的信息项。",
)
_DUPLICATE = Rule(
    code="style.duplicate-item",
    en="Item {code} is placed twice.",
    zh="信息项 {code} 重复。",
    remedy_en="Keep one field per item.",
    remedy_zh="每个信息项只保留一个字段。",
)
_TOO_LONG = Rule(
    code="style.too-long",
    en="The text of {name} does not fit its box at its smallest size.",
    zh="“{name}”的文字以最小字号仍超出文本框。",
    remedy_en="Enlarge the box, allow wrapping or lower min_size_pt.",
    remedy_zh="请放大文本框、允许换行或减小 min_size_pt。",
)
_GLYPHS = Rule(
    code="style.glyph",
    en="The font lacks: {characters}.",
    zh="字体缺少字符：{characters}。",
    remedy_en="Change the text or use a font that has these characters.",
    remedy_zh="请修改文字或更换包含这些字符的字体。",
)
_OFF_PAGE = Rule(
    code="style.off-page",
    en="{name} reaches beyond the page.",
    zh="“{name}”超出页面。",
    remedy_en="Move it inside the page.",
    remedy_zh="请移到页面范围内。",
)
_OVERLAP = Rule(
    code="style.overlap",
    en="{name} overlaps {other}.",
    zh="“{name}”与“{other}”重叠。",
    remedy_en="Move one of the boxes.",
    remedy_zh="请移动其中一个文本框。",
)


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    version: int
    title: dict[str, str]
    page_width: float
    page_height: float
    base_image: str
    released: date
    font: str = SHIPPED_FONT
    ofd_font: str = "楷体"


@cache
def shipped_style(name: str) -> Style:
    """A style that ships with the product; raises ``NotFound`` when there is none of that name."""
    path = STYLES / name / "style.toml"
    if not path.is_file():
        raise NotFound(
            f"no style named {name} ships with the product", summary_zh=f"没有名为 {name} 的内置样式"
        )
    return load_style(path)


def shipped_styles() -> tuple[str, ...]:
    """Names of the styles that ship with the product."""
    return tuple(sorted(path.parent.name for path in STYLES.glob("*/style.toml")))


def load_style(path: Path, licence_type: LicenceType | None = None) -> Style:
    """The style of a TOML file, with its picture and font beside it.

    ``licence_type`` adds the check that every item shown exists in the type. Raises ``ConfigError`` with all faults.
    """
    faults: list[Fault] = []
    style = _read(path, faults)
    if style is not None:
        faults.extend(style_faults(style, licence_type))
    if style is None or faults:
        raise ConfigError(str(path), faults)
    return style


def style_faults(style: Style, licence_type: LicenceType | None = None) -> list[Fault]:
    """What is wrong with a style that reads well: items, samples, glyphs, page, overlaps, picture."""
    return [
        *_picture_faults(style),
        *_item_faults(style, licence_type),
        *_text_faults(style),
        *_place_faults(style),
    ]


def _read(path: Path, faults: list[Fault]) -> Style | None:
    try:
        source = path.read_bytes()
        tables = tomllib.loads(source.decode("utf-8"))
    except (OSError, ValueError) as error:
        faults.append(_FILE.at("", name=path.name, why=error))
        return None
    head = _part({key: value for key, value in tables.items() if key not in _TABLES}, _Head, "", faults)
    parts = {key: _list_or_one(tables, key, faults) for key in _TABLES}
    seal = parts["seal"]
    if not seal and not faults:
        faults.append(_SHAPE.at("/seal", why="the table [seal] is missing"))
    image = _beside(path, head.base_image, faults) if head else b""
    font = _font(path, head.font, faults) if head else None
    if faults or head is None or font is None:
        return None
    return Style(
        name=head.name,
        version=head.version,
        title=head.title,
        page_width=head.page_width,
        page_height=head.page_height,
        base_image=image,
        base_image_name=head.base_image,
        released=head.released,
        ofd_font=head.ofd_font,
        typeface=font,
        labels=tuple(parts["label"]),
        fields=tuple(parts["field"]),
        qr=next(iter(parts["qr"]), None),
        seal=seal[0],
        watermark=next(iter(parts["watermark"]), None),
        source=source,
    )


_TABLES: Mapping[str, type[Any]] = {
    "label": LabelText,
    "field": FieldPlace,
    "qr": QrPlace,
    "seal": SealPlace,
    "watermark": Watermark,
}


def _list_or_one(tables: Mapping[str, Any], key: str, faults: list[Fault]) -> list[Any]:
    value = tables.get(key, [])
    if isinstance(value, dict):
        found = [_part(value, _TABLES[key], pointer(key), faults)]
    else:
        found = [_part(entry, _TABLES[key], pointer(key, index), faults) for index, entry in enumerate(value)]
    return [part for part in found if part is not None]


def _part(value: object, shape: type[_Part], where: str, faults: list[Fault]) -> _Part | None:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        faults.append(_SHAPE.at(where, why=error))
        return None


def _beside(path: Path, name: str, faults: list[Fault]) -> bytes:
    try:
        return (path.parent / name).read_bytes()
    except OSError as error:
        faults.append(_FILE.at("/base_image", name, name=name, why=error.strerror))
        return b""


def _font(path: Path, name: str, faults: list[Fault]) -> Typeface | None:
    candidates = (path.parent / name, FONTS / name)
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        faults.append(_FILE.at("/font", name, name=name, why="no such font"))
        return None
    return typeface(found)


def _picture_faults(style: Style) -> Iterator[Fault]:
    try:
        with Image.open(BytesIO(style.base_image)) as picture:
            image = picture.width / picture.height
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        yield _FILE.at("/base_image", name=style.base_image_name, why=error)
        return
    page = style.page_width / style.page_height
    if abs(image / page - 1) > _PROPORTION_TOLERANCE:
        yield _PROPORTIONS.at("/base_image", image=f"{image:.3f}", page=f"{page:.3f}")


def _item_faults(style: Style, licence_type: LicenceType | None) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, field in enumerate(style.fields):
        where = pointer("field", index, "code")
        if field.code in seen:
            yield _DUPLICATE.at(where, field.code, code=field.code)
        seen.add(field.code)
        known = field.optional or field.code in FACE_CODES or field.code == OTHER_ITEMS
        if licence_type and not known and field.code not in licence_type.items:
            yield _UNKNOWN_ITEM.at(where, field.code, code=field.code)


def _text_faults(style: Style) -> Iterator[Fault]:
    for where, name, text, fits in _texts(style):
        missing = style.typeface.missing_glyphs(text)
        if missing:
            yield _GLYPHS.at(where, text, characters=" ".join(missing))
        elif not fits:
            yield _TOO_LONG.at(where, text, name=name)


def _texts(style: Style) -> Iterator[tuple[str, str, str, bool]]:
    for index, field in enumerate(style.fields):
        fits = set_text(field.sample, field.box, field.rule(wrap=field.wrap), style.typeface) is not None
        yield pointer("field", index, "sample"), field.name, field.sample, fits
    for index, label in enumerate(style.labels):
        fits = set_text(label.text, label.box, label.rule(wrap=True), style.typeface) is not None
        yield pointer("label", index, "text"), label.text, label.text, fits


def _place_faults(style: Style) -> Iterator[Fault]:
    places = list(_places(style))
    page = Box(0, 0, style.page_width, style.page_height)
    for where, name, box in places:
        inside = (
            box.x >= 0
            and box.y >= 0
            and box.x + box.width <= page.width
            and box.y + box.height <= page.height
        )
        if not inside:
            yield _OFF_PAGE.at(where, name=name)
    for (where, name, box), (_, other, taken) in combinations(places, 2):
        if box.overlaps(taken):
            yield _OVERLAP.at(where, name=name, other=other)


def _places(style: Style) -> Iterable[tuple[str, str, Box]]:
    for index, field in enumerate(style.fields):
        yield pointer("field", index), field.name, field.box
    for index, label in enumerate(style.labels):
        yield pointer("label", index), label.text, label.box
    if style.qr:
        yield pointer("qr"), "QR", style.qr.box
