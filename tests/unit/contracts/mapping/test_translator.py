from datetime import date
from typing import Any

import msgspec
import pytest

from contracts.fault import Disposition
from contracts.interface import Interface
from contracts.mapping import Translated, compile_interface
from contracts.record import Holder, Status

CSV = {"format": "csv"}


def interface(fields: dict[str, Any], **more: Any) -> Interface:
    data = {"name": "t", "department": "d", "licence_type": "T", "fields": fields, **more}
    return msgspec.convert(data, Interface)


def translate(fields: dict[str, Any], record: dict[str, Any], **more: Any) -> Translated:
    declared = interface(fields, **{"source": CSV, **more})
    return compile_interface(declared).translate(record)


def found(made: Translated) -> list[tuple[str, str, str | None]]:
    return [(fault.rule, fault.pointer, fault.value) for fault in made.faults]


def test_fields_are_renamed_trimmed_and_typed() -> None:
    made = translate(
        {
            "licence_number": {"source": "许可编号"},
            "issued_on": {"source": "决定日期"},
            "holder.name": {"source": "名称"},
            "holder.code_type": {"constant": "001"},
            "items.KZ_N": {"source": "数量", "kind": "number"},
            "items.KZ_RQ": {"source": "决定日期", "kind": "date"},
            "items.KZ_F": {"source": "是否", "kind": "flag"},
            "items.KZ_T": {"template": "{名称}（{许可编号}）"},
        },
        {"许可编号": " JY-1 ", "决定日期": "2021/3/4", "名称": "甲\u3000", "数量": "1,234.50", "是否": "是"},
    )
    assert made.faults == ()
    record = made.record
    assert record is not None
    assert (record.licence_type, record.licence_number, record.issued_on) == ("T", "JY-1", date(2021, 3, 4))
    assert record.holders == (Holder(name="甲", code_type="001"),)
    assert record.items == {"KZ_N": 1234.5, "KZ_RQ": "2021-03-04", "KZ_F": True, "KZ_T": "甲（JY-1）"}


def test_of_several_sources_the_first_that_is_not_empty_counts() -> None:
    fields = {"licence_number": {"source": ["XK_XKBH", "XK_WSH"], "empty": ["/", "无"]}}
    for number in ("", "/", "  无 ", None):
        made = translate(fields, {"XK_XKBH": number, "XK_WSH": "文号1"})
        assert made.record is not None
        assert made.record.licence_number == "文号1"


def test_the_first_mapping_whose_condition_holds_is_used() -> None:
    placeholder = "00000000000000000X"
    fields = {
        "holder.code": [
            {"source": "GSZC", "when": [{"field": "SHXYM", "value": placeholder}]},
            {"source": "SHXYM", "when": [{"field": "SHXYM", "op": "present"}]},
            {"source": "ZJHM"},
        ]
    }
    codes = [
        ({"SHXYM": placeholder, "GSZC": "110"}, "110"),
        ({"SHXYM": "91X"}, "91X"),
        ({"SHXYM": " ", "ZJHM": "330"}, "330"),
    ]
    for record, code in codes:
        made = translate(fields, record)
        assert made.record is not None
        assert made.record.holders[0].code == code


def test_a_missing_required_field_is_a_fault_at_the_source_column() -> None:
    made = translate({"licence_number": {"source": ["编号/a", "b"], "required": True}}, {})
    assert found(made) == [("mapping.required", "/编号~1a", None)]
    assert made.record is None
    assert made.faults[0].remedy_zh


def test_an_unknown_code_is_held_and_names_the_known_ones() -> None:
    fields = {
        "status": {"source": "XK_ZT", "codes": {"1": "valid", "2": "revoked"}},
        "licence_number": {"source": "n"},
    }
    made = translate(fields, {"XK_ZT": "9", "n": "1"})
    assert found(made) == [("mapping.unknown-code", "/XK_ZT", "9")]
    assert "1, 2" in made.faults[0].message
    assert made.faults[0].disposition is Disposition.QUARANTINE
    assert made.record is None  # a licence of unknown state must not be taken for a valid one


def test_a_held_record_keeps_what_could_be_read() -> None:
    fields = {"items.K": {"source": "k", "codes": {"1": "a"}}, "licence_number": {"source": "n"}}
    made = translate(fields, {"k": "9", "n": "1"})
    assert found(made) == [("mapping.unknown-code", "/k", "9")]
    assert made.record is not None
    assert (made.record.licence_number, made.record.items) == ("1", {})


