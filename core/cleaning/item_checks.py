"""Checks of the extended face items against their declarations."""

from collections.abc import Callable
from datetime import date
from functools import reduce

from contracts.dates import LONG_TERM, parse_date
from contracts.fault import Fault, pointer
from contracts.licence_type import ItemSpec, LicenceType
from contracts.record import ItemValue, LicenceRecord
from core.cleaning.catalogue import (
    ITEM_CODE,
    ITEM_FIELD,
    ITEM_KIND,
    ITEM_PATTERN,
    ITEM_RANGE,
    ITEM_UNDECLARED,
    TOO_LONG,
)
from core.cleaning.fields import Field, find_field
from core.cleaning.findings import Check, fault_at
from core.cleaning.patterns import compile_pattern

ItemCheck = Callable[[ItemValue], Fault | None]

KINDS_ZH = {"text": "文本", "date": "日期", "number": "数字", "flag": "是否值", "list": "列表"}
_ACCEPTED_SHOWN = 20
"""Codes that a message lists."""


def item_check(licence_type: LicenceType) -> Check:
    """Every item declared, of its kind, in its table, form and range."""
    checks = {code: _compile_item(code, licence_type) for code in licence_type.items}

    def check(record: LicenceRecord, _today: date, found: list[Fault]) -> None:
        for code, value in record.items.items():
            judge = checks.get(code)
            fault = ITEM_UNDECLARED.at(pointer("items", code), code=code) if judge is None else judge(value)
            if fault is not None:
                found.append(fault)

    return check


def as_number(value: object) -> float | None:
    """The number that an item states, or None; a flag is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None


def _compile_item(code: str, licence_type: LicenceType) -> ItemCheck:
    """All checks of one item as one; the first that fails speaks."""
    field = find_field(f"items.{code}", licence_type)
    if field is None:
        raise LookupError(code)
    spec = licence_type.items[code]
    steps = [_KIND_CHECKS[spec.kind](field, spec)]
    if spec.codes:
        steps.append(_code_step(field, spec))
    if spec.pattern:
        steps.append(_pattern_step(field, spec))
    if spec.minimum is not None or spec.maximum is not None:
        steps.append(_range_step(field, spec))
    return reduce(_then, steps)


def _then(first: ItemCheck, second: ItemCheck) -> ItemCheck:
    return lambda value: first(value) or second(value)


def _wrong_kind(field: Field, value: ItemValue) -> Fault:
    return fault_at(ITEM_KIND, field, value, kind=field.kind, kind_zh=KINDS_ZH[field.kind])


def _text_step(field: Field, spec: ItemSpec) -> ItemCheck:
    limit = spec.max_length

    def step(value: ItemValue) -> Fault | None:
        if type(value) is str:
            return (
                None
                if len(value) <= limit
                else fault_at(TOO_LONG, field, value, length=len(value), limit=limit)
            )
        return _wrong_kind(field, value)

    return step


def _number_step(field: Field, _spec: ItemSpec) -> ItemCheck:
    return lambda value: None if as_number(value) is not None else _wrong_kind(field, value)


def _flag_step(field: Field, _spec: ItemSpec) -> ItemCheck:
    return lambda value: None if isinstance(value, bool) else _wrong_kind(field, value)


def _date_step(field: Field, _spec: ItemSpec) -> ItemCheck:
    def step(value: ItemValue) -> Fault | None:
        if isinstance(value, str) and (value == LONG_TERM.value or parse_date(value) is not None):
            return None
        return _wrong_kind(field, value)

    return step


def _list_step(field: Field, spec: ItemSpec) -> ItemCheck:
    """A list of mappings with declared fields (any, when none is declared) and texts of bounded length."""

    def step(value: ItemValue) -> Fault | None:
        if not isinstance(value, list) or not all(isinstance(element, dict) for element in value):
            return _wrong_kind(field, value)
        used = {code for element in value for code in element}
        if spec.fields and (unknown := sorted(used - spec.fields.keys())):
            return fault_at(ITEM_FIELD, field, code=unknown[0])
        longest = max(
            (len(v) for element in value for v in element.values() if isinstance(v, str)), default=0
        )
        return (
            None
            if longest <= spec.max_length
            else fault_at(TOO_LONG, field, length=longest, limit=spec.max_length)
        )

    return step


_KIND_CHECKS: dict[str, Callable[[Field, ItemSpec], ItemCheck]] = {
    "text": _text_step,
    "number": _number_step,
    "flag": _flag_step,
    "date": _date_step,
    "list": _list_step,
}


def _code_step(field: Field, spec: ItemSpec) -> ItemCheck:
    accepted = ", ".join(f"{code} {text}" for code, text in list(spec.codes.items())[:_ACCEPTED_SHOWN])
    accepted += " …" if len(spec.codes) > _ACCEPTED_SHOWN else ""
    return lambda value: None if value in spec.codes else fault_at(ITEM_CODE, field, value, accepted=accepted)


def _pattern_step(field: Field, spec: ItemSpec) -> ItemCheck:
    matches = compile_pattern(spec.pattern)
    return lambda value: None if matches(str(value)) else fault_at(ITEM_PATTERN, field, value)


def _range_step(field: Field, spec: ItemSpec) -> ItemCheck:
    least = float("-inf") if spec.minimum is None else spec.minimum
    most = float("inf") if spec.maximum is None else spec.maximum
    bounds = {
        "minimum": "-∞" if spec.minimum is None else least,
        "maximum": "∞" if spec.maximum is None else most,
    }

    def step(value: ItemValue) -> Fault | None:
        number = as_number(value)
        return (
            None
            if number is not None and least <= number <= most
            else fault_at(ITEM_RANGE, field, value, **bounds)
        )

    return step
