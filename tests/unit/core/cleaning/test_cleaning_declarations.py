"""What a licence type may not declare, and that all of it is told at once."""

import time
import tomllib
from datetime import date
from typing import Any

import msgspec
import pytest

from chinese import english_in
from contracts.fault import Disposition
from contracts.licence_type import CrossRule, Issuer, ItemSpec, LicenceType, RuleOverride
from contracts.record import Holder, LicenceRecord
from core.cleaning import compile_rules
from core.cleaning.declaration import RULES
from core.cleaning.patterns import CostlyPattern, compile_pattern
from core.errors import ConfigError


def item(**parts: Any) -> dict[str, ItemSpec]:
    return {"KZ_A": ItemSpec(label={}, **parts)}


def cross(**parts: Any) -> tuple[CrossRule, ...]:
    return (CrossRule(**{"code": "permit.x", "op": "=", "left": "licence_name", **parts}),)


CASES: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"code": "PERMIT"}, [("identifier.type", "/code")]),
    ({"required": ("licence_name", "KZ_A")}, [("declaration.unknown-field", "/required/1")]),
    ({"rules": {"uscc.checkdigit": RuleOverride(disposition="warn")}}, [("declaration.unknown-rule", "/rules/uscc.checkdigit")]),
    (
        {"rules": {"text.forbidden-character": RuleOverride(disposition="warn")}},
        [("declaration.fixed-rule", "/rules/text.forbidden-character")],
    ),
    ({"rules": {"uscc.length": RuleOverride(disposition="off")}}, [("declaration.reason-missing", "/rules/uscc.length")]),
    ({"cross_rules": cross(value="x") * 2}, [("declaration.duplicate-rule", "/cross_rules/1")]),
    ({"cross_rules": cross(code="uscc.length", value="x")}, [("declaration.duplicate-rule", "/cross_rules/0")]),
    ({"cross_rules": cross()}, [("declaration.incomparable", "/cross_rules/0")]),
    ({"cross_rules": cross(value="x", right="region")}, [("declaration.incomparable", "/cross_rules/0")]),
    ({"cross_rules": cross(left="items.KZ_B", value="x")}, [("declaration.incomparable", "/cross_rules/0")]),
    ({"cross_rules": cross(right="issued_on")}, [("declaration.incomparable", "/cross_rules/0")]),
    ({"cross_rules": cross(left="issued_on", value="2021-02-30")}, [("declaration.incomparable", "/cross_rules/0")]),
    ({"cross_rules": cross(value=5)}, [("declaration.incomparable", "/cross_rules/0")]),
    ({"cross_rules": cross(left="long_term", op="<", value=True)}, [("declaration.incomparable", "/cross_rules/0")]),
    ({"cross_rules": cross(op="in", value="abc")}, [("declaration.incomparable", "/cross_rules/0")]),
    ({"cross_rules": cross(op="present", when=cross(left="x"))}, [("declaration.incomparable", "/cross_rules/0")]),
    ({"issuers": (Issuer(code="11220000013544541K"),)}, [("uscc.check-digit", "/issuers/0/code")]),
    ({"holder_code_types": ("001", "112")}, [("declaration.holder-code-type", "/holder_code_types/1")]),
    ({"number_pattern": "("}, [("declaration.pattern-syntax", "/number_pattern")]),
    ({"number_pattern": "(a+)+"}, [("declaration.pattern-costly", "/number_pattern")]),
    ({"items": item(pattern="[")}, [("declaration.pattern-syntax", "/items/KZ_A/pattern")]),
    ({"items": item(codes={"1": "甲", "2": "甲"})}, [("declaration.code-table", "/items/KZ_A/codes")]),
    ({"items": item(kind="number", minimum=2, maximum=1)}, [("declaration.range-empty", "/items/KZ_A/minimum")]),
    ({"items": item(minimum=0)}, [("declaration.kind-option", "/items/KZ_A/minimum")]),
    ({"items": item(kind="list", codes={"1": "甲"})}, [("declaration.kind-option", "/items/KZ_A/codes")]),
    (
        {"required": ("x",), "number_pattern": "(", "items": item(pattern="(a|aa)+")},
        [
            ("declaration.unknown-field", "/required/0"),
            ("declaration.pattern-syntax", "/number_pattern"),
            ("declaration.pattern-costly", "/items/KZ_A/pattern"),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "expected"), CASES)
