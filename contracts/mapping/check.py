"""What is wrong with an interface beyond the shape of its declaration: every fault at once, each at its place."""

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from contracts import dates
from contracts.declare import pattern_reason_zh
from contracts.fault import Fault, Rule, pointer
from contracts.interface import Condition, FieldMapping, Filter, Interface, Source
from contracts.mapping.conditions import LIST_OPERATORS, NO_VALUE_OPERATORS
from contracts.mapping.places import ANY_FIELD, columns_of, normalise_column, place_of
from contracts.mapping.rules import MAPPING_RULES, RESERVED_FIELD
from contracts.mapping.takes import placeholders
from contracts.mapping.translator import places_read
from contracts.mapping.values import (
    CANONICAL_FIELDS,
    HOLDER_FIELDS,
    ITEM_PREFIX,
    UnfitLiteral,
    kind_of,
    literal,
    literals,
)

_FIX = "correct the declaration"
_FIX_ZH = "请更正接口声明"


def _rule(code: str, en: str, zh: str) -> Rule:
    return Rule(code=f"interface.{code}", en=en, zh=zh, remedy_en=_FIX, remedy_zh=_FIX_ZH)


UNKNOWN_TARGET = _rule(
    "unknown-field",
    "there is no canonical field {name!r}; there are: {known}",
    "没有规范字段{name!r}；可用：{known}",
)
NO_ORIGIN = _rule(
    "no-origin",
    "give exactly one of source, template and constant",
    "source、template、constant 必须且只能给出一个",
)
UNKNOWN_COLUMN = _rule("unknown-column", "column {name!r} is not declared", "列{name!r}未声明")
BAD_PATTERN = _rule("bad-pattern", "this is no regular expression: {reason}", "正则表达式无效：{reason_zh}")
BAD_VALUE = _rule("bad-value", "{reason}", "取值无效：{reason_zh}")
WRONG_KIND = _rule(
    "wrong-kind", "{name} has a kind of its own: leave kind out", "{name}有固定的类型，请勿声明 kind"
)
TWICE = _rule("name-twice", "the name {name!r} occurs twice", "名称{name!r}重复")
NO_DROP = _rule("no-drop", "protocol file needs a [drop] table", "protocol 为 file 时必须有 [drop]")
NOT_HERE = _rule("not-here", "{reason}", "{reason_zh}")

INTERFACE_RULES = (
    UNKNOWN_TARGET,
    NO_ORIGIN,
    UNKNOWN_COLUMN,
    BAD_PATTERN,
    BAD_VALUE,
    WRONG_KIND,
    TWICE,
    NO_DROP,
    NOT_HERE,
)
"""Every rule about declarations, for documents and tests."""


_OWN_RULES = frozenset(rule.code for rule in (*MAPPING_RULES, *dates.RULES)) - {RESERVED_FIELD.code}
_OWN_PREFIXES = frozenset(code.partition(".")[0] for code in _OWN_RULES)


def interface_faults(interface: Interface) -> list[Fault]:
    """Faults of meaning; empty means that ``compile_interface`` takes it."""
    return [
        *_field_faults(interface),
        *_filter_faults(interface.filters, "filters"),
        *_filter_faults(interface.source.skip, "source", "skip"),
        *_order_faults(interface),
        *_source_faults(interface),
        *_column_faults(interface),
        *_rest_faults(interface),
    ]


def _field_faults(interface: Interface) -> Iterator[Fault]:
    for target, mappings in interface.fields.items():
        if target not in CANONICAL_FIELDS and not re.fullmatch(r"items\.[A-Za-z][A-Za-z0-9_]*", target):
            known = ", ".join((*CANONICAL_FIELDS, "items.<CODE>"))
            yield UNKNOWN_TARGET.at(pointer("fields", target), name=target, known=known)
            continue
        if isinstance(mappings, FieldMapping):
            yield from _mapping_faults(target, mappings, "fields", target)
            continue
        for index, mapping in enumerate(mappings):
            yield from _mapping_faults(target, mapping, "fields", target, index)


