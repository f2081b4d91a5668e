"""Reads a style file and checks it whole: every fault at once, each with its place."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from contracts.fault import Fault, Rule, pointer
from contracts.licence_type import LicenceType
from core.errors import ConfigError, NotFound
from core.packaging.style import FieldPlace, LabelText, QrPlace, SealPlace, Style, Watermark
from core.packaging.style_checks import FILE, style_faults
from core.packaging.typeface import FONTS, SHIPPED_FONT, Typeface, typeface

STYLES = Path(__file__).parent / "styles"
_Part = TypeVar("_Part")

_SHAPE = Rule(
    code="style.shape",
    en="The style does not have the expected shape: {why}.",
    zh="样式文件结构不正确：{why}。",
    remedy_en="Correct the entry; docs/styles.md lists every key.",
    remedy_zh="请按 docs/styles.md 修改该项。",
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


def _read(path: Path, faults: list[Fault]) -> Style | None:
    try:
        source = path.read_bytes()
        tables = tomllib.loads(source.decode("utf-8"))
    except (OSError, ValueError) as error:
        faults.append(FILE.at("", name=path.name, why=error))
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
        faults.append(FILE.at("/base_image", name, name=name, why=error.strerror))
        return b""


def _font(path: Path, name: str, faults: list[Fault]) -> Typeface | None:
    candidates = (path.parent / name, FONTS / name)
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        faults.append(FILE.at("/font", name, name=name, why="no such font"))
        return None
    return typeface(found)
