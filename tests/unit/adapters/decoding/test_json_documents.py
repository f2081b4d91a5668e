import io
import json
from typing import Any

import pytest

from adapters.decoding import Row, Tally, decode_json, decode_ndjson, parse_record
from adapters.decoding.json_record import MAX_RECORD_BYTES
from contracts.fault import Fault
from contracts.interface import FieldMapping, Interface, Source
from contracts.mapping import Translator, compile_interface
from core.errors import ContractError


def translator(form: Any = "json", **source: Any) -> Translator:
    fields = {"licence_number": FieldMapping(source="a")}
    return compile_interface(
        Interface(
            name="t", department="d", licence_type="T", source=Source(format=form, **source), fields=fields
        )
    )


def documents(data: bytes, **source: Any) -> list[Row]:
    return list(decode_json(io.BytesIO(data), translator(**source)))


def lines(data: bytes, **source: Any) -> list[Row]:
    return list(decode_ndjson(io.BytesIO(data), translator("ndjson", **source)))


def rules(found: list[Row]) -> list[list[str]]:
    return [[fault.rule for fault in row.faults] for row in found]


def refused(data: bytes, **source: Any) -> str:
    with pytest.raises(ContractError) as caught:
        documents(data, **source)
    return caught.value.faults[0].rule


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b'{"a":1,"a":2}', "json.duplicate-key"),
        (b'{"a" :1,"a":2}', "json.duplicate-key"),
        (b'{"a":{"b":1,"b":2}}', "json.duplicate-key"),
        (b'{"a":1,"\\u0061":2}', "json.duplicate-key"),
        (b'{"a":[{"b":1 , "b" : 2}]}', "json.duplicate-key"),
        (b'{"a":NaN}', "json.number-out-of-range"),
        (b'{"a":-Infinity}', "json.number-out-of-range"),
        (b'{"a":1e999}', "json.number-out-of-range"),
        (b'{"a":123456789012345678901}', "json.number-out-of-range"),
        (b'{"a":' + b"9" * 5000 + b"}", "json.number-out-of-range"),
        (b'{"a":"\\ud800"}', "json.lone-surrogate"),
        (b'{"\\udfff":1}', "json.lone-surrogate"),
        (b'{"a":"\xff"}', "decoding.undecodable-bytes"),
        (b'{"a":"\xed\xa0\x80"}', "decoding.undecodable-bytes"),
        (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "json.too-deep"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "json.too-deep"),
        (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "json.too-deep"),
        (b"[" * 100_000, "json.too-deep"),
        (b"[1]", "json.not-an-object"),
        (b"null", "json.not-an-object"),
        (b"", "json.syntax"),
        (b'{"a":1,}', "json.syntax"),
        (b'{"a":"\x00"}', "json.syntax"),
        (b'{"a":01}', "json.syntax"),
        (b"{'a':1}", "json.syntax"),
        (b'{"a":"' + b"x" * MAX_RECORD_BYTES + b'"}', "decoding.record-too-large"),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else value,
)
def test_a_hostile_record_has_its_typed_fault(raw: bytes, rule: str) -> None:
    fault = parse_record(raw)
    assert isinstance(fault, Fault)
    assert fault.rule == rule
    assert fault.message_zh


def fault_of(raw: bytes) -> Fault:
    fault = parse_record(raw)
    assert isinstance(fault, Fault)
    return fault


def test_a_duplicate_key_is_named() -> None:
    assert fault_of(b'{"XK/1":1,"XK/1":2}').pointer == "/XK~11"


def test_bytes_that_do_not_decode_have_their_offset() -> None:
    assert "offset 6 " in fault_of(b'{"a":"\xff"}').message


@pytest.mark.parametrize(
    "record",
    [
        {"a": '":'},
        {"a": '\\":', "b": ":"},
        {"a": 18446744073709551615, "b": -9223372036854775808},
        {"a": 37.805885350100986},
        {"a": "12345678901234567890123"},
        {"a": ["", {"b": {"c": []}}]},
        {"a": "𠮷"},
        {},
    ],
)
def test_a_sound_record_is_read_whatever_reader_it_takes(record: dict[str, Any]) -> None:
    for separators in ((",", ":"), (" , ", " : ")):
        for ascii_only in (True, False):
            raw = json.dumps(record, separators=separators, ensure_ascii=ascii_only).encode()
            assert parse_record(raw) == record