def _mapping_faults(target: str, mapping: FieldMapping, *place: str | int) -> Iterator[Fault]:
    origins = [bool(mapping.source), bool(mapping.template), mapping.constant is not None]
    if sum(origins) != 1:
        yield NO_ORIGIN.at(pointer(*place))
    if mapping.kind and target in CANONICAL_FIELDS:
        yield WRONG_KIND.at(pointer(*place, "kind"), name=target)
    if mapping.split and target not in HOLDER_FIELDS:
        yield BAD_VALUE.at(
            pointer(*place, "split"),
            mapping.split,
            reason="only holders come several in one field",
            reason_zh="只有持证主体可以在一个字段中有多个",
        )
    if mapping.codes_default is not None and not mapping.codes:
        yield BAD_VALUE.at(
            pointer(*place, "codes_default"),
            mapping.codes_default,
            reason="codes_default means nothing without codes",
            reason_zh="没有codes时，codes_default不起作用",
        )
    yield from _template_faults(mapping, *place)
    yield from _condition_faults(mapping.when, *place, "when")
    yield from _literal_faults(target, mapping, *place)


def _template_faults(mapping: FieldMapping, *place: str | int) -> Iterator[Fault]:
    try:
        found = placeholders(mapping.template)
    except ValueError as error:
        at, reason_zh = pointer(*place, "template"), "花括号不成对"
        yield BAD_VALUE.at(at, mapping.template, reason=str(error), reason_zh=reason_zh)
        return
    if mapping.template and not any(column for _literal, column in found):
        yield BAD_VALUE.at(
            pointer(*place, "template"),
            mapping.template,
            reason="no {column} in it: use constant",
            reason_zh="其中没有{列名}，请改用constant",
        )


def _literal_faults(target: str, mapping: FieldMapping, *place: str | int) -> Iterator[Fault]:
    for steps, value in literals(mapping):
        try:
            literal(target, mapping, value)
        except UnfitLiteral as error:
            told = {"reason": error.fault.message, "reason_zh": error.fault.message_zh}
            yield BAD_VALUE.at(pointer(*place, *steps), value, **told)
        else:
            if (
                isinstance(value, (int, float, list, dict))
                and target in CANONICAL_FIELDS
                and target != "long_term"
            ):
                yield BAD_VALUE.at(
                    pointer(*place, *steps), value, reason="write it as a text", reason_zh="请写成文本"
                )


def _filter_faults(filters: Sequence[Filter], *place: str) -> Iterator[Fault]:
    names = Counter(filter_.name for filter_ in filters)
    yield from (TWICE.at(pointer(*place), name=name) for name, count in names.items() if count > 1)
    for index, filter_ in enumerate(filters):
        if not filter_.when:
            yield BAD_VALUE.at(
                pointer(*place, index, "when"),
                reason="without a condition it would drop every row",
                reason_zh="没有条件会过滤掉所有行",
            )
        yield from _condition_faults(filter_.when, *place, index, "when")


def _condition_faults(conditions: Sequence[Condition], *place: str | int) -> Iterator[Fault]:
    for index, condition in enumerate(conditions):
        at = pointer(*place, index, "value")
        given = "no value" if condition.value is None else "one value"
        given = "a list" if isinstance(condition.value, list) else given
        if given != (taken := _taken(condition)):
            reason_zh = f"运算符{condition.op}{_TAKEN_ZH[taken]}"
            yield BAD_VALUE.at(
                at, condition.value, reason=f"{condition.op!r} takes {taken}", reason_zh=reason_zh
            )
        elif condition.op == "matches":
            yield from _pattern_faults(str(condition.value), at)


_TAKEN_ZH = {"no value": "不带值", "one value": "须带一个值", "a list": "须带一个列表"}


def _taken(condition: Condition) -> str:
    if condition.op in NO_VALUE_OPERATORS:
        return "no value"
    return "a list" if condition.op in LIST_OPERATORS else "one value"


def _pattern_faults(pattern: str, at: str) -> Iterator[Fault]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield BAD_PATTERN.at(at, pattern, reason=str(error), reason_zh=pattern_reason_zh(error))


def _order_faults(interface: Interface) -> Iterator[Fault]:
    for index, mapping in enumerate(interface.order.by):
        place = ("order", "by", index)
        if bool(mapping.source) is bool(mapping.template) or mapping.constant is not None:
            yield NO_ORIGIN.at(pointer(*place))
        if kind_of("", mapping) in ("flag", "any") or mapping.when or mapping.split:
            reason = "an order is a text, date, time or number without conditions"
            reason_zh = "排序依据须为不带条件的文本、日期、时间或数字"
            yield BAD_VALUE.at(pointer(*place), reason=reason, reason_zh=reason_zh)
        yield from _template_faults(mapping, *place)