def test_codes_map_to_the_canonical_value() -> None:
    fields = {"status": {"source": "s", "codes": {"2": "revoked"}, "codes_default": "valid"}}
    states = [translate(fields, {"s": s}).record for s in ("2", "x")]
    assert [record and record.status for record in states] == [Status.REVOKED, Status.VALID]


def test_a_date_that_does_not_exist_is_a_fault() -> None:
    made = translate({"issued_on": {"source": "d"}}, {"d": "2021-02-30"})
    assert found(made) == [("date.does-not-exist", "/d", "2021-02-30")]


@pytest.mark.parametrize("text", ["2099/12/31", "长期", "2099-12-31", "99991231"])
def test_the_end_of_validity_may_be_long_term(text: str) -> None:
    made = translate({"valid_until": {"source": "XK_YXQZI"}}, {"XK_YXQZI": text})
    assert made.record is not None
    assert (made.record.valid_until, made.record.long_term) == (None, True)


def test_only_the_end_of_validity_may_be_long_term() -> None:
    assert found(translate({"issued_on": {"source": "d"}}, {"d": "长期"})) == [
        ("mapping.long-term-not-here", "/d", "长期")
    ]


def test_the_tolerant_reader_takes_numbers_where_texts_are_meant() -> None:
    fields = {"licence_number": {"source": "n"}}
    for value, text in [(7, "7"), (7.0, "7"), (7.25, "7.25"), (20211105, "20211105")]:
        made = translate(fields, {"n": value}, source={"format": "json"})
        assert made.record is not None
        assert made.record.licence_number == text


@pytest.mark.parametrize("value", [True, ["x"], {"a": 1}])
def test_a_flag_list_or_object_is_no_text(value: Any) -> None:
    made = translate({"licence_number": {"source": "n"}}, {"n": value}, source={"format": "json"})
    assert found(made) == [("mapping.wrong-type", "/n", None)]


def test_json_paths_go_by_dots_or_pointer_and_faults_point_there() -> None:
    fields = {
        "licence_number": {"source": "licence.number"},
        "issued_on": {"source": "/dates/0/issued.on"},
        "holder.name": {"source": "holder.name", "required": True},
    }
    record = {"licence": {"number": "1"}, "dates": [{"issued.on": "2021-02-31"}], "holder": {}}
    made = translate(fields, record, source={"format": "json"})
    assert [place for _rule, place, _value in found(made)] == ["/dates/0/issued.on", "/holder/name"]


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\ud800b", "a\u202eb"])
def test_characters_no_text_may_hold_are_faults_and_shown_escaped(text: str) -> None:
    made = translate({"licence_name": {"source": "n"}}, {"n": text})
    assert [rule for rule, _p, _v in found(made)] == ["mapping.forbidden-character"]
    assert made.faults[0].value is not None
    assert made.faults[0].value.isprintable()
    assert len(made.source_digest) == 32


def test_a_text_beyond_any_licence_is_refused() -> None:
    assert (
        found(translate({"licence_name": {"source": "n"}}, {"n": "长" * 40_000}))[0][0] == "mapping.too-long"
    )


def test_holder_data_are_masked_in_faults() -> None:
    fields = {"holder.code": {"source": "c", "codes": {"x": "y"}}}
    made = translate(fields, {"c": "11010519491231002X"})
    assert made.faults[0].value == "**************002X"


def test_several_holders_come_from_parallel_lists() -> None:
    fields = {
        "holder.name": {"source": "n", "split": "、"},
        "holder.code": {"source": "c", "split": "、"},
        "holder.code_type": {"constant": "111"},
    }
    made = translate(fields, {"n": "甲、乙", "c": "1、2"})
    assert made.record is not None
    assert [(h.name, h.code, h.code_type) for h in made.record.holders] == [
        ("甲", "1", "111"),
        ("乙", "2", "111"),
    ]
    assert found(translate(fields, {"n": "甲、乙", "c": "1"}))[0][0] == "mapping.holders-differ"


