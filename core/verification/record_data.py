"""Comparing a library record with what a file states in metadata and draws on its page."""

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import get_args

from contracts.record import ELEMENT_CODES, LicenceRecord
from core.packaging.values import LONG_TERM, DateFormat, Value, face_date, face_text, metadata_text
from core.verification.report import Content

Meanings = Mapping[str, Mapping[str, Collection[str]]]
"""Items bound to a code table: item -> code -> every text the code has had."""
_BLANKS = re.compile(r"\s+")
_DATE_SEPARATORS = re.compile(r"[-/.年月日\s]")


def differences(content: Content, record: LicenceRecord, meanings: Meanings) -> list[str]:
    """Codes whose metadata or drawn text is not the record's; codes the file does not state are not judged.

    Repeated items are compared in metadata alone, as their drawn form depends on the style. For an item bound to a code table
    the code or a text it has had are the same.
    """
    return [
        code
        for code, value in _values(record).items()
        if not _agrees(
            value, content.metadata.get(code), content.face_items.get(code), meanings.get(code, {})
        )
    ]


def _agrees(
    value: Value, stated: str | None, drawn: str | None, table: Mapping[str, Collection[str]]
) -> bool:
    if isinstance(value, str) and value in table:
        same = {_BLANKS.sub("", text) for text in (value, *table[value])}
        return all(text is None or _BLANKS.sub("", text) in same for text in (stated, drawn))
    return _stated(value, stated) and _drawn(value, drawn)


def unknown_codes(content: Content, record: LicenceRecord) -> list[str]:
    """Codes of the metadata that the record has no value for; the identifier is what the record was found by."""
    known = {*_values(record), ELEMENT_CODES["identifier"]}
    return [code for code in content.metadata if code not in known]


def _values(record: LicenceRecord) -> dict[str, Value]:
    holders = record.holders
    elements: dict[str, Value] = {
        "licence_name": record.licence_name,
        "licence_type": record.licence_type,
        "licence_number": record.licence_number,
        "issuer_name": record.issuer_name,
        "issuer_code": record.issuer_code,
        "issued_on": record.issued_on,
        "holder_name": "、".join(holder.name for holder in holders),
        "holder_code": "、".join(holder.code for holder in holders),
        "holder_code_type": "、".join(holder.code_type for holder in holders),
        "valid_from": record.valid_from,
        "valid_until": LONG_TERM if record.long_term else record.valid_until,
    }
    return {ELEMENT_CODES[name]: value for name, value in elements.items()} | dict(record.items)


def _stated(value: Value, text: str | None) -> bool:
    if text is None:
        return True
    if isinstance(value, date):
        return _DATE_SEPARATORS.sub("", text) == metadata_text(value)
    return _BLANKS.sub("", text) == _BLANKS.sub("", metadata_text(value))


def _drawn(value: Value, text: str | None) -> bool:
    if text is None or isinstance(value, (list, dict)):
        return True
    shown = _BLANKS.sub("", text)
    return any(_BLANKS.sub("", form) in shown for form in _forms(value))


def _forms(value: Value) -> list[str]:
    """The texts a value may be drawn as: a date, also one kept as ISO text, in any of the styles' formats."""
    moment = value if isinstance(value, date) else _iso_date(value)
    dates = [face_date(moment, form) for form in get_args(DateFormat)] if moment else []
    return [*dates, face_text(value)]


def _iso_date(value: Value) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
