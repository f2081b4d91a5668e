"""Declarations (TOML or JSON) into their types, with every fault at once, each at its place.

The JSON Schema of the type finds all faults of shape; ``msgspec`` then builds the value.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
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
    zh="不是有效的 TOML：{detail_zh}",
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
    zh="应为{expected_zh}",
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
    en="must be {constraint}",
    zh="应{constraint_zh}",
    remedy_en="See the reference of this setting.",
    remedy_zh="请参阅该设置项的参考文档。",
)
UNQUOTED = Rule(
    code="declaration.unquoted-date",
    en="a date or time is written as a text here",
    zh="此处的日期或时间应写成文本",
    remedy_en="Put it in quotation marks.",
    remedy_zh="请加上引号。",
)

_TYPES = {
    "string": ("a text", "文本"),
    "integer": ("a whole number", "整数"),
    "number": ("a number", "数字"),
    "boolean": ("true or false", "true 或 false"),
    "object": ("a table", "表"),
    "array": ("a list", "列表"),
}
"""JSON Schema type -> what people call it."""
_CONSTRAINTS = {
    "minimum": ("at least {limit}", "不小于 {limit}"),
    "maximum": ("at most {limit}", "不大于 {limit}"),
    "exclusiveMinimum": ("more than {limit}", "大于 {limit}"),
    "exclusiveMaximum": ("less than {limit}", "小于 {limit}"),
    "minLength": ("at least {limit} characters long", "至少有 {limit} 个字符"),
    "maxLength": ("at most {limit} characters long", "最多有 {limit} 个字符"),
    "minItems": ("a list of at least {limit}", "至少有 {limit} 项"),
    "maxItems": ("a list of at most {limit}", "最多有 {limit} 项"),
    "format": ("a {format} that exists (YYYY-MM-DD)", "为真实存在的日期（YYYY-MM-DD）"),
    "pattern": ("of the form {pattern}", "符合格式 {pattern}"),
}
"""JSON Schema keyword -> what it asks for."""
DESCRIPTION, DESCRIPTION_ZH = "description", "description-zh-CN"
"""Schema keys that say in words what a ``pattern`` asks for: see ``described``."""


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
        place = re.search(r"line ([0-9]+), column ([0-9]+)", str(error))
        detail_zh = f"第{place[1]}行第{place[2]}列有误" if place else "文件不完整"
        raise DeclarationError([SYNTAX.at("", detail=str(error), detail_zh=detail_zh)]) from error


def load_declaration(kind: type[T], data: Mapping[str, Any]) -> T:
    """``data`` as a ``kind``; raises ``DeclarationError`` with every fault at once."""
    if faults := value_faults(kind, data):
        raise DeclarationError(faults)
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise DeclarationError([_unfit("", None, str(error), "符合该项的要求")]) from error


def value_faults(kind: Any, value: Any) -> list[Fault]:
    """Every fault of shape that keeps ``value`` from being a ``kind`` (a type that msgspec knows), each at its place in it."""
    undated = msgspec.to_builtins(value)
    errors = _validator(kind).iter_errors(undated)
    return [*_unquoted([], value), *(fault for error in errors for fault in _faults(kind, error))]


def described(pattern: str, en: str, zh: str, *, longest: int | None = None) -> msgspec.Meta:
    """The constraint of a text to ``pattern``, which a fault then tells in words instead."""
    return msgspec.Meta(
        pattern=pattern, max_length=longest, description=en, extra_json_schema={DESCRIPTION_ZH: zh}
    )


def pattern_reason_zh(error: re.error) -> str:
    """Where a regular expression goes wrong, in Chinese: the library says it in English only."""
    return "写法有误" if error.pos is None else f"第{error.pos + 1}个字符处有误"


def _unquoted(path: list[str | int], value: object) -> Iterator[Fault]:
    """Dates that TOML knows and JSON does not."""
    if isinstance(value, date | time):
        yield UNQUOTED.at(pointer(*path), _seen(path, value))
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, inner in entries:
        yield from _unquoted([*path, step], inner)


@cache
def _schema(kind: Any) -> dict[str, Any]:
    return msgspec.json.schema(kind)


@cache
def _validator(kind: Any) -> Any:
    return jsonschema_rs.validator_for(_schema(kind), validate_formats=True)


def _faults(kind: Any, error: jsonschema_rs.ValidationError) -> list[Fault]:
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
            return [_mistyped(path, error.instance, detail["types"])]
        case "enum":
            return [_choice(path, error.instance, detail["options"])]
        case "anyOf":
            return _alternatives(kind, error)
        case name:
            en, zh = (text.format(**detail) for text in _CONSTRAINTS.get(name, (name, f"满足 {name}")))
            words = _place_in(_schema(kind), list(error.schema_path)) if name == "pattern" else {}
            at, seen = pointer(*path), _seen(path, error.instance)
            return [_unfit(at, seen, words.get(DESCRIPTION, en), words.get(DESCRIPTION_ZH, zh))]


def _unfit(at: str, value: object, en: str, zh: str) -> Fault:
    return SHAPE.at(at, value, constraint=en, constraint_zh=zh)


def _mistyped(path: list[str | int], seen: object, types: Sequence[str]) -> Fault:
    words = [_TYPES[name] for name in dict.fromkeys(types) if name in _TYPES]
    expected, expected_zh = (
        sep.join(texts) for sep, texts in zip((" or ", "或"), zip(*words, strict=True), strict=True)
    )
    return TYPE.at(pointer(*path), _seen(path, seen), expected=expected, expected_zh=expected_zh)


def _alternatives(kind: Any, error: jsonschema_rs.ValidationError) -> list[Fault]:
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
    return [_mistyped(path, error.instance, types)]


def _unknown(path: list[str | int], name: str, known: list[str]) -> Fault:
    suggestion, suggestion_zh = suggest(name, known)
    return UNKNOWN.at(pointer(*path), name=name, suggestion=suggestion, suggestion_zh=suggestion_zh)


def _choice(path: list[str | int], seen: Any, options: list[Any]) -> Fault:
    suggestion, suggestion_zh = suggest(str(seen), [str(option) for option in options])
    return CHOICE.at(
        pointer(*path),
        _seen(path, seen),
        options=", ".join(repr(option) for option in options),
        suggestion=suggestion,
        suggestion_zh=suggestion_zh,
    )


def _seen(path: list[str | int], value: Any) -> Any:
    return None if path and path[-1] in SECRET_NAMES else value


def suggest(name: str, known: Sequence[str]) -> tuple[str, str]:
    """``Did you mean …?`` in both languages, or the names there are."""
    if near := difflib.get_close_matches(name, known, n=1, cutoff=0.6):
        return f"Did you mean {near[0]!r}?", f"是否应为 {near[0]!r}？"
    if not known:
        return "There are none here.", "此处没有可用的名称。"
    names = ", ".join(sorted(known))
    return f"Known here: {names}.", f"此处可用：{names}。"


def _known_names(schema: dict[str, Any], schema_path: list[Any]) -> list[str]:
    return list(_place_in(schema, schema_path).get("properties", {}))


def _place_in(schema: dict[str, Any], schema_path: list[Any]) -> Any:
    """The part of a schema whose keyword ``schema_path`` names."""
    place: Any = schema
    for part in schema_path[:-1]:
        place = place[part]
    return place
