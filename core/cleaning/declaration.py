"""Judges the rules of a licence type before they are compiled: every fault of the declaration at once."""

import re
from collections.abc import Iterator

from contracts.checks import uscc
from contracts.codes.holder import CODE_TYPES
from contracts.codes.table import CodeTable
from contracts.declare import pattern_reason_zh
from contracts.fault import Fault, Rule, pointer
from contracts.identifier import type_code_fault
from contracts.licence_type import CrossRule, ItemSpec, LicenceType
from core.cleaning.catalogue import CATALOGUE, FIXED
from core.cleaning.cross_checks import Incomparable, cross_check
from core.cleaning.fields import find_field
from core.cleaning.patterns import CostlyPattern, compile_pattern

UNKNOWN_FIELD = Rule(
    code="declaration.unknown-field",
    en="this type has no field {path}",
    zh="该证照类型没有字段{path}",
    remedy_en="use a canonical field (issued_on, holder.code …) or items.<code> of a declared item",
    remedy_zh="请使用规范字段（issued_on、holder.code等）或已声明项目items.<代码>",
)
UNKNOWN_RULE = Rule(
    code="declaration.unknown-rule",
    en="there is no rule {code}",
    zh="不存在规则{code}",
    remedy_en="use the code of a built-in rule: {close}",
    remedy_zh="请使用内置规则的代码：{close}",
)
FIXED_RULE = Rule(
    code="declaration.fixed-rule",
    en="the rule {code} cannot be changed: such a record cannot be stored",
    zh="规则{code}不能更改：此类记录无法存储",
    remedy_en="remove the override",
    remedy_zh="请去掉该设置",
)
REASON_MISSING = Rule(
    code="declaration.reason-missing",
    en="the rule {code} is switched off without a reason",
    zh="关闭规则{code}时未说明理由",
    remedy_en='add reason = "…"',
    remedy_zh="请填写reason（理由）",
)
DUPLICATE_RULE = Rule(
    code="declaration.duplicate-rule",
    en="the rule code {code} is taken",
    zh="规则代码{code}已被使用",
    remedy_en="give the rule a code of its own, such as type.what-it-says",
    remedy_zh="请为该规则使用独有的代码",
)
INCOMPARABLE = Rule(
    code="declaration.incomparable",
    en="the comparison makes no sense: {why}",
    zh="比较无意义：{why_zh}",
    remedy_en="compare fields of one kind, or a field with a constant of its kind",
    remedy_zh="请比较同类字段，或将字段与同类常量比较",
)
PATTERN_SYNTAX = Rule(
    code="declaration.pattern-syntax",
    en="the pattern is not a regular expression: {why}",
    zh="不是有效的正则表达式：{why_zh}",
    remedy_en="correct the pattern",
    remedy_zh="请更正表达式",
)
PATTERN_COSTLY = Rule(
    code="declaration.pattern-costly",
    en="the pattern could take very long on some texts: {why}",
    zh="该表达式对某些文本可能耗时过长：{why_zh}",
    remedy_en="avoid repeats within repeats; write bounds such as {{1,4}} instead of + and *",
    remedy_zh="请避免嵌套重复，用{{1,4}}等上限代替+和*",
)
CODE_TABLE = Rule(
    code="declaration.code-table",
    en="the code table gives one text to two codes: {why}",
    zh="代码表中同一文本对应两个代码",
    remedy_en="give every code a text of its own",
    remedy_zh="请为每个代码使用不同的文本",
)
RANGE_EMPTY = Rule(
    code="declaration.range-empty",
    en="the minimum lies above the maximum",
    zh="最小值大于最大值",
    remedy_en="correct the bounds",
    remedy_zh="请更正范围",
)
KIND_OPTION = Rule(
    code="declaration.kind-option",
    en="{option} means nothing for an item of the kind {kind}",
    zh="{option}不适用于{kind}类项目",
    remedy_en="use codes and pattern with text, minimum and maximum with number, fields with list",
    remedy_zh="codes和pattern用于text，minimum和maximum用于number，fields用于list",
)
HOLDER_CODE_TYPE = Rule(
    code="declaration.holder-code-type",
    en="{code} is not in annex A of GB/T 36903",
    zh="{code}不在GB/T 36903附录A中",
    remedy_en="use a three-digit code of the table",
    remedy_zh="请使用代码表中的3位代码",
)
RULES = tuple(rule for rule in list(vars().values()) if isinstance(rule, Rule))

