"""Whether an interface fits its licence type: the items it fills are declared there, and what it states itself passes the rules.

An interface that takes the type of each record from its data (``fields.licence_type``) is not judged: any type may be meant.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from contracts.dates import LONG_TERM
from contracts.declare import suggest
from contracts.fault import Disposition, Fault, Rule, pointer
from contracts.interface import FieldMapping, Interface
from contracts.licence_type import LicenceType
from contracts.mapping.values import ITEM_PREFIX, literal, literals
from contracts.record import Holder, LicenceRecord
from core.cleaning import Cleaner
from core.cleaning.catalogue import ITEM_FIELD, ITEM_UNDECLARED, MISSING
from core.cleaning.fields import path_of

UNKNOWN_ITEM = Rule(
    code="registration.unknown-item",
    en="licence type {type} declares no item {name}",
    zh="证照类型 {type} 未声明项目 {name}",
    remedy_en="Declare the item in the licence type, or name another. {suggestion}",
    remedy_zh="请在证照类型中声明该项目，或改用其他项目。{suggestion_zh}",
)
NOT_A_LIST = Rule(
    code="registration.not-a-list",
    en="rows are gathered into {name}, which is a {kind} and no list",
    zh="各行汇集到 {name}，而该项目是 {kind}，不是列表",
    remedy_en='Declare the item in the licence type with kind = "list".',
    remedy_zh='请在证照类型中将该项目声明为 kind = "list"。',
)
UNKNOWN_FIELD = Rule(
    code="registration.unknown-item-field",
    en="the list {item} has no field {name}",
    zh="列表 {item} 没有字段 {name}",
    remedy_en="Declare the field in the licence type, or name another. {suggestion}",
    remedy_zh="请在证照类型中声明该字段，或改用其他字段。{suggestion_zh}",
)


def misfits(interface: Interface, licence_type: LicenceType) -> list[Fault]:
    """Everything in ``interface`` that its ``licence_type`` has no place for or would refuse; pointers lead into it."""
    if "licence_type" in interface.fields:
        return []
    faults = [*_group_faults(interface, licence_type)]
    # comparisons are left out: they need the whole record
    cleaner = Cleaner(msgspec.structs.replace(licence_type, cross_rules=()))
    for target, mappings in interface.fields.items():
        place = pointer("fields", target)
        item = target.removeprefix(ITEM_PREFIX) if target.startswith(ITEM_PREFIX) else None
        if item is not None and item not in licence_type.items:
            faults += _unknown_item(item, place, licence_type)
            continue
        several = not isinstance(mappings, FieldMapping)
        for index, mapping in enumerate([mappings] if isinstance(mappings, FieldMapping) else mappings):
            where = place + pointer(index) if several else place
            faults += _literal_faults(target, mapping, where, cleaner, licence_type.code)
    return faults


def _group_faults(interface: Interface, licence_type: LicenceType) -> Iterator[Fault]:
    group = interface.group
    if group is None:
        return
    spec = licence_type.items.get(group.item)
    if spec is None:
        yield from _unknown_item(group.item, "/group/item", licence_type)
        return
    if spec.kind != "list":
        yield NOT_A_LIST.at("/group/item", group.item, name=group.item, kind=spec.kind)
    if not spec.fields or _allows(licence_type, ITEM_FIELD):
        return
    for name in group.fields:
        if name not in spec.fields:
            near, near_zh = suggest(name, list(spec.fields))
            told = {"item": group.item, "name": name, "suggestion": near, "suggestion_zh": near_zh}
            yield UNKNOWN_FIELD.at(pointer("group", "fields", name), name, **told)


def _unknown_item(name: str, place: str, licence_type: LicenceType) -> Iterator[Fault]:
    if not _allows(licence_type, ITEM_UNDECLARED):
        near, near_zh = suggest(name, list(licence_type.items))
        told = {"type": licence_type.code, "name": name, "suggestion": near, "suggestion_zh": near_zh}
        yield UNKNOWN_ITEM.at(place, name, **told)


def _allows(licence_type: LicenceType, rule: Rule) -> bool:
    """Whether the type says in so many words that findings of ``rule`` keep no record back."""
    override = licence_type.rules.get(rule.code)
    return override is not None and override.disposition in ("warn", "off")


def _literal_faults(
    target: str, mapping: FieldMapping, place: str, cleaner: Cleaner, type_code: str
) -> Iterator[Fault]:
    """Values of the declaration itself that the type's rules would hold back in every record that gets them."""
    for steps, given in literals(mapping):
        value = literal(target, mapping, given)
        if value in (None, "") or value is LONG_TERM:
            continue
        record = _saying(target, value, type_code)
        for fault in cleaner.clean(record, today=date.max).faults:  # no date lies after that day
            held_back = fault.disposition is not Disposition.WARN and fault.rule != MISSING.code
            if held_back and path_of(fault.pointer) == target:
                yield msgspec.structs.replace(fault, pointer=place + pointer(*steps))


def _saying(target: str, value: Any, type_code: str) -> LicenceRecord:
    """A record that says nothing but ``value``."""
    scope, _, name = target.rpartition(".")
    if scope == "holder":
        return LicenceRecord(licence_type=type_code, holders=(Holder(**{name: value}),))
    if scope:
        return LicenceRecord(licence_type=type_code, items={name: value})
    return LicenceRecord(**{"licence_type": type_code, target: value})
