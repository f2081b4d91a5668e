"""The normal form of a record: spaces trimmed, empty markers emptied, codes folded, items brought to their declared kind.

What is printed on the licence stays as it is: numbers and names only lose the white space around them.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec

from contracts.checks import citizen_id
from contracts.codes.holder import CITIZEN_ID, CODE_TYPES
from contracts.codes.table import CodeTable
from contracts.dates import LONG_TERM, LONG_TERM_DATES, parse_date
from contracts.licence_type import ItemSpec, LicenceType
from contracts.record import Holder, ItemValue, LicenceRecord
from contracts.text import EMPTY_MARKERS, fold, half_width

Normalise = Callable[[LicenceRecord], LicenceRecord]
NormaliseItem = Callable[[ItemValue], ItemValue]

_FOLDED = re.compile("[0-9A-Z]+").fullmatch
_ISO_SHAPE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_OLD_CITIZEN_ID_LENGTH = 15


def compile_normal_form(licence_type: LicenceType) -> Normalise:
    """The function that brings records of this type to their normal form; an unchanged record is given back itself."""
    tidy_items = _items_normaliser(licence_type)

    def normalise(record: LicenceRecord) -> LicenceRecord:
        changes = _changed_scalars(record)
        holders = tuple(map(_normal_holder, record.holders))
        if holders != record.holders:
            changes["holders"] = holders
        items = tidy_items(record.items)
        if items is not record.items:
            changes["items"] = items
        return msgspec.structs.replace(record, **changes) if changes else record

    return normalise


def tidy(text: str) -> str:
    """``text`` without the white space around it; empty for a marker of emptiness."""
    stripped = text.strip()
    return "" if len(stripped) < 3 and half_width(stripped) in EMPTY_MARKERS else stripped


def normal_code(text: str) -> str:
    """A code in half width and upper case without white space; empty for a marker of emptiness."""
    return text if _FOLDED(text) else fold(tidy(text))


_tidy_common = lru_cache(maxsize=4096)(tidy)
_fold_common = lru_cache(maxsize=4096)(normal_code)
"""For the fields whose values recur: names and codes of issuers and types, divisions."""

_SCALARS = ("licence_name", "licence_number", "issuer_name", "licence_type", "issuer_code", "region")
_read_scalars = attrgetter(*_SCALARS)


def _changed_scalars(record: LicenceRecord) -> dict[str, Any]:
    name, number, issuer_name, type_code, issuer_code, region = before = _read_scalars(record)
    after = (
        _tidy_common(name),
        tidy(number),
        _tidy_common(issuer_name),
        _fold_common(type_code),
        _fold_common(issuer_code),
        _fold_common(region),
    )
    changes: dict[str, Any] = {} if after == before else dict(zip(_SCALARS, after, strict=True))
    if record.identifier:
        changes["identifier"] = fold(tidy(record.identifier))
    if record.verified_by and (verifier := tidy(record.verified_by)) != record.verified_by:
        changes["verified_by"] = verifier
    if record.valid_until in LONG_TERM_DATES:
        changes |= {"valid_until": None, "long_term": True}
    return changes


def _normal_holder(holder: Holder) -> Holder:
    name, code, code_type = tidy(holder.name), normal_code(holder.code), holder.code_type
    if code_type and code_type not in CODE_TYPES:
        code_type = CODE_TYPES.resolve(code_type) or tidy(code_type)
    if code_type == CITIZEN_ID and len(code) == _OLD_CITIZEN_ID_LENGTH:
        code = _upgraded(code)
    if name == holder.name and code == holder.code and code_type == holder.code_type:
        return holder
    return Holder(name=name, code=code, code_type=code_type)


def _upgraded(code: str) -> str:
    """The 18-character number, or ``code`` itself where that is no old number: the check then says what is wrong."""
    try:
        return citizen_id.upgrade(code)
    except ValueError:
        return code


def _items_normaliser(licence_type: LicenceType) -> Callable[[dict[str, ItemValue]], dict[str, ItemValue]]:
    special = {code: form for code, spec in licence_type.items.items() if (form := _item_form(code, spec))}

    def normalise(items: dict[str, ItemValue]) -> dict[str, ItemValue]:
        changes: dict[str, ItemValue] = {}
        for code, value in items.items():
            after = value
            if type(value) is str and (len(value) < 3 or value.strip() is not value):
                after = tidy(value)
            if code in special and after:
                after = special[code](after)
            if after is None or after == "" or (after is not value and after != value):
                changes[code] = after
        return _merged(items, changes) if changes else items

    return normalise


def _merged(items: dict[str, ItemValue], changes: dict[str, ItemValue]) -> dict[str, ItemValue]:
    """The items with their changes, without the empty ones."""
    merged: dict[str, ItemValue] = items | changes
    return {code: value for code, value in merged.items() if value is not None and value != ""}


def _item_form(code: str, spec: ItemSpec) -> NormaliseItem | None:
    if spec.kind == "date":
        return _normal_date
    if spec.codes:
        return _code_form(CodeTable(code, spec.codes))
    return None


def _code_form(table: CodeTable) -> NormaliseItem:
    def normalise(value: ItemValue) -> ItemValue:
        return table.resolve(value) or value if isinstance(value, str) else value

    return normalise


def _normal_date(value: ItemValue) -> ItemValue:
    """ISO 8601 or 长期; a value that is no date is left for the check."""
    if not isinstance(value, str) or (_ISO_SHAPE(value) and not value.endswith("-12-31")):
        return value
    day = parse_date(value)
    if day is LONG_TERM:
        return LONG_TERM.value
    return day.isoformat() if isinstance(day, date) else value