@pytest.mark.parametrize(
    ("raw", "pointer", "value"),
    [
        (b'{"tons":1e999}', "/tons", "1e999"),
        (b'{"a":{"b/c":[1,{"d":[-Infinity]}]}}', "/a/b~1c/1/d/0", "-Infinity"),
        (b'{"a":1,"b":[123456789012345678901,NaN]}', "/b/0", "123456789012345678901"),
        (b"NaN", "", "NaN"),
    ],
)
def test_a_number_that_would_change_is_told_with_its_place(raw: bytes, pointer: str, value: str) -> None:
    fault = parse_record(raw)
    assert isinstance(fault, Fault)
    assert (fault.rule, fault.pointer, fault.value) == ("json.number-out-of-range", pointer, value)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b'"x"', "string"),
        (b"null", "null"),
        (b"[]", "array"),
        (b"7", "number"),
        (b"0.5", "number"),
        (b"true", "boolean"),
    ],
)
def test_what_is_no_object_is_told_by_its_kind_in_json(raw: bytes, kind: str) -> None:
    fault = parse_record(raw)
    assert isinstance(fault, Fault)
    assert (fault.rule, fault.value) == ("json.not-an-object", kind)


def test_one_object_is_one_record() -> None:
    assert [(row.position, row.fields, row.raw) for row in documents(b' {"a": 1}\n')] == [
        (0, {"a": 1}, b' {"a": 1}\n')
    ]


def test_a_bad_record_leaves_its_neighbours_alone() -> None:
    found = documents(b'[{"a":1}, {"a":NaN}, 7, {"a":1,"a":2}, {"a":{"b":[1]}}]')
    assert rules(found) == [
        [],
        ["json.number-out-of-range"],
        ["json.not-an-object"],
        ["json.duplicate-key"],
        [],
    ]
    assert found[1].raw == b'{"a":NaN}'


def test_an_empty_array_has_no_records() -> None:
    assert documents(b"[ ]") == []


@pytest.mark.parametrize("cut", [b'[{"a":1},{"a', b'[{"a":1}', b'[{"a":1},', b"[", b'[{"a":"x'])
def test_a_document_that_breaks_off_is_refused_after_its_rows(cut: bytes) -> None:
    assert refused(cut) == "json.truncated"


def test_text_behind_the_document_refuses_it() -> None:
    assert refused(b'[{"a":1}] x') == "json.syntax"
    assert rules(documents(b'{"a":1} x')) == [["json.syntax"]]


def test_an_empty_document_is_refused() -> None:
    assert refused(b"  ") == "decoding.empty-file"


@pytest.mark.parametrize("data", [b'"x"', b"7", b"xyz", b'{"data":{}}'])
def test_a_document_without_records_is_refused(data: bytes) -> None:
    assert refused(data, records="/data/rows" if b"data" in data else "") == "json.no-records"


def test_a_record_beyond_the_limit_is_passed_over() -> None:
    big = b'{"a":"' + b"x" * (MAX_RECORD_BYTES + 10) + b'"}'
    nested = b'{"a":[' + b'"xxxxxxxxxxxxxxxx",' * (MAX_RECORD_BYTES // 19 + 10) + b'"y"]}'
    for huge in (nested, big):
        found = (
            documents(b'[{"a":1},' + huge + b',{"a":2}]')
            if huge is nested
            else lines(b'{"a":1}\n' + huge + b'\n{"a":2}')
        )
        assert rules(found) == [[], ["decoding.record-too-large"], []]
        assert found[2].fields == {"a": 2}


def test_ten_thousand_levels_in_an_array_do_not_crash() -> None:
    found = documents(b'[{"a":1},' + b"[" * 10_000 + b"]" * 10_000 + b',{"a":2}]')
    assert rules(found) == [[], ["json.too-deep"], []]


def test_lines_have_their_numbers_and_blank_ones_are_skipped() -> None:
    tally = Tally()
    data = b'{"a":1}\r\n\n{"a":\n{"a":3}'
    found = list(decode_ndjson(io.BytesIO(data), translator("ndjson"), tally))
    assert [(row.position, row.line) for row in found] == [(0, 1), (1, 3), (2, 4)]
    assert rules(found) == [[], ["json.syntax"], []]
    assert tally.skipped == {"empty": 1}


def test_a_byte_order_mark_is_no_part_of_the_document() -> None:
    assert lines(b'\xef\xbb\xbf{"a":1}')[0].fields == {"a": 1}
    assert documents('\ufeff[{"a":"证"}]'.encode("utf-16-le"))[0].fields == {"a": "证"}


def test_another_encoding_is_read_by_setting_only() -> None:
    data = '{"a":"许可嬽"}\n'.encode("gb18030")
    assert lines(data, encoding="gb18030")[0].fields == {"a": "许可嬽"}
    assert rules(lines(data)) == [["decoding.undecodable-bytes"]]
    assert rules(lines(data + b'{"a":"\x81"}', encoding="gbk")) == [[], ["decoding.undecodable-bytes"]]
