"""Checks of texts: characters nobody can store, lengths, special characters in names."""

import re
from collections.abc import Iterator
from datetime import date

from contracts.fault import Fault, masked, pointer
from contracts.licence_type import LicenceType
from contracts.record import LicenceRecord
from contracts.text import escaped, forbidden_character
from core.cleaning.catalogue import FORBIDDEN_CHARACTER, SPECIAL_CHARACTER, TOO_LONG
from core.cleaning.fields import Field, find_field, holder_field
from core.cleaning.findings import Check, fault_at, is_personal

NAME_LIMIT = 512
NUMBER_LIMIT = 200
CODE_LIMIT = 128
"""Holder codes, issuer codes, identifiers."""

_LIMITS = {
    "licence_name": NAME_LIMIT,
    "licence_number": NUMBER_LIMIT,
    "issuer_name": NAME_LIMIT,
    "issuer_code": CODE_LIMIT,
    "identifier": CODE_LIMIT * 2,
    "verified_by": NAME_LIMIT,
}
_HOLDER_LIMITS = {"name": NAME_LIMIT, "code": CODE_LIMIT}
_SPECIAL = re.compile(
    "[\t\r\n?？*＊$￥%％^＾~～|｜<＜>＞=＝{｛}｝;；\\\\＼_＿`｀\ufffd\ue000-\uf8ff□■◆]"
).search

_Place = tuple[tuple[str | int, ...], str, bool]
"""Path of a text, the text, whether it is personal."""


def unstorable(record: LicenceRecord, licence_type: LicenceType) -> list[Fault]:
    """A fault for every text of ``record`` that holds a forbidden character; none for nearly every record."""
    if forbidden_character("".join(_texts(record))) is None:
        return []
    return [
        FORBIDDEN_CHARACTER.at(pointer(*path), escaped(masked(text) if personal else text))
        for path, text, personal in _places(record, licence_type)
        if forbidden_character(text) is not None
    ]


def text_check(licence_type: LicenceType) -> Check:
    """Lengths of all texts outside the items, and special characters in names."""
    fields = {
        name: _field(name, licence_type)
        for name in (*_LIMITS, *(f"holder.{name}" for name in _HOLDER_LIMITS))
    }
    total_safe = min(_LIMITS.values())

    def check(record: LicenceRecord, _today: date, found: list[Fault]) -> None:
        names = record.licence_name + record.issuer_name
        for holder in record.holders:
            names += holder.name
        others = len(record.licence_number) + len(record.issuer_code) + len(record.identifier)
        others += len(record.verified_by)
        if (
            _SPECIAL(names)
            or len(names) + others > total_safe
            or any(len(h.code) > CODE_LIMIT for h in record.holders)
        ):
            _judge(record, fields, found)

    return check


def _judge(record: LicenceRecord, fields: dict[str, Field], found: list[Fault]) -> None:
    for name, limit in _LIMITS.items():
        _judge_text(fields[name], getattr(record, name), limit, found)
    for index, holder in enumerate(record.holders):
        for name, limit in _HOLDER_LIMITS.items():
            field = holder_field(fields[f"holder.{name}"], index, personal=is_personal(holder))
            _judge_text(field, getattr(holder, name), limit, found)


def _judge_text(field: Field, text: str, limit: int, found: list[Fault]) -> None:
    if len(text) > limit:
        found.append(fault_at(TOO_LONG, field, text, length=len(text), limit=limit))
    if field.path.endswith("name") and (special := _SPECIAL(text)):
        found.append(fault_at(SPECIAL_CHARACTER, field, text, character=repr(special.group())))


def _field(name: str, licence_type: LicenceType) -> Field:
    field = find_field(name, licence_type)
    if field is None:
        raise LookupError(name)
    return field


def _texts(record: LicenceRecord) -> list[str]:
    texts = [record.licence_type, record.licence_name, record.licence_number, record.issuer_name]
    texts += (record.issuer_code, record.region, record.identifier, record.verified_by)
    texts += (scan.name for scan in record.scans)
    if record.original is not None:
        texts.append(record.original.name)
    for holder in record.holders:
        texts += (holder.name, holder.code, holder.code_type)
    texts += record.items
    for value in record.items.values():
        if type(value) is str:
            texts.append(value)
        elif type(value) is list or type(value) is dict:
            texts += (text for _, text in _nested((), value))
    return texts


def _places(record: LicenceRecord, licence_type: LicenceType) -> Iterator[_Place]:
    for name in ("licence_type", *_LIMITS, "region"):
        yield (name,), getattr(record, name), False
    for index, holder in enumerate(record.holders):
        for name in ("name", "code", "code_type"):
            yield ("holders", index, name), getattr(holder, name), is_personal(holder)
    for index, scan in enumerate(record.scans):
        yield ("scans", index, "name"), scan.name, False
    if record.original is not None:
        yield ("original", "name"), record.original.name, False
    for code, value in record.items.items():
        yield ("items",), code, False
        personal = code in licence_type.items and licence_type.items[code].personal
        for path, text in _nested(("items", escaped(code)), value):
            yield path, text, personal


def _nested(path: tuple[str | int, ...], value: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text in ``value``, keys included, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from _nested((*path, index), element)
    elif isinstance(value, dict):
        for key, element in value.items():
            yield path, key
            yield from _nested((*path, escaped(key)), element)
