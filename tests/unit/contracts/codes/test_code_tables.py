"""Code tables: what is in them, and how leniently they are read."""

import pytest

from contracts.codes import TABLES, division, holder, publicity
from contracts.codes.table import CodeTable
from contracts.record import Status


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_code_leads_to_its_text_and_back(name: str) -> None:
    table = TABLES[name]
    assert len(table) > 1
    for code in table:
        text = table.text(code)
        assert text
        assert table.code(text) == code
        assert table.resolve(text) == code
        assert table.resolve(code) == code
        assert code in table


def test_the_holder_code_types_are_those_of_annex_a() -> None:
    assert " ".join(holder.CODE_TYPES) == "001 099 111 114 115 118 119 120 122 411 412 413 414 511 516 999"
    assert holder.CODE_TYPES.text("516") == "港澳居民来往内地通行证号码"
    assert [code for code in holder.CODE_TYPES if not holder.is_natural_person(code)] == ["001", "099"]


@pytest.mark.parametrize("value", ["1 11", "１１１", "公民身份号码", " 公民 身份 号码 ", "身份证"])
def test_a_table_is_lenient_on_width_and_spaces(value: str) -> None:
    assert holder.CODE_TYPES.resolve(value) == "111"


def test_an_unknown_code_or_text_gives_none() -> None:
    assert holder.CODE_TYPES.text("112") is None
    assert holder.CODE_TYPES.code("护士证") is None
    assert holder.CODE_TYPES.resolve("112") is None


def test_a_table_in_which_a_text_means_two_codes_is_refused() -> None:
    with pytest.raises(ValueError, match="one code"):
        CodeTable("x", {"1": "甲", "2": "甲"})
    with pytest.raises(ValueError, match="one code"):
        CodeTable("x", {"1": "甲"}, aliases={"乙": "3"})


@pytest.mark.parametrize(
    ("sent", "code"),
    [("普通", "01"), ("其他（-备案）", "06"), ("其他-备案", "06"), ("04", "04"), ("许愿", None)],
)
def test_a_permit_category_is_read_as_text_or_code(sent: str, code: str | None) -> None:
    assert publicity.permit_category(sent) == code


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("身份证", "111"),
        ("01", "111"),
        ("护照号", "414"),
        ("03", "516"),
        ("04", "511"),
        ("05", "999"),
        ("其他-军官证", "999"),
        ("驾照", None),
    ],
)
def test_a_certificate_type_leads_to_the_holder_code_type(sent: str, code: str | None) -> None:
    assert publicity.holder_code_type(sent) == code


def test_every_mapped_holder_code_type_is_in_annex_a() -> None:
    assert set(publicity.HOLDER_CODE_TYPES) == set(publicity.CERTIFICATE_TYPES)
    assert set(holder.FROM_GUANGDONG) == set(holder.GUANGDONG_TYPES)
    assert {*publicity.HOLDER_CODE_TYPES.values(), *holder.FROM_GUANGDONG.values()} <= set(holder.CODE_TYPES)


def test_state_one_means_valid_in_one_edition_and_withdrawn_in_the_other() -> None:
    assert publicity.STATUS_OF_STATE["1"] is Status.VALID
    assert publicity.STATUS_OF_OLD_STATE["1"] is Status.WITHDRAWN
    assert publicity.OLD_STATES.code("") == "0"


@pytest.mark.parametrize(
    "code", ["370402", "370000", "100000", "370402001", "370402001002", "710000", "820000"]
)
def test_a_division_of_six_nine_or_twelve_digits_is_accepted(code: str) -> None:
    assert division.is_valid(code)
    assert division.fault(code) is None


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("37", "division.shape"),
        ("37040２", "division.shape"),
        ("3704021", "division.shape"),
        ("990000", "division.province"),
    ],
)
def test_another_division_is_told_what_is_wrong(code: str, rule: str) -> None:
    fault = division.fault(code)
    assert fault is not None
    assert fault.rule == rule


@pytest.mark.parametrize(
    ("code", "prefix"),
    [
        ("370000", "37"),
        ("370400", "3704"),
        ("370402", "370402"),
        ("100000", ""),
        ("370402001", "370402001"),
        ("37", "37"),
    ],
)
def test_a_division_gives_the_digits_that_all_within_it_begin_with(code: str, prefix: str) -> None:
    assert division.prefix(code) == prefix
