"""Reads a style file and checks it whole: every fault at once, each with its place."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from contracts.declare import DeclarationError, described, parse_toml, suggest, value_faults
from contracts.fault import Fault, pointer
from contracts.interface import Name
from contracts.licence_type import LicenceType
from core.errors import ConfigError, NotFound
from core.packaging.style import FieldPlace, LabelText, QrPlace, SealPlace, Style, Watermark
from core.packaging.style_checks import FILE, SHAPE, style_faults
from core.packaging.typeface import FONTS, SHIPPED_FONT, Typeface, typeface

STYLES = Path(__file__).parent / "styles"
_Part = TypeVar("_Part", bound=msgspec.Struct)
_Beside = Annotated[
    str,
    described(
        r"^(?!\.)[^/\\\x00]+(?![\s\S])",
        "the name of a file in the style's own folder",
        "为样式文件夹内的文件名，不含路径",
        longest=100,
    ),
]
"""A file in the style's own folder: a style is registered, and travels, as that folder."""
_PageSide = Annotated[float, msgspec.Meta(ge=20, le=2000)]


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: Name
    version: Annotated[int, msgspec.Meta(ge=1)]
    title: dict[str, str]
    page_width: _PageSide
    page_height: _PageSide
    base_image: _Beside
    released: date
    font: _Beside = SHIPPED_FONT
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


def _read(path: Path, faults: list[Fault]) -> Style | None:
    try:
        source = path.read_bytes()
        tables = parse_toml(source.decode("utf-8"))
    except DeclarationError as error:
        told = error.faults[0]
        faults.append(FILE.at("", name=path.name, why=told.message, why_zh=told.message_zh))
        return None
    except (OSError, UnicodeDecodeError) as error:
        faults.append(FILE.at("", name=path.name, why=error, why_zh="须为可读取的 UTF-8 编码文件"))
        return None
    head = _part({key: value for key, value in tables.items() if key not in _TABLES}, _Head, "", faults)
    parts = {key: _list_or_one(tables, key, faults) for key in _TABLES}
    seal = parts["seal"]
    if not seal and not faults:
        faults.append(SHAPE.at("/seal", why="the table [seal] is missing", why_zh="缺少 [seal] 表"))
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
    if isinstance(value, list):
        found = [_part(entry, _TABLES[key], pointer(key, index), faults) for index, entry in enumerate(value)]
    else:
        found = [_part(value, _TABLES[key], pointer(key), faults)]
    return [part for part in found if part is not None]


def _part(value: object, shape: type[_Part], where: str, faults: list[Fault]) -> _Part | None:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError:
        found = _entry_faults(value, shape) if isinstance(value, dict) else _shape_faults(value, shape, "")
        faults.extend(msgspec.structs.replace(fault, pointer=where + fault.pointer) for fault in found)
        return None


def _entry_faults(entries: Mapping[str, object], shape: type[msgspec.Struct]) -> Iterator[Fault]:
    """Every entry of a table that is missing, unknown or wrong: the conversion itself stops at the first."""
    known = {field.name: field for field in msgspec.structs.fields(shape)}
    for name, field in known.items():
        if field.required and name not in entries:
            yield SHAPE.at(pointer(name), why="it is missing", why_zh="缺少该项")
    for name, value in entries.items():
        if name not in known:
            near, near_zh = suggest(name, list(known))
            yield SHAPE.at(
                pointer(name),
                why=f"there is no such key. {near.rstrip('.')}",
                why_zh=f"没有该键。{near_zh.rstrip('。')}",
            )
            continue
        try:
            msgspec.convert(value, known[name].type)
        except msgspec.ValidationError:
            yield from _shape_faults(value, known[name].type, pointer(name))


def _shape_faults(value: object, kind: Any, where: str) -> Iterator[Fault]:
    for fault in value_faults(kind, value):
        yield SHAPE.at(where + fault.pointer, fault.value, why=fault.message, why_zh=fault.message_zh)


def _beside(path: Path, name: str, faults: list[Fault]) -> bytes:
    try:
        return (path.parent / name).read_bytes()
    except OSError as error:
        faults.append(
            FILE.at("/base_image", name, name=name, why=error.strerror, why_zh="文件不存在或无法读取")
        )
        return b""


def _font(path: Path, name: str, faults: list[Fault]) -> Typeface | None:
    candidates = (path.parent / name, FONTS / name)
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        faults.append(FILE.at("/font", name, name=name, why="no such font", why_zh="没有该字体"))
        return None
    loaded = typeface(found)
    if not loaded.has_outlines:
        why, why_zh = "it is no font with TrueType outlines", "不是 TrueType 轮廓字体"
        faults.append(FILE.at("/font", name, name=name, why=why, why_zh=why_zh))
        return None
    return loaded