def _source_faults(interface: Interface) -> Iterator[Fault]:
    source = interface.source
    if source.encoding:
        try:
            codecs.lookup(source.encoding)
        except LookupError as error:
            yield _bad_source("encoding", source, str(error), "没有这种字符编码")
    if len(source.delimiter) != 1 or source.delimiter in "\r\n\0":
        yield _bad_source("delimiter", source, "one character, no line break", "须为一个字符，且不是换行符")
    if len(source.quote) > 1 or source.quote == source.delimiter:
        reason = "one character, or none, other than the delimiter"
        yield _bad_source("quote", source, reason, "须为一个字符或留空，且不同于分隔符")
    if source.header_row < 1:
        yield _bad_source("header_row", source, "rows are counted from 1", "行号从1开始")
    if source.records and not source.records.startswith("/"):
        yield _bad_source("records", source, "a JSON pointer starts with /", "JSON指针须以/开头")
    names = Counter(normalise_column(column) for column in source.columns)
    yield from (TWICE.at("/source/columns", name=name) for name, count in names.items() if count > 1)


def _bad_source(setting: str, source: Source, reason: str, reason_zh: str) -> Fault:
    value = getattr(source, setting)
    return BAD_VALUE.at(pointer("source", setting), value, reason=reason, reason_zh=reason_zh)


def _column_faults(interface: Interface) -> Iterator[Fault]:
    """Columns read anywhere must be among the declared ones, when any are."""
    source = interface.source
    declared = {normalise_column(column) for column in source.columns}
    if not declared or any(True for _fault in _origin_faults(interface)):
        return
    conditions = [
        c for filter_ in (*interface.filters, *source.skip) for c in filter_.when if c.field != ANY_FIELD
    ]
    read = {*columns_of(places_read(interface)), *(place_of(c.field, source).column for c in conditions)}
    yield from (UNKNOWN_COLUMN.at("/source/columns", name=name) for name in sorted(read - declared))


def _origin_faults(interface: Interface) -> Iterator[Fault]:
    for fault in (*_field_faults(interface), *_order_faults(interface)):
        if fault.pointer.endswith("/template"):
            yield fault


def _rest_faults(interface: Interface) -> Iterator[Fault]:
    if interface.protocol == "file" and interface.drop is None:
        yield NO_DROP.at("/drop")
    if interface.protocol == "rest" and interface.source.format not in ("json", "ndjson"):
        yield NOT_HERE.at("/source/format", reason="a push is JSON", reason_zh="推送接口只接受JSON")
    if interface.clock:
        try:
            date.fromisoformat(interface.clock)
        except ValueError as error:
            reason_zh = "须为YYYY-MM-DD形式的真实日期"
            yield BAD_VALUE.at("/clock", interface.clock, reason=str(error), reason_zh=reason_zh)
    for index, code in enumerate(interface.quarantine_faults):
        if code.partition(".")[0] in _OWN_PREFIXES and code not in _OWN_RULES:
            at = pointer("quarantine_faults", index)
            yield BAD_VALUE.at(at, code, reason="there is no such rule", reason_zh="没有这条规则")
    if interface.group:
        yield from _group_faults(interface)


def _group_faults(interface: Interface) -> Iterator[Fault]:
    group = interface.group
    if group is None:
        return
    if interface.protocol == "rest":
        reason_zh = "推送的每条记录即为一个证照，不支持分组"
        yield NOT_HERE.at("/group", reason="a pushed record is a whole licence", reason_zh=reason_zh)
    if not group.by:
        reason, reason_zh = "name the fields that rows of one licence share", "请列出同一证照各行共有的字段"
        yield BAD_VALUE.at("/group/by", reason=reason, reason_zh=reason_zh)
    if ITEM_PREFIX + group.item in interface.fields:
        yield TWICE.at("/group/item", name=group.item)
    for name, mapping in group.fields.items():
        yield from _mapping_faults(ITEM_PREFIX + name, mapping, "group", "fields", name)
