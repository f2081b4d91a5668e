"""A field mapping compiled to a closure that reads one canonical value."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, cast

from contracts.dates import LONG_TERM, date_fault
from contracts.fault import Fault, Rule, masked
from contracts.interface import FieldMapping, Source, ValueKind
from contracts.mapping.conditions import compile_all
from contracts.mapping.places import Fields, Place, place_of
from contracts.mapping.rules import (
    LONG_TERM_HERE,
    NOT_A_FLAG,
    NOT_A_NUMBER,
    NOT_A_TIME,
    REQUIRED,
    UNKNOWN_CODE,
)
from contracts.mapping.scalars import day_of, flag_of, moment_of, number_of, plain_number
from contracts.mapping.takes import MAX_TEXT, Take, checked, compile_take, empty_texts, places_of
from contracts.record import Status

Read = Callable[[Fields, list[Fault]], Any]
"""The canonical value, or None where there is none or its fault was added."""
Convert = Callable[[str, list[Fault]], Any]

DATE_FIELDS = ("issued_on", "valid_from", "valid_until")
TEXT_FIELDS = (
    "licence_type",
    "licence_name",
    "licence_number",
    "issuer_name",
    "issuer_code",
    "region",
    "identifier",
    "verified_by",
)
HOLDER_FIELDS = ("holder.name", "holder.code", "holder.code_type")
CANONICAL_FIELDS = (*TEXT_FIELDS, *DATE_FIELDS, "long_term", "status", *HOLDER_FIELDS)
ITEM_PREFIX = "items."

_MISSING = object()
_CODES_SHOWN = 12


def kind_of(target: str, mapping: FieldMapping) -> ValueKind | str:
    """What a target holds: the canonical field's own kind, else the declared one, else a date when formats are declared."""
    if target in DATE_FIELDS:
        return "date"
    if target in ("status", "long_term"):
        return "status" if target == "status" else "flag"
    return mapping.kind or ("date" if mapping.dates else "text")


def compile_field(target: str, mappings: FieldMapping | Sequence[FieldMapping], source: Source) -> Read:
    """The reader of a target: of several mappings the first applies whose conditions hold."""
    if isinstance(mappings, FieldMapping):
        mappings = (mappings,)
    reads = [
        (compile_all(m.when, source) if m.when else None, _compile_one(target, m, source)) for m in mappings
    ]
    if len(reads) == 1 and reads[0][0] is None:
        return reads[0][1]

    def read(fields: Fields, faults: list[Fault]) -> Any:
        for holds, one in reads:
            if holds is None or holds(fields):
                return one(fields, faults)
        return None

    return read


def field_places(mappings: FieldMapping | Sequence[FieldMapping], source: Source) -> list[Place]:
    """Every source field a target's mappings read, conditions included."""
    found: list[Place] = []
    for mapping in (mappings,) if isinstance(mappings, FieldMapping) else mappings:
        found += places_of(mapping, source)
        found += [place_of(condition.field, source) for condition in mapping.when]
    return found


