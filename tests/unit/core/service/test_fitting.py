"""An interface is registered only when it fits its licence type."""

from typing import Any

import msgspec
import pytest

from chinese import english_in
from contracts.fault import Fault
from contracts.interface import Interface
from contracts.licence_type import LicenceType
from core.service.fitting import misfits

TYPE: dict[str, Any] = {
    "code": "11110000000000001R001",
    "name": {"zh-CN": "许可证"},
    "items": {
        "KZ_ZCMM": {"label": {"zh-CN": "船名"}, "codes": {"A": "甲"}},
        "KZ_DD": {"label": {"zh-CN": "地点"}, "kind": "list", "fields": {"DZ": {"zh-CN": "地址"}}},
        "KZ_NR": {"label": {"zh-CN": "内容"}},
    },
}


def faults(*, type_: dict[str, Any] | None = None, **declared: Any) -> list[Fault]:
    base = {"name": "t", "department": "d", "licence_type": TYPE["code"]}
    interface = msgspec.convert({**base, **declared}, Interface)
    return misfits(interface, msgspec.convert({**TYPE, **(type_ or {})}, LicenceType))


def told(found: list[Fault]) -> list[tuple[str, str, str | None]]:
    assert [english_in(fault.message_zh) + english_in(fault.remedy_zh) for fault in found] == [[]] * len(
        found
    )
    return [(fault.rule, fault.pointer, fault.value) for fault in found]


def test_an_item_that_the_type_does_not_declare_is_refused_with_the_name_that_was_meant() -> None:
    found = faults(fields={"items.KZ_CMM": {"source": "a"}, "items.KZ_ZCMM": {"source": "b"}})
    assert told(found) == [("registration.unknown-item", "/fields/items.KZ_CMM", "KZ_CMM")]
    assert "KZ_ZCMM" in found[0].remedy
    assert "KZ_ZCMM" in found[0].remedy_zh


@pytest.mark.parametrize("disposition", ["warn", "off"])
def test_a_type_may_let_undeclared_items_pass_in_so_many_words(disposition: str) -> None:
    override = {"disposition": disposition, "reason": "尚在整理"}
    rules = {"item.undeclared": override, "item.field-undeclared": override}
    group = {"by": ["n"], "item": "KZ_DD", "fields": {"JD": {"source": "a"}}}
    assert faults(type_={"rules": rules}, fields={"items.KZ_X": {"source": "a"}}, group=group) == []
    assert faults(type_={"rules": rules}, group=group | {"item": "KZ_X"}) == []


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ({"item": "KZ_XX"}, ("registration.unknown-item", "/group/item", "KZ_XX")),
        ({"item": "KZ_NR"}, ("registration.not-a-list", "/group/item", "KZ_NR")),
        (
            {"item": "KZ_DD", "fields": {"DZZ": {"source": "a"}}},
            ("registration.unknown-item-field", "/group/fields/DZZ", "DZZ"),
        ),
    ],
)
def test_rows_are_gathered_into_a_list_that_the_type_declares(
    group: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    assert told(faults(group={"by": ["n"], **group})) == [expected]


def test_what_an_interface_states_itself_passes_the_rules_of_its_type() -> None:
    found = faults(
        fields={
            "issuer_code": {"constant": "11110000000000002R"},
            "region": [{"source": "a", "when": [{"field": "b", "op": "present"}]}, {"constant": "990100"}],
            "holder.code_type": {
                "source": "a",
                "codes": {"企业": "001", "其他": "002"},
                "codes_default": "099",
            },
            "items.KZ_ZCMM": {"source": "a", "default": "B"},
            "licence_name": {"constant": "许可证\x1b"},
        }
    )
    assert told(found) == [
        ("uscc.check-digit", "/fields/issuer_code/constant", "11110000000000002R"),
        ("division.province", "/fields/region/1/constant", "990100"),
        ("holder.code-type-unknown", "/fields/holder.code_type/codes/其他", "002"),
        ("item.code-unknown", "/fields/items.KZ_ZCMM/default", "B"),
        ("text.forbidden-character", "/fields/licence_name/constant", "许可证\\u001b"),
    ]


def test_values_are_judged_as_records_would_be_and_each_for_itself() -> None:
    """In normal form, under the type's own rules, without what only a whole record has; dates may still come to be."""
    rules = {"uscc.check-digit": {"disposition": "warn"}}
    only = {"code": "t.nowhere", "left": "region", "op": "absent"}
    cross = [{"code": "t.name", "left": "licence_name", "op": "=", "value": "证", "when": [only]}]
    found = faults(
        type_={"rules": rules, "cross_rules": cross, "validity": "required", "required": ["holder.name"]},
        fields={
            "licence_name": {"constant": "许可证"},
            "issuer_code": {"constant": "11110000000000002r"},
            "holder.code": {"constant": "11110000000000002R"},
            "holder.name": {"source": "a", "codes": {"-": "无"}},
            "issued_on": {"constant": "2199-01-01"},
            "valid_until": {"source": "a", "default": "长期"},
            "items.KZ_ZCMM": {"constant": "甲"},
            "items.KZ_DD": {"kind": "any", "source": "a", "default": [{"DZ": "某街"}]},
        },
    )
    assert told(found) == []


def test_where_the_data_name_the_type_the_records_are_left_to_speak() -> None:
    fields = {"licence_type": {"source": "t"}, "items.KZ_CMM": {"source": "a"}}
    assert faults(fields=fields) == []