def test_a_wrong_declaration_is_refused_with_every_fault_and_its_place(
    parts: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    with pytest.raises(ConfigError) as refused:
        compile_rules(LicenceType(**{"code": "1" * 21, "name": {}, **parts}))
    assert [(fault.rule, fault.pointer) for fault in refused.value.faults] == expected
    assert [english_in(fault.message_zh) for fault in refused.value.faults] == [[]] * len(expected)


def test_every_rule_of_declarations_is_reached_and_speaks_both_languages() -> None:
    reached = {place[0] for _, expected in CASES for place in expected}
    assert reached - {"uscc.check-digit", "identifier.type"} == {rule.code for rule in RULES}
    for rule in RULES:
        assert any("\u4e00" <= character <= "\u9fff" for character in rule.zh)
        assert any("\u4e00" <= character <= "\u9fff" for character in rule.remedy_zh)


def test_an_unknown_rule_is_answered_with_the_codes_it_may_have_meant() -> None:
    with pytest.raises(ConfigError) as refused:
        compile_rules(
            LicenceType(code="1" * 21, name={}, rules={"uscc.checkdigit": RuleOverride(disposition="warn")})
        )
    assert "uscc.check-digit" in refused.value.faults[0].remedy


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        (r"鄂[A-Z]{1,3}\d{4,8}-\d{1,4}", "鄂AB12345-12", True),
        (r"鄂[A-Z]{1,3}\d{4,8}-\d{1,4}", "鄂AB12345", False),
        (r"(?:SF|LA)-[^]\]]+", "SF-12", True),
        (r"(?P<year>20\d\d)(a|b){2}x?", "2021abx", True),
        (r"[\w-]+@[\w.]+", "a@b.c", True),
        (r"a{,3}{", "aa{", True),
        (r"\(\d+\)|x{2}y*?", "xxyy", True),
        (r"\d+", "1" * 101, False),
        ("", "", True),
    ],
)
def test_a_sound_pattern_matches_whole_texts(pattern: str, text: str, fits: bool) -> None:
    assert compile_pattern(pattern)(text) is fits


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*)*b",
        "(a|aa)+",
        "([A-Z]+[0-9]*)+x",
        ".*.*.*.*x",
        "(a?){60}b",
        r"(a)\1",
        "(?=a)a",
        "(?i)a",
        "(?:(?:a{1,9}){1,9}){1,9}",
    ],
)
def test_a_pattern_that_could_take_very_long_is_refused(pattern: str) -> None:
    with pytest.raises(CostlyPattern) as refused:
        compile_pattern(pattern)
    assert english_in(refused.value.why_zh) == []


@pytest.mark.parametrize(
    "pattern", [".*.*.*x", "[ab]+[ab]+[ab]+x", "(?:a?){20}a{21}x", "(?:a|aa){20}x", "(a{1,4}){10}x"]
)
@pytest.mark.parametrize("text", ["a" * 99 + "!", "a" * 30], ids=["long", "short"])
def test_the_worst_patterns_that_are_accepted_are_done_in_well_under_a_second(
    pattern: str, text: str
) -> None:
    matches = compile_pattern(pattern)
    started = time.perf_counter()
    assert not matches(text)
    assert time.perf_counter() - started < 0.8


def test_a_type_declared_in_toml_is_compiled_with_its_rules() -> None:
    text = """
code = "11100000000013338W032"
name = { en = "Permit", "zh-CN" = "许可证" }
[items.KZ_LB]
label = { en = "category", "zh-CN" = "类别" }
codes = { "01" = "普通" }
[rules."uscc.check-digit"]
disposition = "quarantine"
[rules."division.province"]
disposition = "off"
reason = "codes of another country"
[[cross_rules]]
code = "permit.from-issue"
left = "valid_from"
op = ">="
right = "issued_on"
when = [{ code = "only-ordinary", left = "items.KZ_LB", op = "=", value = "01" }]
"""
    cleaner = compile_rules(msgspec.convert(tomllib.loads(text), LicenceType))
    record = LicenceRecord(
        licence_type="11100000000013338W032",
        licence_name="许可证",
        licence_number="1",
        holders=(Holder(name="某公司"),),
        issuer_name="某局",
        issuer_code="11220000013544541K",
        region="990000",
        issued_on=date(2024, 5, 2),
        valid_from=date(2024, 5, 1),
        items={"KZ_LB": "普通"},
    )
    verdict = cleaner.clean(record, today=date(2026, 11, 23))
    assert [fault.rule for fault in verdict.faults] == ["uscc.check-digit", "permit.from-issue"]
    assert verdict.disposition is Disposition.QUARANTINE
