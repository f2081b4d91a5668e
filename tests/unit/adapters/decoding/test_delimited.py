import io
from typing import Any

import pytest

from adapters.decoding import Row, Tally, decode_csv
from contracts.interface import Condition, FieldMapping, Filter, Interface, Source
from contracts.mapping import Translator, compile_interface
from core.errors import ContractError


def translator(read: tuple[str, ...] = ("a", "b"), **source: Any) -> Translator:
    fields = {f"items.{name}": FieldMapping(source=name) for name in read}
    return compile_interface(
        Interface(
            name="t", department="d", licence_type="T", source=Source(format="csv", **source), fields=fields
        )
    )


def rows(
    data: bytes, read: tuple[str, ...] = ("a", "b"), tally: Tally | None = None, **source: Any
) -> list[Row]:
    return list(decode_csv(io.BytesIO(data), translator(read, **source), tally))


def values(data: bytes, **source: Any) -> list[Any]:
    return [row.fields for row in rows(data, **source)]


def rules(found: list[Row]) -> list[list[str]]:
    return [[fault.rule for fault in row.faults] for row in found]


def test_rows_carry_their_position_and_line() -> None:
    found = rows(b'a,b\n1,"x\ny"\n\n3,4\n')
    assert [(r.position, r.line, r.fields) for r in found] == [
        (0, 2, {"a": "1", "b": "x\ny"}),
        (1, 5, {"a": "3", "b": "4"}),
    ]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_every_line_break_separates_rows(line_break: str) -> None:
    data = line_break.join(["a,b", "1,2", '"x""y","c,d"']).encode()
    assert values(data) == [{"a": "1", "b": "2"}, {"a": 'x"y', "b": "c,d"}]


def test_a_byte_order_mark_leaves_the_first_column_clean() -> None:
    tally = Tally()
    assert rows("\ufeffa,b\n1,证".encode(), tally=tally)[0].fields == {"a": "1", "b": "证"}
    assert tally.encoding == "utf-8"


