"""Declared comparisons between fields: a closed list of operators, compiled to closures.

A comparison with nothing on one side says nothing: it neither fails nor lets a ``when`` hold. That something must be there is
said by ``present``.
"""

from collections.abc import Callable, Mapping
from datetime import date
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from contracts.dates import parse_date
from contracts.fault import Fault, Rule, masked
from contracts.licence_type import CrossRule, LicenceType
from contracts.record import LicenceRecord
from core.cleaning.fields import Field, Kind, find_field
from core.cleaning.findings import Check, is_personal
from core.cleaning.item_checks import KINDS_ZH, as_number

Holds = Callable[[LicenceRecord], bool | None]
"""Whether a comparison holds; None when one side is absent."""

ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {"=": eq, "!=": ne, **ORDERINGS}
MEMBERSHIPS = ("in", "not-in")


class Incomparable(ValueError):
    """The rule compares what cannot be compared; the texts say why."""

    def __init__(self, why: str, why_zh: str) -> None:
        super().__init__(why)
        self.why_zh = why_zh


def cross_check(rule: CrossRule, licence_type: LicenceType) -> Check:
    """The check of one declared comparison; raises ``Incomparable``."""
    holds = _holds(rule, licence_type)
    conditions = [_holds(condition, licence_type) for condition in rule.when]
    field = _field(rule.left, licence_type)
    texts = _rule(rule)

    def check(record: LicenceRecord, _today: date, found: list[Fault]) -> None:
        if all(condition(record) for condition in conditions) and holds(record) is False:
            found.append(texts.at(field.pointer, _shown(field, record)))

    return check


def _rule(rule: CrossRule) -> Rule:
    """The texts of a declared rule; where it brings none, the comparison itself is the text."""
    stated = f"{rule.left} {rule.op} {rule.right or ('' if rule.value is None else rule.value)}".strip()
    message, remedy = rule.message, rule.remedy
    return Rule(
        code=rule.code,
        en=_literal(message.get("en") or f"the record breaks a rule of its type: {stated}"),
        zh=_literal(message.get("zh-CN") or f"记录不符合证照类型规则：{stated}"),
        remedy_en=_literal(remedy.get("en") or "compare both values with the licence"),
        remedy_zh=_literal(remedy.get("zh-CN") or "请与证照核对相关值"),
        disposition=rule.disposition,
    )


def _literal(text: str) -> str:
    """``text`` as a template that means itself."""
    return text.replace("{", "{{").replace("}", "}}")


def _shown(field: Field, record: LicenceRecord) -> object:
    value = field.read(record)
    if value is None or value == "":
        return None
    if field.path.startswith("holder."):
        return masked(str(value)) if field.personal and is_personal(record.holders[0]) else value
    return masked(str(value)) if field.personal else value


def _holds(rule: CrossRule, licence_type: LicenceType) -> Holds:
    left = _field(rule.left, licence_type)
    read = _reader(left)
    if rule.op == "present":
        return lambda record: _is_there(read(record))
    if rule.op == "absent":
        return lambda record: not _is_there(read(record))
    if rule.op in MEMBERSHIPS:
        return _membership(rule, left)
    compare = COMPARISONS[rule.op]
    if rule.op in ORDERINGS and left.kind in ("flag", "list"):
        raise Incomparable(
            f"{rule.left} is a {left.kind} and has no order",
            f"{rule.left}是{KINDS_ZH[left.kind]}，没有大小之分",
        )
    return _comparison(compare, read, _right_reader(rule, left, licence_type))


def _comparison(
    compare: Callable[[Any, Any], bool],
    left: Callable[[LicenceRecord], Any],
    right: Callable[[LicenceRecord], Any],
) -> Holds:
    def holds(record: LicenceRecord) -> bool | None:
        a, b = left(record), right(record)
        return compare(a, b) if _is_there(a) and _is_there(b) else None

    return holds


def _membership(rule: CrossRule, left: Field) -> Holds:
    if not isinstance(rule.value, list | tuple) or not rule.value:
        raise Incomparable(f"{rule.op} needs a list as its value", f"{rule.op}的value须为列表")
    members = [_constant(value, left.kind) for value in rule.value]
    read, wanted = _reader(left), rule.op == "in"

    def holds(record: LicenceRecord) -> bool | None:
        value = read(record)
        return (value in members) is wanted if _is_there(value) else None

    return holds


def _right_reader(rule: CrossRule, left: Field, licence_type: LicenceType) -> Callable[[LicenceRecord], Any]:
    if (rule.value is None) == (not rule.right):
        raise Incomparable("a comparison needs either right or value", "right和value必须且只能给出一个")
    if rule.value is not None:
        constant = _constant(rule.value, left.kind)
        return lambda _record: constant
    right = _field(rule.right, licence_type)
    if right.kind != left.kind:
        raise Incomparable(
            f"{rule.left} is a {left.kind} and {rule.right} is a {right.kind}",
            f"{rule.left}是{KINDS_ZH[left.kind]}，而{rule.right}是{KINDS_ZH[right.kind]}",
        )
    return _reader(right)


def _field(path: str, licence_type: LicenceType) -> Field:
    field = find_field(path, licence_type)
    if field is None:
        raise Incomparable(f"this type has no field {path}", f"该证照类型没有字段{path}")
    return field


def _reader(field: Field) -> Callable[[LicenceRecord], Any]:
    """Reads a field as a value of its kind; None where it holds none."""
    read = field.read
    if field.kind == "number":
        return lambda record: as_number(read(record))
    if field.kind == "date":
        return lambda record: _as_date(read(record))
    return read


def _constant(value: Any, kind: Kind) -> Any:
    made = {"number": as_number, "date": _as_date}.get(kind, lambda same: same)(value)
    wanted = {"text": str, "flag": bool}.get(kind)
    if made is None or (wanted is not None and not isinstance(made, wanted)):
        raise Incomparable(f"{value!r} is no {kind}", f"{value!r}不是{KINDS_ZH[kind]}")
    return made


def _as_date(value: object) -> date | None:
    if type(value) is date:
        return value
    day = parse_date(value) if isinstance(value, str | date) else None
    return day if isinstance(day, date) else None


def _is_there(value: object) -> bool:
    return value is not None and value not in ("", [], {})
