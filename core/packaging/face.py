"""The face of a licence: the texts of its items, set where the style wants them."""

from datetime import date

import msgspec

from contracts.fault import Fault, Rule, pointer
from core.errors import InternalError
from core.packaging.layout import Box, SetText, set_text
from core.packaging.qr import qr_rows
from core.packaging.request import PackageRequest, Waiting
from core.packaging.style import FieldPlace, PlacedField, Style
from core.packaging.values import (
    IDENTIFIER,
    OTHER_ITEMS,
    Value,
    face_date,
    face_list,
    face_span,
    face_text,
    face_values,
)

NEEDS_GLYPH = Rule(
    code="face.needs-glyph",
    en="{name} holds characters the font lacks: {characters}.",
    zh="“{name}”含有字体缺少的字符：{characters}。",
    remedy_en="Use a style whose font has these characters, then package again.",
    remedy_zh="请改用包含这些字符的字体后重新制证。",
)
OVERFLOW = Rule(
    code="face.overflow",
    en="{name} does not fit its box at the smallest size.",
    zh="“{name}”以最小字号仍超出文本框。",
    remedy_en="Give the field more room in a new version of the style, then package again.",
    remedy_zh="请在新版样式中放大该字段后重新制证。",
)


class FieldText(msgspec.Struct, frozen=True):
    """One item of the face, set."""

    field: FieldPlace
    text: str
    box: Box
    set: SetText


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """A composed face."""

    texts: tuple[FieldText, ...]
    """In the order of the style's fields; items without a value are left out."""
    qr_text: str
    """Text of the two-dimensional code; empty where the style has none."""


def compose_face(request: PackageRequest, style: Style) -> Face | Waiting:
    """The face of a licence whose data the hub sets itself (source class D).

    Answers ``Waiting`` (``needs-glyph`` or ``failed``) with every field that cannot be drawn.
    """
    values = face_values(request)
    texts: list[FieldText] = []
    faults: list[Fault] = []
    missing: dict[str, None] = {}
    for (field, box, rule), text in _shown(request, values, style):
        lacking = style.typeface.missing_glyphs(text)
        placed = None if lacking else set_text(text, box, rule, style.typeface)
        if lacking:
            missing.update(dict.fromkeys(lacking))
            faults.append(NEEDS_GLYPH.at(pointer(field.code), name=field.name, characters=" ".join(lacking)))
        elif placed is None:
            faults.append(OVERFLOW.at(pointer(field.code), name=field.name))
        else:
            texts.append(FieldText(field, text, box, placed))
    qr_text = style.qr.text.format(**values) if style.qr else ""
    if style.qr and not _fits_code(qr_text):
        faults.append(OVERFLOW.at(pointer("qr"), name="QR"))
    if faults:
        return _waiting(request, faults, "".join(missing))
    return Face(texts=tuple(texts), qr_text=qr_text)


def _fits_code(text: str) -> bool:
    try:
        return bool(qr_rows(text))
    except InternalError:
        return False


def sample_face(style: Style) -> Face:
    """The face with the longest text of every field, as its style declares them: what a preview shows."""
    pairs = (
        (place, set_text(place.field.sample, place.box, place.rule, style.typeface))
        for place in style.placed_fields
    )
    texts = tuple(
        FieldText(place.field, place.field.sample, place.box, text) for place, text in pairs if text
    )
    identifier = next((item.text for item in texts if item.field.code == IDENTIFIER), style.ident)
    return Face(texts=texts, qr_text=identifier.upper() if style.qr else "")


def face_texts(request: PackageRequest, style: Style) -> dict[str, str]:
    """The text each item of the face must show, by code: what a verifier compares the drawn text with."""
    return {
        place.field.code: drawn_text(text) for place, text in _shown(request, face_values(request), style)
    }


def drawn_text(text: str) -> str:
    """An item's text as a reader of the page finds it: one run, whatever lines it was set in."""
    return text.replace("\n", "")


def field_text(field: FieldPlace, values: dict[str, Value]) -> str:
    """The text of one field, in the format its style declares; empty where the licence has no value."""
    value = values.get(field.code)
    if field.format == "span":
        return face_span(values, field.dates)
    if value is None or value == "":
        return ""
    if isinstance(value, date):
        return face_date(value, field.dates)
    if field.format == "list" or isinstance(value, list | dict):
        return face_list(value, row=field.row, separator=field.separator, limit=field.limit)
    if field.format == "date" and isinstance(value, str):
        return _iso_date_text(value, field)
    return face_text(value).replace("\r\n", "\n").replace("\t", " ")


def _iso_date_text(value: str, field: FieldPlace) -> str:
    try:
        return face_date(date.fromisoformat(value), field.dates)
    except ValueError:
        return value


def _shown(request: PackageRequest, values: dict[str, Value], style: Style) -> list[tuple[PlacedField, str]]:
    pairs = [(place, _text(request, values, style, place.field)) for place in style.placed_fields]
    return [(place, text) for place, text in pairs if text]


def _text(request: PackageRequest, values: dict[str, Value], style: Style, field: FieldPlace) -> str:
    if field.code == OTHER_ITEMS:
        return _other_items(request, values, style, field)
    return field_text(field, values)


def _other_items(request: PackageRequest, values: dict[str, Value], style: Style, field: FieldPlace) -> str:
    """One line ``name：text`` per extended item that has no field, in the order of the licence type's declaration."""
    placed = {other.code for other in style.fields}
    items, names = request.record.items, request.item_names
    codes = [*(code for code in names if code in items), *sorted(items.keys() - names.keys())]
    shown = (
        (code, face_list(values[code], row=field.row, separator=field.separator, limit=field.limit))
        for code in codes
    )
    return "\n".join(
        f"{names.get(code, code)}：{text}" for code, text in shown if text and code not in placed
    )


def _waiting(request: PackageRequest, faults: list[Fault], characters: str) -> Waiting:
    return Waiting(
        licence_id=request.licence_id,
        version_no=request.version_no,
        state="needs-glyph" if characters else "failed",
        faults=tuple(faults),
        characters=characters,
    )
