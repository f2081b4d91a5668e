"""One JSON record, strictly: no duplicate keys, no NaN, no number that would change, no half characters, bounded depth.

Most records are read by orjson, which refuses all of these except duplicate keys and integers beyond 64 bits; two cheap counts
tell when one of those may be present, and only then (or to explain a refusal) the slow reader goes over the text.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from adapters.decoding.rules import (
    JSON_DEPTH,
    JSON_DUPLICATE,
    JSON_NOT_OBJECT,
    JSON_NUMBER,
    JSON_SURROGATE,
    JSON_SYNTAX,
    RECORD_TOO_LARGE,
    UNDECODABLE,
)
from contracts.fault import Fault, pointer

MAX_DEPTH = 64
"""Levels of objects and lists in one record."""
MAX_RECORD_BYTES = 4 * 1024 * 1024

_MAY_BE_KEY = re.compile(rb'"\s*:')
"""Matches every separator of a key, and texts that look like one: equal counts prove that no key was dropped."""
_LONG_NUMBER = re.compile(rb"[:\[,]\s*-?[0-9.]{17}")
_INTEGERS = range(-(2**63), 2**64)
_LONGEST_INTEGER = 20
_KINDS = {dict: "object", list: "array", str: "string", int: "number", float: "number", bool: "boolean"}


class _Unheld(str):
    """A number that would change, as it is written: where it stands is known when its record is read."""

    __slots__ = ()


class _Refused(Exception):
    """Carries the fault out of the parser's hooks."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.rule)
        self.fault = fault


def parse_record(raw: bytes) -> dict[str, Any] | Fault:
    """The object that ``raw`` (UTF-8) states, or the fault that refuses it."""
    if len(raw) > MAX_RECORD_BYTES:
        return RECORD_TOO_LARGE.at("", limit=MAX_RECORD_BYTES)
    try:
        value = orjson.loads(raw)
        if (
            type(value) is dict
            and _keys(value, MAX_DEPTH) == len(_MAY_BE_KEY.findall(raw))
            and not (_has_float(value.values()) and _LONG_NUMBER.search(raw))
        ):
            return value
    except orjson.JSONDecodeError:
        pass
    return _parse_slowly(raw)


def _keys(value: dict[str, Any], levels: int) -> int:
    """Number of keys in the object and all below it; -1 once it nests too deep."""
    count = len(value)
    for member in value.values():
        if type(member) is dict or type(member) is list:
            below = _keys_below(member, levels - 1)
            if below < 0:
                return -1
            count += below
    return count


def _keys_below(value: Any, levels: int) -> int:
    if levels <= 0:
        return -1
    if type(value) is dict:
        return _keys(value, levels)
    counts = [_keys_below(item, levels - 1) for item in value if type(item) is dict or type(item) is list]
    return -1 if -1 in counts else sum(counts)


def _has_float(members: Iterable[Any]) -> bool:
    """Whether a number was read as a float, as orjson does with integers beyond 64 bits; all others are exact."""
    for member in members:
        kind = type(member)
        if (
            kind is float
            or (kind is dict and _has_float(member.values()))
            or (kind is list and _has_float(member))
        ):
            return True
    return False


def _parse_slowly(raw: bytes) -> dict[str, Any] | Fault:
    """The same by the standard parser, which can say what is wrong and where."""
    try:
        text = raw.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_Unheld,
            parse_int=_integer,
            parse_float=_decimal,
        )
    except UnicodeDecodeError as error:
        return UNDECODABLE.at("", _hex(raw, error.start), offset=error.start, encoding="UTF-8")
    except json.JSONDecodeError as error:
        return JSON_SYNTAX.at("", error.doc[error.pos : error.pos + 20], reason=error.msg, offset=error.pos)
    except RecursionError:
        return JSON_DEPTH.at("", limit=MAX_DEPTH)
    except _Refused as refused:
        return refused.fault
    return _judged(value)


def _judged(value: Any) -> dict[str, Any] | Fault:
    if isinstance(value, _Unheld):
        return JSON_NUMBER.at("", value)
    if not isinstance(value, dict):
        return JSON_NOT_OBJECT.at("", _KINDS.get(type(value), "null"))
    if _keys(value, MAX_DEPTH) < 0:
        return JSON_DEPTH.at("", limit=MAX_DEPTH)
    if unheld := next(_unheld(value), None):
        steps, number = unheld
        return JSON_NUMBER.at(pointer(*steps), number)
    try:
        orjson.dumps(value)
    except TypeError:
        return JSON_SURROGATE.at("")
    return value


def _unheld(value: Any) -> Iterator[tuple[tuple[str | int, ...], _Unheld]]:
    """Every number that would change, below the steps that lead to it."""
    if type(value) is _Unheld:
        yield (), value
    members = value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()
    for step, member in members:
        for steps, number in _unheld(member):
            yield (step, *steps), number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _value in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # set.add as a step
        raise _Refused(JSON_DUPLICATE.at(pointer(twice)))
    return members


def _integer(digits: str) -> int | _Unheld:
    held = len(digits) <= _LONGEST_INTEGER + 1 and int(digits) in _INTEGERS
    return int(digits) if held else _Unheld(digits)


def _decimal(text: str) -> float | _Unheld:
    number = float(text)
    return _Unheld(text) if number in (float("inf"), float("-inf")) else number


def _hex(raw: bytes, offset: int) -> str:
    return raw[offset : offset + 4].hex(" ")