class UnfitLiteral(ValueError):
    """A value that the declaration itself gives has no canonical form; ``fault`` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def literals(mapping: FieldMapping) -> list[tuple[tuple[str, ...], Any]]:
    """The values that the declaration itself gives, each with its place in ``mapping``; None where there is none."""
    return [
        (("constant",), mapping.constant),
        (("default",), mapping.default),
        (("codes_default",), mapping.codes_default),
        *((("codes", code), value) for code, value in mapping.codes.items()),
    ]


def literal(target: str, mapping: FieldMapping, value: Any) -> Any:
    """One of them in canonical form; raises ``UnfitLiteral`` when it has none."""
    if value is None or not isinstance(value, str):
        return value
    faults: list[Fault] = []
    converted = _convert(target, mapping, "")(value, faults)
    if faults:
        raise UnfitLiteral(faults[0])
    return converted


def _compile_one(target: str, mapping: FieldMapping, source: Source) -> Read:
    if mapping.constant is not None:
        constant = literal(target, mapping, mapping.constant)
        return lambda _fields, _faults: constant
    place = places_of(mapping, source)[0]
    if kind_of(target, mapping) == "any":
        return _read_any(place, mapping)
    take = compile_take(mapping, source)
    convert = _conversion(target, mapping, place.pointer)
    default = literal(target, mapping, mapping.default)
    read = _reader(take, convert, default, place.pointer if mapping.required else None)
    simple = place.flat and mapping.strip and not mapping.template
    return _quick(place.column, empty_texts(mapping, source), convert, read) if simple else read


def _quick(column: str, empty: frozenset[str], convert: Convert | None, slow: Read) -> Read:
    """The common case without a further call: a column that holds a printable text. ``slow`` reads everything else."""

    def read(fields: Fields, faults: list[Fault]) -> Any:
        value = fields.get(column)
        if type(value) is str:
            text = value.strip()
            if text.isprintable() and text not in empty and len(text) <= MAX_TEXT:
                return text if convert is None else convert(text, faults)
        return slow(fields, faults)

    return read


def _reader(take: Take, convert: Convert | None, default: object, required_at: str | None) -> Read:
    def read(fields: Fields, faults: list[Fault]) -> Any:
        text = take(fields, faults)
        if text:
            return text if convert is None else convert(text, faults)
        if text is None:
            return None
        if required_at is not None:
            faults.append(REQUIRED.at(required_at))
        return default

    return read


def _read_any(place: Place, mapping: FieldMapping) -> Read:
    """A JSON value as it is; every text in it is checked."""
    get, pointer = place.get, place.pointer

    def read(fields: Fields, faults: list[Fault]) -> Any:
        value = get(fields)
        if value is None or value in ("", [], {}):
            if mapping.required:
                faults.append(REQUIRED.at(pointer))
            return mapping.default
        return value if _clean(value, pointer, faults) else None

    return read


def _clean(value: object, pointer: str, faults: list[Fault]) -> bool:
    if isinstance(value, str):
        return checked(value, pointer, faults) is not None
    if isinstance(value, dict):
        return all(_clean(part, pointer, faults) for pair in value.items() for part in pair)
    return not isinstance(value, list) or all(_clean(part, pointer, faults) for part in value)


def _conversion(target: str, mapping: FieldMapping, pointer: str) -> Convert | None:
    """Codes, splitting and kind; None when the text stays as it is."""
    one = _coded(target, mapping, pointer) if mapping.codes else _convert(target, mapping, pointer)
    if mapping.split:
        return _split(mapping, one)
    plain = not mapping.codes and kind_of(target, mapping) == "text"
    return None if plain else one


def _split(mapping: FieldMapping, one: Convert) -> Convert:
    separator = mapping.split

    def convert(text: str, faults: list[Fault]) -> list[Any]:
        return [one(part, faults) for piece in text.split(separator) if (part := piece.strip())]

    return convert


def _coded(target: str, mapping: FieldMapping, pointer: str) -> Convert:
    table = {code.strip(): literal(target, mapping, value) for code, value in mapping.codes.items()}
    default = literal(target, mapping, mapping.codes_default)
    known = ", ".join(list(table)[:_CODES_SHOWN]) + (", …" if len(table) > _CODES_SHOWN else "")
    show = _shown(target)

    def convert(text: str, faults: list[Fault]) -> Any:
        value = table.get(text, _MISSING)
        if value is not _MISSING:
            return value
        if default is None:
            faults.append(UNKNOWN_CODE.at(pointer, show(text), known=known))
        return default

    return convert


def _convert(target: str, mapping: FieldMapping, pointer: str) -> Convert:
    kind = kind_of(target, mapping)
    if kind == "date":
        return _date(target, mapping, pointer)
    if kind == "status":
        return _status(pointer)
    if kind in ("number", "flag", "time"):
        return _scalar(kind, mapping, pointer)
    return lambda text, _faults: text


def _date(target: str, mapping: FieldMapping, pointer: str) -> Convert:
    """A ``date`` for canonical fields, ISO text for items; 长期 only where validity ends, as a text in an item."""
    formats, is_item, ends = mapping.dates, target not in DATE_FIELDS, target == "valid_until"

    def convert(text: str, faults: list[Fault]) -> Any:
        day = day_of(text, formats)
        if day is None:
            faults.append(cast("Fault", date_fault(text, formats, pointer)))
        elif day is LONG_TERM:
            if ends or is_item:
                return day if ends else LONG_TERM.value
            faults.append(LONG_TERM_HERE.at(pointer, text))
            return None
        return day.isoformat() if is_item and isinstance(day, date) else day

    return convert


def _status(pointer: str) -> Convert:
    words = {status.value: status for status in Status}
    known = ", ".join(words)

    def convert(text: str, faults: list[Fault]) -> Status | None:
        status = words.get(text.lower())
        if status is None:
            faults.append(UNKNOWN_CODE.at(pointer, text, known=known))
        return status

    return convert


def _scalar(kind: str, mapping: FieldMapping, pointer: str) -> Convert:
    readers: dict[str, tuple[Rule, Callable[[str], object]]] = {
        "number": (NOT_A_NUMBER, lambda text: None if (n := number_of(text)) is None else plain_number(n)),
        "flag": (NOT_A_FLAG, flag_of),
        "time": (NOT_A_TIME, lambda text: moment_of(text, mapping.dates)),
    }
    rule, read = readers[kind]

    def convert(text: str, faults: list[Fault]) -> Any:
        value = read(text)
        if value is None:
            faults.append(rule.at(pointer, text))
        return value

    return convert


def _shown(target: str) -> Callable[[str], str]:
    """Holder data are shown by their last characters only."""
    return masked if target in ("holder.name", "holder.code") else lambda text: text