_OPTION_KINDS = {
    "codes": "text",
    "pattern": "text",
    "minimum": "number",
    "maximum": "number",
    "fields": "list",
}
_UNSET: tuple[object, ...] = ("", None, {})


def declaration_faults(licence_type: LicenceType) -> list[Fault]:
    """Everything wrong with the rules that ``licence_type`` declares; pointers lead into the declaration."""
    code_fault = type_code_fault(licence_type.code, "/code")
    return [
        *([code_fault] if code_fault else []),
        *_required_faults(licence_type),
        *_override_faults(licence_type),
        *_cross_faults(licence_type),
        *_issuer_faults(licence_type),
        *_pattern_faults(licence_type.number_pattern, "/number_pattern"),
        *(fault for code, spec in licence_type.items.items() for fault in _item_faults(code, spec)),
    ]


def _required_faults(licence_type: LicenceType) -> Iterator[Fault]:
    for index, path in enumerate(licence_type.required):
        if find_field(path, licence_type) is None:
            yield UNKNOWN_FIELD.at(pointer("required", index), path, path=path)


def _override_faults(licence_type: LicenceType) -> Iterator[Fault]:
    for code, override in licence_type.rules.items():
        at = pointer("rules", code)
        if code not in CATALOGUE:
            yield UNKNOWN_RULE.at(at, code=code, close=", ".join(_close(code)))
        elif code in FIXED:
            yield FIXED_RULE.at(at, code=code)
        elif override.disposition == "off" and not override.reason.strip():
            yield REASON_MISSING.at(at, code=code)


def _close(code: str) -> list[str]:
    """Rule codes that begin like ``code``, or all."""
    family = code.partition(".")[0]
    return [known for known in CATALOGUE if known.startswith(family + ".")] or list(CATALOGUE)


def _cross_faults(licence_type: LicenceType) -> Iterator[Fault]:
    taken = set(CATALOGUE)
    for index, rule in enumerate(licence_type.cross_rules):
        at = pointer("cross_rules", index)
        if rule.code in taken:
            yield DUPLICATE_RULE.at(at, rule.code, code=rule.code)
        taken.add(rule.code)
        yield from _comparison_faults(rule, licence_type, at)


def _comparison_faults(rule: CrossRule, licence_type: LicenceType, at: str) -> Iterator[Fault]:
    try:
        cross_check(rule, licence_type)
    except Incomparable as error:
        yield INCOMPARABLE.at(at, why=error, why_zh=error.why_zh)


def _issuer_faults(licence_type: LicenceType) -> Iterator[Fault]:
    for index, issuer in enumerate(licence_type.issuers):
        if fault := uscc.fault(issuer.code, pointer("issuers", index, "code")):
            yield fault
    for index, code in enumerate(licence_type.holder_code_types):
        if code not in CODE_TYPES:
            yield HOLDER_CODE_TYPE.at(pointer("holder_code_types", index), code, code=code)


def _pattern_faults(pattern: str, at: str) -> Iterator[Fault]:
    try:
        compile_pattern(pattern)
    except re.error as error:
        yield PATTERN_SYNTAX.at(at, pattern, why=error, why_zh=pattern_reason_zh(error))
    except CostlyPattern as error:
        yield PATTERN_COSTLY.at(at, pattern, why=error, why_zh=error.why_zh)


def _item_faults(code: str, spec: ItemSpec) -> Iterator[Fault]:
    yield from _pattern_faults(spec.pattern, pointer("items", code, "pattern"))
    for option, kind in _OPTION_KINDS.items():
        if spec.kind != kind and getattr(spec, option) not in _UNSET:
            yield KIND_OPTION.at(pointer("items", code, option), option=option, kind=spec.kind)
    if spec.minimum is not None and spec.maximum is not None and spec.minimum > spec.maximum:
        yield RANGE_EMPTY.at(pointer("items", code, "minimum"), spec.minimum)
    try:
        CodeTable(code, spec.codes)
    except ValueError as error:
        yield CODE_TABLE.at(pointer("items", code, "codes"), why=error)