def test_a_filter_drops_the_record_by_name() -> None:
    filters = [{"name": "requested", "when": [{"field": "Status", "value": "REQUESTED"}]}]
    fields = {"licence_number": {"source": "n", "required": True}}
    assert translate(fields, {"Status": "REQUESTED"}, filters=filters).filtered_by == "requested"
    assert translate(fields, {"Status": "ISSUED", "n": "1"}, filters=filters).filtered_by == ""


def test_declared_codes_turn_a_refusal_into_quarantine() -> None:
    fields = {"issued_on": {"source": "d"}, "licence_number": {"source": "n"}}
    made = translate(fields, {"d": "x", "n": "1"}, quarantine_faults=["date.format"])
    assert made.faults[0].disposition is Disposition.QUARANTINE
    assert made.record is not None


def test_the_source_digest_covers_what_the_mapping_reads_only() -> None:
    fields = {"licence_number": {"source": "n"}}
    first = translate(fields, {"n": "1", "other": "a"}).source_digest
    assert first == translate(fields, {"n": "1", "other": "b"}).source_digest
    assert first != translate(fields, {"n": "2", "other": "a"}).source_digest


def order(by: list[dict[str, Any]], record: dict[str, Any]) -> str:
    made = translate({"licence_number": {"constant": "1"}}, record, order={"by": by})
    assert made.faults == ()
    return made.source_order


def test_orders_of_numbers_sort_as_numbers() -> None:
    numbers = [
        "-1000",
        "-12.5",
        "-12",
        "-2",
        "-0.5",
        "0",
        "0.05",
        "0.5",
        "2",
        "9.99",
        "10",
        "10.01",
        "123456789012345678",
    ]
    orders = [order([{"source": "n", "kind": "number"}], {"n": n}) for n in numbers]
    assert orders == sorted(orders)
    assert len(set(orders)) == len(orders)


def test_orders_of_several_fields_sort_by_the_first_that_differs() -> None:
    by = [{"source": "d", "kind": "date"}, {"source": "t", "kind": "time"}, {"source": "x"}]
    rows = [
        {"d": "20210131", "t": "2021-01-31 09:00:00", "x": "a"},
        {"d": "2021/2/1", "t": "2021-02-01 08:00:00", "x": "a"},
        {"d": "2021-02-01", "t": "20210201090000", "x": "a"},
        {"d": "2021-02-01", "t": "2021-02-01T01:00:01Z", "x": "a"},
        {"d": "2021-02-01", "t": "2021-02-01 9:00:01 AM", "x": "ab"},
    ]
    orders = [order(by, row) for row in rows]
    assert orders == sorted(orders)
    assert len(set(orders)) == 5


def test_equal_texts_in_other_unicode_forms_order_alike() -> None:
    by = [{"source": "x"}]
    assert order(by, {"x": "e\u0301 1"}) == order(by, {"x": "\u00e9\t1"})


def test_rows_of_one_licence_share_a_key_and_add_elements() -> None:
    group = {
        "by": ["permit"],
        "item": "KZ_L",
        "fields": {"address": {"source": "Address"}, "none": {"source": "x"}},
    }
    made = translate(
        {"licence_number": {"source": "permit"}}, {"permit": "P1", "Address": "1 A St"}, group=group
    )
    assert (made.group_key, made.element) == ("P1", {"address": "1 A St"})
    assert found(translate({}, {"permit": " "}, group=group)) == [("group.key-empty", "/permit", None)]


@pytest.mark.parametrize(
    ("op", "value", "text", "holds"),
    [
        ("=", "a", " a ", True),
        ("!=", "a", "b", True),
        ("in", ["a", 1], 1, True),
        ("not-in", ["a"], "a", False),
        ("present", None, " ", False),
        ("absent", None, None, True),
        ("matches", "[0-9]+", "12x", False),
        ("matches", "[0-9]+", "12", True),
        ("contains", "说明", "表格说明：", True),
        ("starts-with", "21", "21MFF", True),
        ("<", 10, "9", True),
        ("<", "10", "9", True),
        (">=", "2021-01-01", "2021-03-01", True),
        (">", 5, "", False),
        ("<=", 5, "x", False),
    ],
)
def test_conditions(op: str, value: Any, text: Any, holds: bool) -> None:
    condition = {"field": "f", "op": op} | ({} if value is None else {"value": value})
    made = translate({}, {"f": text}, filters=[{"name": "f", "when": [condition]}])
    assert bool(made.filtered_by) is holds
