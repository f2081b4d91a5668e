"""What a cleaner does around its rules: normal form, weights, places, masks, the end of a licence."""

from datetime import date
from typing import Any

import msgspec
import pytest

from contracts.fault import Disposition
from contracts.licence_type import CrossRule, ItemSpec, LicenceType, RuleOverride
from contracts.record import Holder, LicenceRecord, Status
from core.cleaning import Verdict, compile_rules

TODAY = date(2026, 11, 23)
PERMIT = LicenceType(
    code="11100000000013338W032",
    name={"en": "Permit"},
    items={
        "KZ_LB": ItemSpec(label={}, codes={"01": "普通", "02": "特许"}),
        "KZ_RQ": ItemSpec(label={}, kind="date"),
        "KZ_SL": ItemSpec(label={}, kind="number", minimum=1),
        "KZ_FR": ItemSpec(label={"en": "representative", "zh-CN": "代表人"}, max_length=4, personal=True),
        "KZ_NR": ItemSpec(label={}),
    },
)
CLEAN = LicenceRecord(
    licence_type="11100000000013338W032",
    licence_name="许可证",
    licence_number="JY1",
    holders=(Holder(name="某公司", code="91310000MA7CX0HM9U", code_type="001"),),
    issuer_name="某局",
    issuer_code="11220000013544541J",
    issued_on=date(2024, 5, 1),
    valid_from=date(2024, 5, 1),
    valid_until=date(2029, 4, 30),
)


def changed(**changes: Any) -> LicenceRecord:
    return msgspec.structs.replace(CLEAN, **changes)


def clean(record: LicenceRecord, **type_changes: Any) -> Verdict:
    return compile_rules(msgspec.structs.replace(PERMIT, **type_changes)).clean(record, today=TODAY)


def test_a_record_in_normal_form_is_given_back_itself() -> None:
    verdict = clean(CLEAN)
    assert verdict.record is CLEAN
    assert verdict == Verdict(CLEAN)
    assert verdict.passes
    assert verdict.disposition is None


@pytest.mark.parametrize(
    ("sent", "normal"),
    [
        ({"licence_number": " 鄂〔2021〕1号 "}, {"licence_number": "鄂〔2021〕1号"}),
        ({"licence_name": "\u3000许可证\n"}, {"licence_name": "许可证"}),
        ({"issuer_code": "１1220000 013544541j"}, {"issuer_code": "11220000013544541J"}),
        ({"region": " 220100"}, {"region": "220100"}),
        ({"region": "/"}, {"region": ""}),
        (
            {"identifier": " 1.2.156.3005.2.11100000000013338w032.11220000013544541J.2430599.001.F"},
            {"identifier": "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F"},
        ),
        ({"valid_until": date(2099, 12, 31)}, {"valid_until": None, "long_term": True}),
        ({"items": {"KZ_NR": " 甲 乙 ", "KZ_LB": "/", "KZ_FR": None}}, {"items": {"KZ_NR": "甲 乙"}}),
        ({"items": {"KZ_NR": "——"}}, {"items": {}}),
        ({"items": {"KZ_LB": "特 许"}}, {"items": {"KZ_LB": "02"}}),
        ({"items": {"KZ_LB": "０１"}}, {"items": {"KZ_LB": "01"}}),
        ({"items": {"KZ_RQ": "2021年5月1日"}}, {"items": {"KZ_RQ": "2021-05-01"}}),
        ({"items": {"KZ_RQ": "2099/12/31"}}, {"items": {"KZ_RQ": "长期"}}),
        ({"items": {"KZ_RQ": "2099-12-31"}}, {"items": {"KZ_RQ": "长期"}}),
        ({"items": {"KZ_NR": "", "KZ_SL": 0.5 * 4}}, {"items": {"KZ_SL": 2.0}}),
    ],
)
def test_a_record_is_brought_to_its_normal_form(sent: dict[str, Any], normal: dict[str, Any]) -> None:
    verdict = clean(changed(**sent))
    assert verdict.record == changed(**normal)
    assert verdict.faults == ()


