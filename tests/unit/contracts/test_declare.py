"""Faults of shape are told in words, in English and in whole Chinese."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest

from chinese import english_in
from contracts.declare import DeclarationError, described, load_declaration, parse_toml, value_faults
from contracts.interface import Interface, Name

INTERFACE: dict[str, Any] = {"name": "t", "department": "d", "licence_type": "T"}
Letters = Annotated[str, described("^[a-z]+$", "small letters", "为小写字母")]


@pytest.mark.parametrize(
    ("kind", "value", "message", "message_zh"),
    [
        (bool, "yes", "must be true or false", "应为true 或 false"),
        (int, "5", "must be a whole number", "应为整数"),
        (float, float("nan"), "must be a number", "应为数字"),
        (str | list[str], 5, "must be a text or a list", "应为文本或列表"),
        (Annotated[int, msgspec.Meta(ge=1)], 0, "must be at least 1", "应不小于 1"),
        (Annotated[float, msgspec.Meta(lt=2)], 2.5, "must be less than 2", "应小于 2"),
        (Annotated[str, msgspec.Meta(max_length=2)], "abc", "must be at most 2 characters long", "应最多有 2 个字符"),
        (Annotated[str, msgspec.Meta(pattern="^a{2}$")], "b", "must be of the form ^a{2}$", "应符合格式 ^a{2}$"),
        (Letters, "A", "must be small letters", "应为小写字母"),
        (date, "2026-02-30", "must be a date that exists (YYYY-MM-DD)", "应为真实存在的日期（YYYY-MM-DD）"),
        (Literal["left", "right"], "rigth", "must be one of 'left', 'right'", "只能取 'left', 'right' 之一"),
    ],
)  # fmt: skip
def test_what_a_value_must_be_is_said_in_words(
    kind: Any, value: object, message: str, message_zh: str
) -> None:
    (fault,) = value_faults(kind, value)
    assert (fault.message, fault.message_zh) == (message, message_zh)
    assert english_in(fault.remedy_zh) == []


def test_a_name_is_refused_in_words_and_not_with_a_regular_expression() -> None:
    (fault,) = value_faults(Name, "Not A Name")
    assert "small letters" in fault.message
    assert english_in(fault.message_zh) == []
    assert "^" not in fault.message + fault.message_zh


def test_dates_without_quotation_marks_are_faults_among_the_others() -> None:
    """TOML knows dates, declarations do not."""
    fields = {
        "issued_on": {"constant": date(2026, 1, 1)},
        "a": {"source": "b", "when": [datetime(2026, 1, 1, tzinfo=UTC)]},
    }
    with pytest.raises(DeclarationError) as caught:
        load_declaration(Interface, {**INTERFACE, "clock": date(2026, 1, 1), "rank": "x", "fields": fields})
    found = {(fault.rule.removeprefix("declaration."), fault.pointer) for fault in caught.value.faults}
    assert found >= {
        ("unquoted-date", "/clock"),
        ("unquoted-date", "/fields/issued_on/constant"),
        ("unquoted-date", "/fields/a/when/0"),
        ("type", "/rank"),
    }


@pytest.mark.parametrize(("text", "place"), [("a = 1\nb = ?", "第2行第5列"), ("a = [", "文件不完整")])
def test_a_slip_of_toml_is_placed_in_chinese_too(text: str, place: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        parse_toml(text)
    assert place in caught.value.faults[0].message_zh
    assert english_in(caught.value.faults[0].message_zh) == []
