"""Conditions of a declaration compiled to tests on a decoded record."""

import re
from collections.abc import Callable, Sequence

from contracts.interface import Condition, Source
from contracts.mapping.places import ANY_FIELD, Fields, Get, place_of
from contracts.mapping.scalars import as_text, number_of

Holds = Callable[[Fields], bool]
Test = Callable[[str], bool]
"""A test on a trimmed text; the empty one where the field is absent."""

NO_VALUE_OPERATORS = ("present", "absent")
LIST_OPERATORS = ("in", "not-in")


def compile_all(conditions: Sequence[Condition], source: Source) -> Holds:
    """A test that holds when every condition does; an empty list always holds."""
    tests = [compile_condition(condition, source) for condition in conditions]
    if len(tests) == 1:
        return tests[0]
    return lambda fields: all(test(fields) for test in tests)


def compile_condition(condition: Condition, source: Source) -> Holds:
    """One condition as a closure over its constants."""
    test = _text_test(condition)
    if condition.field == ANY_FIELD:
        return lambda fields: any(test(_text(value)) for value in fields.values())
    return _on_field(place_of(condition.field, source).get, test)


def _on_field(get: Get, test: Test) -> Holds:
    def holds(fields: Fields) -> bool:
        value = get(fields)
        return test(value.strip() if type(value) is str else _text(value))

    return holds


def _text(value: object) -> str:
    text = as_text(value)
    return "[…]" if text is None else text.strip()


def _text_test(condition: Condition) -> Test:
    op, value = condition.op, condition.value
    if op in NO_VALUE_OPERATORS:
        return bool if op == "present" else lambda text: not text
    if op in LIST_OPERATORS:
        return _membership(frozenset(_text(item) for item in value), wanted=op == "in")
    if op in ("<", "<=", ">", ">="):
        return _comparison(op, value)
    return _single(op, _text(value))


def _single(op: str, wanted: str) -> Test:
    if op == "matches":
        whole = re.compile(wanted).fullmatch
        return lambda text: whole(text) is not None
    simple: dict[str, Test] = {
        "=": lambda text: text == wanted,
        "!=": lambda text: text != wanted,
        "contains": lambda text: wanted in text,
        "starts-with": lambda text: text.startswith(wanted),
    }
    return simple[op]


def _membership(members: frozenset[str], *, wanted: bool) -> Test:
    return lambda text: (text in members) is wanted


def _comparison(op: str, value: object) -> Test:
    """Numbers as numbers when both sides are, else texts (ISO dates compare rightly); an absent field never holds."""
    limit, limit_number = _text(value), number_of(_text(value))

    def holds(text: str) -> bool:
        number = number_of(text) if limit_number is not None else None
        if number is not None and limit_number is not None:
            return _ordered(op, (number > limit_number) - (number < limit_number))
        return bool(text) and _ordered(op, (text > limit) - (text < limit))

    return holds


def _ordered(op: str, sign: int) -> bool:
    return {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[op]
