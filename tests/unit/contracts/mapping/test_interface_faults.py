from typing import Any

import msgspec
import pytest

from chinese import english_in
from contracts.declare import DeclarationError, load_declaration
from contracts.interface import Interface
from contracts.mapping import interface_faults

BASE: dict[str, Any] = {"name": "t", "department": "d", "licence_type": "T", "source": {"format": "json"}}


def places(**more: Any) -> list[tuple[str, str]]:
    faults = interface_faults(msgspec.convert({**BASE, **more}, Interface))
    assert [english_in(fault.message_zh) for fault in faults] == [[]] * len(faults)
    assert all(fault.remedy for fault in faults)
    return [(fault.rule.removeprefix("interface."), fault.pointer) for fault in faults]


def test_a_sound_declaration_has_no_faults() -> None:
    assert places(fields={"licence_number": {"source": "n"}}) == []


def test_every_fault_is_found_at_once_with_its_place() -> None:
    found = places(
        protocol="file",
        fields={
            "licence_numbr": {"source": "n"},
            "holder.name": {},
            "valid_from": {"source": "d", "kind": "text"},
            "status": {"source": "s", "codes": {"1": "valid", "2": "gone"}},
            "items.A": [{"source": "x", "when": [{"field": "y", "op": "matches", "value": "("}]}],
            "items.B": {"source": "x", "kind": "number", "default": "many"},
            "items.C": {"template": "{x"},
            "items.D": {"source": "x", "split": ","},
            "items.E": {"source": "x", "codes_default": "1"},
            "items.F": {"template": "x"},
            "issued_on": {"constant": 20260101},
        },
        filters=[
            {"name": "f", "when": [{"field": "y", "op": "in", "value": "a"}]},
            {"name": "f", "when": []},
        ],
        clock="2021-13-01",
        order={"by": [{"source": "d", "kind": "flag"}]},
        quarantine_faults=["date.format", "date.formt", "csv.ragged-row"],
    )
    assert found == [
        ("unknown-field", "/fields/licence_numbr"),
        ("no-origin", "/fields/holder.name"),
        ("wrong-kind", "/fields/valid_from/kind"),
        ("bad-value", "/fields/status/codes/2"),
        ("bad-pattern", "/fields/items.A/0/when/0/value"),
        ("bad-value", "/fields/items.B/default"),
        ("bad-value", "/fields/items.C/template"),
        ("bad-value", "/fields/items.D/split"),
        ("bad-value", "/fields/items.E/codes_default"),
        ("bad-value", "/fields/items.F/template"),
        ("bad-value", "/fields/issued_on/constant"),
        ("name-twice", "/filters"),
        ("bad-value", "/filters/0/when/0/value"),
        ("bad-value", "/filters/1/when"),
        ("bad-value", "/order/by/0"),
        ("no-drop", "/drop"),
        ("bad-value", "/clock"),
        ("bad-value", "/quarantine_faults/1"),
    ]


def test_a_column_that_is_read_must_be_among_the_declared_ones() -> None:
    source = {"format": "csv", "columns": ["a", "b\nc"]}
    drop = {"folder": "t"}
    filters = [
        {"name": "f", "when": [{"field": "*", "op": "contains", "value": "x"}, {"field": "z", "value": "1"}]}
    ]
    fields = {"licence_number": {"source": "bc"}, "licence_name": {"source": "y"}}
    found = places(protocol="file", drop=drop, source=source, fields=fields, filters=filters)
    assert found == [("unknown-column", "/source/columns")] * 2


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ({"format": "json", "encoding": "utf-88"}, "/source/encoding"),
        ({"format": "json", "delimiter": "||"}, "/source/delimiter"),
        ({"format": "json", "quote": ","}, "/source/quote"),
        ({"format": "json", "header_row": 0}, "/source/header_row"),
        ({"format": "json", "records": "data"}, "/source/records"),
        ({"format": "csv"}, "/source/format"),
    ],
)
def test_settings_of_the_source_are_checked(source: dict[str, Any], place: str) -> None:
    assert [at for _rule, at in places(source=source)] == [place]


def test_rows_are_gathered_from_files_only() -> None:
    group = {"by": ["p"], "item": "KZ", "fields": {"a": {"source": "b"}}}
    assert [at for _rule, at in places(group=group)] == ["/group"]
    assert [at for _rule, at in places(group=group | {"by": []})] == ["/group", "/group/by"]


def test_faults_of_shape_inside_a_field_name_the_place() -> None:
    with pytest.raises(DeclarationError) as caught:
        load_declaration(
            Interface,
            {
                **BASE,
                "name": "Not A Name",
                "fields": {"a": {"source": 3, "bad": 1}, "b": [{"sorce": "x"}], "c": 7},
            },
        )
    assert {(fault.rule.removeprefix("declaration."), fault.pointer) for fault in caught.value.faults} == {
        ("value", "/name"),
        ("type", "/fields/a/source"),
        ("unknown-key", "/fields/a/bad"),
        ("unknown-key", "/fields/b/0/sorce"),
        ("type", "/fields/c"),
    }