@pytest.mark.parametrize(
    ("codec", "expected"),
    [
        ("gbk", "gb18030"),
        ("gb18030", "gb18030"),
        ("utf-8", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("utf-8-sig", "utf-8"),
    ],
)
def test_the_encoding_is_found(codec: str, expected: str) -> None:
    tally = Tally()
    text = "a,b\n许可证,食品经营\n行政许可,丙\n"
    assert rows(text.encode(codec), tally=tally)[0].fields == {"a": "许可证", "b": "食品经营"}
    assert tally.encoding == expected


def test_a_utf_16_mark_of_the_other_byte_order_is_read() -> None:
    data = b"\xfe\xff" + "a,b\n证,照\n".encode("utf-16-be")
    assert values(data) == [{"a": "证", "b": "照"}]


def test_four_byte_characters_of_gb18030_are_read() -> None:
    data = "a,b\n𠮷野家,㐀\n".encode("gb18030")
    assert values(data) == [{"a": "𠮷野家", "b": "㐀"}]


def test_the_setting_of_the_source_wins_and_gb2312_means_its_superset() -> None:
    data = "a,b\n镕,堃\n".encode("gbk")  # characters GB2312 does not have
    assert values(data, encoding="gb2312") == [{"a": "镕", "b": "堃"}]


def test_bytes_that_do_not_decode_quarantine_their_row_with_the_offset() -> None:
    head = "a,b\n1,好\n".encode()
    data = head + b"2,\xff\xfe\n" + "3,再\n4,见\n".encode()
    found = rows(data)
    assert rules(found) == [[], ["decoding.undecodable-bytes"], [], []]
    fault = found[1].faults[0]
    assert f"offset {len(head) + 2} " in fault.message
    assert fault.disposition == "quarantine"
    assert [r.fields for r in found if r.fields][-1] == {"a": "4", "b": "见"}


def test_offsets_stay_right_behind_many_blocks() -> None:
    good = "1,食品经营许可\n".encode("gb18030")
    head = b"a,b\n" + good * 60_000
    found = rows(head + b"2,\xff\n" + good * 3)
    bad = [row for row in found if row.faults]
    assert len(bad) == 1
    assert f"offset {len(head) + 2} " in bad[0].faults[0].message
    assert len(found) == 60_004


def test_a_bad_lead_byte_does_not_swallow_the_separator() -> None:
    data = b"a,b,c\n" + "许可,".encode("gbk") + b"\x81,x\n" + "许,可,证\n".encode("gbk")
    found = rows(data, read=("a", "b", "c"))
    assert rules(found) == [["decoding.undecodable-bytes"], []]


def test_a_utf_16_text_cut_inside_a_character_spoils_its_last_row_only() -> None:
    data = "a,b\n1,2\n3,4".encode("utf-16") + b"\x41"
    assert rules(rows(data)) == [[], ["decoding.undecodable-bytes"]]


def test_ragged_rows_fail_alone_with_their_line() -> None:
    found = rows(b"a,b\n1\n1,2\n1,2,3\n1,2,,\n")
    assert rules(found) == [["csv.ragged-row"], [], ["csv.ragged-row"], []]
    assert "line 2 has 1 fields, the header has 2" in found[0].faults[0].message


def test_a_quote_that_is_never_closed_costs_one_line() -> None:
    found = rows(b'a,b\n1,"open\n2,x\n3,y\n')
    assert rules(found) == [["csv.bad-quotes"], [], []]
    assert [r.line for r in found] == [2, 3, 4]


def test_text_behind_a_closing_quote_costs_one_line() -> None:
    found = rows(b'a,b\n"1"x,2\n3,4\n')
    assert rules(found) == [["csv.bad-quotes"], []]


def test_a_quote_inside_a_bare_field_is_a_character() -> None:
    assert values(b'a,b\n5" pipe,2\n3,4\n') == [{"a": '5" pipe', "b": "2"}, {"a": "3", "b": "4"}]


def test_nul_characters_cost_their_row() -> None:
    assert rules(rows(b"a,b\n1,\x002\n3,4\n")) == [["csv.nul"], []]


def test_a_line_without_end_is_read_over_in_bounded_memory() -> None:
    found = rows(b"a,b\n" + b"x" * 5_000_000 + b"\n3,4\n")
    assert rules(found) == [["csv.row-too-long"], []]


def test_a_file_of_binary_noise_is_refused_by_its_header() -> None:
    with pytest.raises(ContractError) as caught:
        rows(bytes(range(256)) * 100)
    assert caught.value.faults[0].rule in ("header.missing-columns", "header.absent")


def test_a_header_that_does_not_decode_says_where_its_bytes_are() -> None:
    with pytest.raises(ContractError) as caught:
        rows(b"a,\xff\xfe\xff,b\n1,2,3\n")
    absent, undecodable = caught.value.faults
    assert (undecodable.rule, absent.rule) == ("decoding.undecodable-bytes", "header.absent")
    assert "offset 2" in undecodable.message
    assert "偏移2" in caught.value.summary_zh


def test_an_empty_file_has_no_header() -> None:
    with pytest.raises(ContractError) as caught:
        rows(b"")
    assert [f.rule for f in caught.value.faults] == ["header.absent"]


def refused(data: bytes, **source: Any) -> list[str]:
    with pytest.raises(ContractError) as caught:
        rows(data, **source)
    return [f"{fault.rule}: {fault.message.split(': ')[-1]}" for fault in caught.value.faults]


def test_a_shifted_header_refuses_the_file() -> None:
    assert refused(b"b,a\n1,2\n", columns=("a", "b")) == ["header.moved-columns: a (2→1), b (1→2)"]


def test_a_drifted_header_refuses_the_file_and_shows_the_difference() -> None:
    assert refused(b"a,c,x\n1,2,3\n", columns=("a", "b", "c")) == [
        "header.missing-columns: b",
        "header.extra-columns: x",
    ]


def test_a_column_that_occurs_twice_refuses_the_file() -> None:
    assert refused(b"a,b,a\n1,2,3\n") == ["header.duplicate-columns: a"]


def test_without_declared_columns_what_the_mapping_reads_must_be_there() -> None:
    assert refused(b"a,c\n1,2\n") == ["header.missing-columns: b"]
    assert values(b"c,b,a\n1,2,3\n") == [{"c": "1", "b": "2", "a": "3"}]


def test_a_header_with_line_breaks_and_spaces_is_the_declared_one() -> None:
    data = '"许可\n编号"," b "\n1,2\n'.encode()
    assert values(data, read=("许可编号", "b"), columns=("许可编号", "b")) == [{"许可编号": "1", "b": "2"}]


def test_the_header_may_stand_below_a_title() -> None:
    assert values("行政许可,\n a,b\n1,2\n".encode(), header_row=2) == [{"a": "1", "b": "2"}]


def test_furniture_of_the_sheet_is_skipped_and_counted() -> None:
    note = Filter(name="template-note", when=(Condition(field="*", op="contains", value="表格说明"),))
    tally = Tally()
    data = "n,a,b\n1,x,y\n2,,\n表格说明：必填,1,2\n3,/,\n4,z,\n".encode()
    found = rows(data, tally=tally, skip=(note,), empty=("/",))
    assert [row.fields["n"] for row in found if row.fields] == ["1", "4"]
    assert [row.position for row in found] == [0, 1]
    assert tally.skipped == {"empty": 2, "template-note": 1}


def test_another_separator_and_no_quotes_are_declared() -> None:
    assert values(b'a|b\n"1|2\n', delimiter="|", quote="") == [{"a": '"1', "b": "2"}]
    assert values(b"a\tb\n1\t2\n", delimiter="\t") == [{"a": "1", "b": "2"}]
