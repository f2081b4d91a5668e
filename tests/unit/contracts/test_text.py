"""Normal forms by example."""

import pytest

from contracts.text import (
    escaped,
    fold,
    forbidden_character,
    is_empty,
    normalise_licence_number,
    normalise_name,
)


@pytest.mark.parametrize(
    ("printed", "key"),
    [
        ("京食药〔2021〕第12号", "京食药(2021)第12号"),
        ("京食药[2021] 第 12 号", "京食药(2021)第12号"),
        ("京食药（２０２１）第12号", "京食药(2021)第12号"),
        ("jy-1310 1120", "JY13101120"),
        ("JY1310.1120", "JY1310-1120"),
        ("2021－1—23", "2021-1-23"),
        ("A--1_2", "A1-2"),
        ("京-食/A-B", "京食A-B"),
        ("-2021-", "2021"),
        ("\ufeff12\u200b34\t", "1234"),
        ("①2", "①2"),
    ],
)
def test_a_licence_number_has_one_key_however_it_is_printed(printed: str, key: str) -> None:
    assert normalise_licence_number(printed) == key


def test_numbers_that_differ_only_in_where_they_are_parted_stay_apart() -> None:
    assert normalise_licence_number("2021-1-23") != normalise_licence_number("2021-12-3")
    assert normalise_licence_number("①2") != normalise_licence_number("12")


@pytest.mark.parametrize(
    ("printed", "key"),
    [
        ("张 三", "张三"),
        (" 上海（中国）有限公司 ", "上海(中国)有限公司"),
        ("Acme  Trading Ltd.", "ACME TRADING LTD."),
        ("Ａｃｍｅ 贸易", "ACME贸易"),
    ],
)
def test_a_name_is_compared_without_regard_to_width_brackets_and_spaces(printed: str, key: str) -> None:
    assert normalise_name(printed) == key


@pytest.mark.parametrize("text", ["", " ", "/", "／", "无", "-", "－", "—", " / ", "\u3000"])
def test_the_markers_of_spreadsheets_mean_empty(text: str) -> None:
    assert is_empty(text)


@pytest.mark.parametrize("text", ["0", "无锡", "-1", "A/B", "无" * 9])
def test_a_value_is_not_empty(text: str) -> None:
    assert not is_empty(text)


@pytest.mark.parametrize(
    "character", ["\x00", "\x1b", "\x7f", "\x9f", "\ud800", "\u202e", "\u2066", "\ufffe"]
)
def test_a_character_that_no_text_may_hold_is_found_and_can_be_shown(character: str) -> None:
    text = f"甲{character}乙"
    assert forbidden_character(text) == character
    assert escaped(text) == f"甲\\u{ord(character):04x}乙"
    escaped(text).encode()


def test_tabs_line_ends_and_rare_characters_are_allowed() -> None:
    assert forbidden_character("甲\t乙\r\n丙\u3000𠮷\u200b") is None


def test_codes_fold_to_half_width_upper_case_without_spaces() -> None:
    assert fold(" ９１３１ 0000ma７cx0hm9u\n") == "91310000MA7CX0HM9U"