@pytest.mark.parametrize(
    ("sent", "normal"),
    [
        (
            Holder(name=" 张三 ", code="110105 491231002", code_type="公民身份号码"),
            Holder(name="张三", code="11010519491231002X", code_type="111"),
        ),
        (
            Holder(name="某公司", code="91310000ma7cx0hm9u", code_type="００１"),
            Holder(name="某公司", code="91310000MA7CX0HM9U", code_type="001"),
        ),
        (Holder(name="某公司", code="无", code_type="/"), Holder(name="某公司")),
    ],
)
def test_a_holder_is_brought_to_its_normal_form(sent: Holder, normal: Holder) -> None:
    verdict = clean(changed(holders=(sent,)))
    assert verdict.record.holders == (normal,)
    assert verdict.faults == ()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, None),
        ({"valid_until": TODAY}, None),
        ({"valid_until": date(2026, 11, 22)}, Status.EXPIRED),
        ({"valid_until": None, "long_term": True}, None),
        ({"status": Status.REVOKED}, Status.REVOKED),
        ({"status": Status.CANCELLED, "valid_until": date(2025, 1, 1)}, Status.CANCELLED),
        ({"status": Status.SUSPENDED}, None),
        ({"status": Status.SUSPENDED, "valid_until": date(2025, 1, 1)}, Status.EXPIRED),
    ],
)
def test_a_licence_that_has_ended_is_genuine_and_says_how_it_ended(
    changes: dict[str, Any], status: Status | None
) -> None:
    verdict = clean(changed(**changes))
    assert verdict.ended is status
    assert verdict.passes


def test_a_type_changes_what_a_finding_leads_to() -> None:
    record = changed(issuer_code="11220000013544541K")
    assert clean(record).disposition is Disposition.REJECT
    override = {"uscc.check-digit": RuleOverride(disposition="quarantine")}
    assert clean(record, rules=override).disposition is Disposition.QUARANTINE
    warned = clean(record, rules={"uscc.check-digit": RuleOverride(disposition="warn")})
    assert warned.passes
    assert [fault.disposition for fault in warned.faults] == [Disposition.WARN]


def test_a_rule_switched_off_for_a_reason_is_silent() -> None:
    override = {"uscc.check-digit": RuleOverride(disposition="off", reason="codes of before 2015")}
    assert clean(changed(issuer_code="11220000013544541K"), rules=override).faults == ()


def test_a_finding_names_the_column_it_came_from_and_the_canonical_place() -> None:
    record = changed(
        holders=(Holder(name="某公司", code="91310000MA7CX0HM9T", code_type="001"),), items={"KZ_LB": "许愿"}
    )
    columns = {"holder.code": "/XK_XDR_SHXYM", "items.KZ_LB": "/XK_XKLB"}
    verdict = compile_rules(PERMIT).clean(record, today=TODAY, source=columns)
    places = [(fault.rule, fault.pointer, fault.field) for fault in verdict.faults]
    assert places == [
        ("uscc.check-digit", "/XK_XDR_SHXYM", "/holders/0/code"),
        ("item.code-unknown", "/XK_XKLB", "/items/KZ_LB"),
    ]
    assert verdict.faults[0].as_dict()["field"] == "/holders/0/code"


@pytest.mark.parametrize(
    ("changes", "secret"),
    [
        ({"holders": (Holder(name="张三?丰", code="11010519491231002X", code_type="111"),)}, "张三?丰"),
        ({"holders": (Holder(name="张三", code="110105194912310021", code_type="111"),)}, "11010519491231"),
        ({"holders": (Holder(name="张三", code="11010519491231002X", code_type="001"),)}, "11010519491231"),
        ({"holders": (Holder(name="张三", code="110105194912310021", code_type="001"),)}, "11010519491231"),
        ({"holders": (Holder(name="张\x00三", code_type=""),)}, "张"),
        ({"items": {"KZ_FR": "买买提江阿不都"}}, "买买提"),
    ],
)
def test_personal_values_are_masked(changes: dict[str, Any], secret: str) -> None:
    verdict = clean(changed(**changes))
    assert verdict.faults
    assert all(secret not in str(fault.as_dict()) for fault in verdict.faults)


def test_a_record_that_cannot_be_stored_is_judged_no_further() -> None:
    verdict = clean(changed(licence_name="\ud800", issuer_code="1"))
    assert [fault.rule for fault in verdict.faults] == ["text.forbidden-character"]
    assert verdict.faults[0].value == "\\ud800"
    assert verdict.disposition is Disposition.REJECT


