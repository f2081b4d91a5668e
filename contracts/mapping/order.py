"""Order texts: which of two versions of a licence is the newer, as one text that sorts."""

from collections.abc import Callable, Sequence
from datetime import date

from contracts.dates import LONG_TERM, date_fault
from contracts.fault import Fault
from contracts.interface import FieldMapping, Source
from contracts.mapping.places import Fields
from contracts.mapping.rules import NOT_A_NUMBER, NOT_A_TIME, REQUIRED
from contracts.mapping.scalars import ORDER_SEPARATOR, day_of, moment_of, number_of, number_order, text_order
from contracts.mapping.takes import compile_take, places_of
from contracts.mapping.values import kind_of

ReadOrder = Callable[[Fields, list[Fault]], str]
_LAST = "~"
"""Sorts after every digit: the order of a date without end."""


def compile_order(by: Sequence[FieldMapping], source: Source) -> ReadOrder | None:
    """The order text of a record, most significant field first; None when arrival decides."""
    parts = [_part(mapping, source) for mapping in by]
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]

    def read(fields: Fields, faults: list[Fault]) -> str:
        return ORDER_SEPARATOR.join([part(fields, faults) for part in parts])

    return read


def _part(mapping: FieldMapping, source: Source) -> ReadOrder:
    take = compile_take(mapping, source)
    pointer = places_of(mapping, source)[0].pointer
    sortable = _sortable(mapping, pointer)
    codes = {code: str(value) for code, value in mapping.codes.items()}

    def read(fields: Fields, faults: list[Fault]) -> str:
        text = take(fields, faults)
        if not text:
            if text is not None and mapping.required:
                faults.append(REQUIRED.at(pointer))
            return ""
        return sortable(codes.get(text, text), faults)

    return read


def _sortable(mapping: FieldMapping, pointer: str) -> Callable[[str, list[Fault]], str]:
    kind = kind_of("", mapping)
    if kind == "date":
        return lambda text, faults: _date_order(text, mapping, pointer, faults)
    if kind == "number":
        return lambda text, faults: _number_order(text, pointer, faults)
    if kind == "time":
        return lambda text, faults: _time_order(text, mapping, pointer, faults)
    return lambda text, _faults: text_order(text)


def _date_order(text: str, mapping: FieldMapping, pointer: str, faults: list[Fault]) -> str:
    day = day_of(text, mapping.dates)
    if isinstance(day, date):
        return day.isoformat()
    if day is LONG_TERM:
        return _LAST
    fault = date_fault(text, mapping.dates, pointer)
    faults.extend([fault] if fault else [])
    return ""


def _number_order(text: str, pointer: str, faults: list[Fault]) -> str:
    number = number_of(text)
    if number is None:
        faults.append(NOT_A_NUMBER.at(pointer, text))
        return ""
    return number_order(number)


def _time_order(text: str, mapping: FieldMapping, pointer: str, faults: list[Fault]) -> str:
    moment = moment_of(text, mapping.dates)
    if moment is None:
        faults.append(NOT_A_TIME.at(pointer, text))
    return moment or ""
