"""Declarations (TOML or JSON) into their types, with every fault at once, each at its place.

The JSON Schema of the type finds all faults of shape; ``msgspec`` then builds the value.
"""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import jsonschema_rs
import msgspec

from contracts.fault import Fault, Rule, pointer

T = TypeVar("T", bound=msgspec.Struct)

SECRET_NAMES = frozenset({"secret", "master", "password", "token", "url"})
"""Settings whose value is never shown in a fault: somebody may have written a secret there."""

SYNTAX = Rule(
    code="declaration.syntax",
    en="not valid TOML: {detail}",
    zh="不是有效的 TOML：{detail}",
    remedy_en="Correct the file at the place named.",
    remedy_zh="请更正文件中指出的位置。",
)
UNKNOWN = Rule(
    code="declaration.unknown-key",
    en="unknown setting {name!r}",
    zh="未知的设置项 {name!r}",
    remedy_en="{suggestion}",
    remedy_zh="{suggestion_zh}",
)
MISSING = Rule(
    code="declaration.missing-key",
    en="setting {name!r} is missing",
    zh="缺少设置项 {name!r}",
    remedy_en="Add it.",
    remedy_zh="请补上该项。",
)
TYPE = Rule(
    code="declaration.type",
    en="must be {expected}",
    zh="类型应为 {expected}",
    remedy_en="Write a value of that type.",
    remedy_zh="请写成该类型的值。",
)
CHOICE = Rule(
    code="declaration.choice",
    en="must be one of {options}",
    zh="只能取 {options} 之一",
    remedy_en="{suggestion}",
    remedy_zh="{suggestion_zh}",
)
SHAPE = Rule(
    code="declaration.value",
    en="must satisfy {constraint}",
    zh="必须满足 {constraint}",
    remedy_en="See the reference of this setting.",
    remedy_zh="请参阅该设置项的参考文档。",
)


class DeclarationError(ValueError):
    """A declaration refused; ``faults`` lists every place."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in faults))
        self.faults = list(faults)


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML document; raises ``DeclarationError`` naming line and column."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError([SYNTAX.at("", detail=str(error))]) from error


def load_declaration(kind: type[T], data: Mapping[str, Any]) -> T:
    """``data`` as a ``kind``; raises ``DeclarationError`` with every fault at once."""
    if faults := [fault for error in _validator(kind).iter_errors(data) for fault in _faults(kind, error)]:
        raise DeclarationError(faults)
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise DeclarationError([SHAPE.at("", constraint=str(error))]) from error


@cache
def _schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return msgspec.json.schema(kind)


@cache
def _validator(kind: type[msgspec.Struct]) -> Any:
    return jsonschema_rs.validator_for(_schema(kind))


def _faults(kind: type[msgspec.Struct], error: jsonschema_rs.ValidationError) -> list[Fault]:
    """The findings of one schema error: unknown keys are reported one by one."""
    path: list[str | int] = list(error.instance_path)
    detail: dict[str, Any] = error.kind.as_dict()
    match error.kind.name:
        case "additionalProperties":
            known = _known_names(_schema(kind), list(error.schema_path))
            return [_unknown([*path, name], name, known) for name in detail["unexpected"]]
        case "required":
            return [MISSING.at(pointer(*path, detail["property"]), name=detail["property"])]
        case "type":
            return [
                TYPE.at(pointer(*path), _seen(path, error.instance), expected=" or ".join(detail["types"]))
            ]
        case "enum":
            return [_choice(path, error.instance, detail["options"])]
        case "anyOf":
            return _alternatives(kind, error)
        case name:
            constraint = f"{name} {' '.join(str(part) for part in detail.values())}".strip()
            return [SHAPE.at(pointer(*path), _seen(path, error.instance), constraint=constraint)]


def _alternatives(kind: type[msgspec.Struct], error: jsonschema_rs.ValidationError) -> list[Fault]:
    """The findings of the alternative that was meant: the one whose outer type is right; else all the types there are."""
    path: list[str | int] = list(error.instance_path)
    context: list[list[jsonschema_rs.ValidationError]] = error.kind.as_dict()["context"]
    outer = [
        [e for e in errors if e.kind.name == "type" and list(e.instance_path) == path] for errors in context
    ]
    meant = [errors for errors, mismatched in zip(context, outer, strict=True) if not mismatched]
    if meant:
        return [fault for found in min(meant, key=len) for fault in _faults(kind, found)]
    types = [name for errors in outer for found in errors for name in found.kind.as_dict()["types"]]
    return [TYPE.at(pointer(*path), _seen(path, error.instance), expected=" or ".join(dict.fromkeys(types)))]


def _unknown(path: list[str | int], name: str, known: list[str]) -> Fault:
    suggestion, suggestion_zh = _suggest(name, known)
    return UNKNOWN.at(pointer(*path), name=name, suggestion=suggestion, suggestion_zh=suggestion_zh)


def _choice(path: list[str | int], seen: Any, options: list[Any]) -> Fault:
    suggestion, suggestion_zh = _suggest(str(seen), [str(option) for option in options])
    return CHOICE.at(
        pointer(*path),
        _seen(path, seen),
        options=", ".join(repr(option) for option in options),
        suggestion=suggestion,
        suggestion_zh=suggestion_zh,
    )


def _seen(path: list[str | int], value: Any) -> Any:
    return None if path and path[-1] in SECRET_NAMES else value


def _suggest(name: str, known: list[str]) -> tuple[str, str]:
    """``Did you mean …?`` in both languages, or the names there are."""
    if near := difflib.get_close_matches(name, known, n=1, cutoff=0.6):
        return f"Did you mean {near[0]!r}?", f"是否应为 {near[0]!r}？"
    names = ", ".join(sorted(known))
    return f"Known here: {names}.", f"此处可用：{names}。"


def _known_names(schema: dict[str, Any], schema_path: list[Any]) -> list[str]:
    place: Any = schema
    for part in schema_path[:-1]:
        place = place[part]
    return list(place.get("properties", {}))