def cross(**parts: Any) -> CrossRule:
    return CrossRule(code="permit.x", **parts)


@pytest.mark.parametrize(
    ("rule", "changes", "fires"),
    [
        (cross(left="valid_from", op=">=", right="issued_on"), {}, False),
        (cross(left="valid_from", op=">", right="issued_on"), {}, True),
        (cross(left="valid_from", op=">", right="issued_on"), {"valid_from": None}, False),
        (cross(left="issued_on", op="<", value="2024-05-01"), {}, True),
        (cross(left="issued_on", op="<=", value="2024-05-01"), {}, False),
        (cross(left="licence_name", op="=", value="许可证"), {}, False),
        (cross(left="licence_name", op="!=", value="许可证"), {}, True),
        (cross(left="holder.code_type", op="in", value=["111"]), {}, True),
        (cross(left="holder.code_type", op="in", value=["001"]), {}, False),
        (cross(left="holder.code_type", op="not-in", value=["001"]), {}, True),
        (
            cross(left="holder.code_type", op="in", value=["111"]),
            {"holders": (Holder(name="某公司"),)},
            False,
        ),
        (cross(left="items.KZ_NR", op="present"), {}, True),
        (cross(left="items.KZ_NR", op="present"), {"items": {"KZ_NR": "甲"}}, False),
        (cross(left="items.KZ_NR", op="absent"), {"items": {"KZ_NR": "甲"}}, True),
        (cross(left="items.KZ_SL", op=">=", value=10), {"items": {"KZ_SL": "9.5"}}, True),
        (cross(left="items.KZ_SL", op=">=", value=10), {"items": {"KZ_SL": "10"}}, False),
        (cross(left="items.KZ_RQ", op="<=", right="issued_on"), {"items": {"KZ_RQ": "2024/5/2"}}, True),
        (cross(left="long_term", op="=", value=True), {}, True),
        (cross(left="status", op="=", value="valid"), {"status": Status.SUSPENDED}, True),
        (
            cross(left="items.KZ_NR", op="present", when=(cross(left="items.KZ_LB", op="=", value="02"),)),
            {},
            False,
        ),
        (
            cross(left="items.KZ_NR", op="present", when=(cross(left="items.KZ_LB", op="=", value="02"),)),
            {"items": {"KZ_LB": "特许"}},
            True,
        ),
        (
            cross(left="items.KZ_NR", op="present", when=(cross(left="items.KZ_LB", op="!=", value="02"),)),
            {"items": {"KZ_LB": "02"}},
            False,
        ),
    ],
)
def test_a_declared_comparison_fires_exactly_when_it_is_broken(
    rule: CrossRule, changes: dict[str, Any], fires: bool
) -> None:
    verdict = clean(changed(**changes), cross_rules=(rule,))
    assert [fault.rule for fault in verdict.faults] == (["permit.x"] if fires else [])


def test_a_declared_comparison_brings_its_own_texts_and_weight() -> None:
    rule = cross(
        left="issued_on",
        op="<",
        value="2024-01-01",
        message={"en": "{new} law", "zh-CN": "新法"},
        remedy={"en": "ask", "zh-CN": "询问"},
        disposition=Disposition.WARN,
    )
    (fault,) = clean(CLEAN, cross_rules=(rule,)).faults
    assert (fault.message, fault.message_zh, fault.remedy, fault.remedy_zh) == (
        "{new} law",
        "新法",
        "ask",
        "询问",
    )
    assert (fault.pointer, fault.value, fault.disposition) == ("/issued_on", "2024-05-01", Disposition.WARN)


@pytest.mark.parametrize(
    ("holder", "shown"),
    [
        (Holder(name="某公司", code="91310000MA7CX0HM9U", code_type="001"), "91310000MA7CX0HM9U"),
        (Holder(name="张三", code="11010519491231002X", code_type="111"), "**************002X"),
    ],
)
def test_a_declared_comparison_masks_the_code_of_a_person(holder: Holder, shown: str) -> None:
    rule = cross(left="holder.code", op="absent")
    (fault,) = clean(changed(holders=(holder,)), cross_rules=(rule,)).faults
    assert fault.value == shown
