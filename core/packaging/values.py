"""The values of one licence by their metadata codes, and as the texts of metadata and face."""

from collections.abc import Mapping
from datetime import date
from string import Formatter
from typing import Any, Literal

import orjson

from contracts.codes.holder import CODE_TYPES
from contracts.record import ELEMENT_CODES, Holder, ItemValue, LicenceRecord
from core.packaging.request import PackageRequest

LONG_TERM = "长期"
VERSION_CODE = "ZZBBH"
"""证照版本号: no pinyin code is published for it (FIELD 1.2); this and the next three follow the same pattern."""
FILE_NUMBER_CODE = "WJBH"
LIBRARY_CODE = "ZZKMC"
SOURCE_CODE = "SJLY"
IDENTIFIER = ELEMENT_CODES["identifier"]
VALIDITY_START = ELEMENT_CODES["valid_from"]
VALIDITY_END = ELEMENT_CODES["valid_until"]
OTHER_ITEMS = "KZ_*"
"""Stands in a style for all extended items without a field of their own."""
FACE_CODES = frozenset({*ELEMENT_CODES.values(), VERSION_CODE, FILE_NUMBER_CODE, LIBRARY_CODE, SOURCE_CODE})
"""Codes any style may show, whatever the licence type."""

DateFormat = Literal["long", "chinese", "iso", "dots"]
Value = ItemValue | date
_CHINESE_DIGITS = str.maketrans("0123456789", "〇一二三四五六七八九")


def values_of(request: PackageRequest) -> dict[str, Value]:
    """Every value of the licence by code, elements first, then the extended items in the order of their codes."""
    record = request.record
    holders = record.holders
    return {
        ELEMENT_CODES["licence_name"]: record.licence_name,
        ELEMENT_CODES["licence_type"]: record.licence_type,
        ELEMENT_CODES["licence_number"]: record.licence_number,
        ELEMENT_CODES["identifier"]: request.identifier,
        VERSION_CODE: f"{request.version_no:03d}",
        ELEMENT_CODES["issuer_name"]: record.issuer_name,
        ELEMENT_CODES["issuer_code"]: record.issuer_code,
        ELEMENT_CODES["issued_on"]: record.issued_on,
        ELEMENT_CODES["holder_name"]: _joined(holders, "name"),
        ELEMENT_CODES["holder_code"]: _joined(holders, "code"),
        ELEMENT_CODES["holder_code_type_name"]: "、".join(
            CODE_TYPES.text(holder.code_type) or "" for holder in holders
        ),
        ELEMENT_CODES["holder_code_type"]: _joined(holders, "code_type"),
        VALIDITY_START: record.valid_from,
        VALIDITY_END: _validity_end(record),
        FILE_NUMBER_CODE: request.file_number,
        LIBRARY_CODE: request.library_name,
        SOURCE_CODE: request.source,
        **{code: record.items[code] for code in sorted(record.items)},
    }


def face_values(request: PackageRequest) -> dict[str, Value]:
    """The values as a face prints them: for a code its meaning, where the licence type has a table for the item."""
    values = values_of(request)
    for item, meanings in request.code_tables.items():
        value = values.get(item)
        if isinstance(value, str):
            values[item] = meanings.get(value, value)
    return values


def _validity_end(record: LicenceRecord) -> date | str | None:
    return LONG_TERM if record.long_term else record.valid_until


def _joined(holders: tuple[Holder, ...], attribute: str) -> str:
    return "、".join(getattr(holder, attribute) for holder in holders)


def metadata_text(value: Value) -> str:
    """The text of a value in metadata: dates as yyyyMMdd, lists and mappings as JSON with sorted keys."""
    match value:
        case None:
            return ""
        case date():
            return f"{value:%Y%m%d}"
        case bool():
            return "true" if value else "false"
        case list() | dict():
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        case _:
            return str(value)


def face_text(value: Value) -> str:
    """The text of a value as licences print it, where no other format is declared: flags as 是 and 否."""
    return ("是" if value else "否") if isinstance(value, bool) else metadata_text(value)


def face_date(value: date, form: DateFormat) -> str:
    """A date as licences print it: 2026年11月23日, 二〇二六年十一月二十三日, 2026-11-23 or 2026.11.23."""
    match form:
        case "long":
            return f"{value.year}年{value.month:02d}月{value.day:02d}日"
        case "chinese":
            year = str(value.year).translate(_CHINESE_DIGITS)
            return f"{year}年{_chinese_number(value.month)}月{_chinese_number(value.day)}日"
        case "dots":
            return f"{value:%Y.%m.%d}"
        case "iso":
            return value.isoformat()


def _chinese_number(number: int) -> str:
    tens, ones = divmod(number, 10)
    ten = {0: "", 1: "十"}.get(tens, str(tens).translate(_CHINESE_DIGITS) + "十")
    return ten + (str(ones).translate(_CHINESE_DIGITS) if ones else "")


def face_span(values: Mapping[str, Value], form: DateFormat) -> str:
    """The validity as one text: ``start 至 end``, ``长期``, or the one that is known."""
    start, end = values.get(VALIDITY_START), values.get(VALIDITY_END)
    texts = [face_date(part, form) if isinstance(part, date) else str(part) for part in (start, end) if part]
    return " 至 ".join(texts)


def face_list(value: Value, *, row: str, separator: str, limit: int) -> str:
    """A repeated item on the face: each mapping through ``row`` (``{CODE}`` places), at most ``limit`` rows.

    What is left off is announced with a pointer to the data attached to the file.
    """
    elements = value if isinstance(value, list) else [value]
    shown = separator.join(_row_text(element, row) for element in elements[:limit])
    left_off = len(elements) - limit
    return shown if left_off <= 0 else f"{shown}{separator}（另有{left_off}项，见附件数据）"


def _row_text(element: Any, row: str) -> str:
    if not isinstance(element, dict):
        return face_text(element)
    if not row:
        return " ".join(face_text(value) for value in element.values())
    return "".join(
        literal + (face_text(element.get(name)) if name else "")
        for literal, name, _, _ in Formatter().parse(row)
    )
