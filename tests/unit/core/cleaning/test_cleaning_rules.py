"""Every rule as a case: what is changed in a clean record, and which findings that must give."""

from datetime import date
from typing import Any

import msgspec
import pytest

from contracts.fault import Disposition
from contracts.licence_type import CrossRule, Issuer, ItemSpec, LicenceType
from contracts.record import Attachment, Holder, LicenceRecord, SourceClass
from core.cleaning import CATALOGUE, compile_rules

TODAY = date(2026, 11, 23)
TYPE_CODE = "11100000000013338W032"
ISSUER = "11220000013544541J"
COMPANY = Holder(name="上海某某食品有限公司", code="91310000MA7CX0HM9U", code_type="001")
PERSON = Holder(name="张三", code="11010519491231002X", code_type="111")
PLACEHOLDER = Holder(name="某某小吃店", code="00000000000000000X", code_type="001")
REGISTRATION_NUMBER = "110108000000016"
IDENTIFIER = f"1.2.156.3005.2.{TYPE_CODE}.{ISSUER}.2430599.001.F"

PERMIT = LicenceType(
    code=TYPE_CODE,
    name={"en": "Food permit", "zh-CN": "食品经营许可证"},
    required=(
        "licence_name",
        "licence_number",
        "issuer_name",
        "issuer_code",
        "issued_on",
        "valid_until",
        "holder.name",
    ),
    validity="required",
    issuers=(Issuer(code=ISSUER, regions=("220000", "3704")),),
    number_pattern=r"[A-Z]{2}[0-9]{4,14}",
    items={
        "KZ_NR": ItemSpec(label={"en": "content", "zh-CN": "许可内容"}, required=True, max_length=20),
        "KZ_LB": ItemSpec(label={"en": "category", "zh-CN": "许可类别"}, codes={"01": "普通", "02": "特许"}),
        "KZ_PH": ItemSpec(label={"en": "batch", "zh-CN": "批号"}, pattern=r"[A-Z]{1,3}-[0-9]+"),
        "KZ_SL": ItemSpec(label={"en": "quantity", "zh-CN": "数量"}, kind="number", minimum=1, maximum=100),
        "KZ_ZJ": ItemSpec(label={"en": "weight", "zh-CN": "总重"}, kind="number", minimum=0),
        "KZ_RQ": ItemSpec(label={"en": "day of inspection", "zh-CN": "检查日期"}, kind="date"),
        "KZ_BZ": ItemSpec(label={"en": "flagged", "zh-CN": "标志"}, kind="flag"),
        "KZ_DD": ItemSpec(
            label={"en": "places", "zh-CN": "地点"}, kind="list", fields={"MC": {"en": "name"}}, max_length=20
        ),
        "KZ_FR": ItemSpec(
            label={"en": "legal representative", "zh-CN": "法定代表人"}, max_length=5, personal=True
        ),
        "KZ_GSZC": ItemSpec(label={"en": "registration number", "zh-CN": "工商注册号"}),
        "KZ_XDRLB": ItemSpec(label={"en": "holder category", "zh-CN": "相对人类别"}),
    },
    cross_rules=(CrossRule(code="permit.from-issue", left="valid_from", op=">=", right="issued_on"),),
)
CLEAN: dict[str, Any] = {
    "licence_type": TYPE_CODE,
    "licence_name": "食品经营许可证",
    "licence_number": "JY13101120012345",
    "holders": (COMPANY,),
    "issuer_name": "某市市场监督管理局",
    "issuer_code": ISSUER,
    "region": "220100",
    "issued_on": date(2024, 5, 1),
    "valid_from": date(2024, 5, 1),
    "valid_until": date(2029, 4, 30),
    "items": {"KZ_NR": "食品销售"},
}


def with_items(**items: Any) -> dict[str, Any]:
    return {"items": {"KZ_NR": "食品销售", **items}}


def with_holder(**parts: Any) -> dict[str, Any]:
    return {"holders": (msgspec.structs.replace(COMPANY, **parts),)}


SCAN = Attachment(digest="a" * 64, media_type="image/png", size_bytes=1, name="页1.png")
ORIGINAL = Attachment(digest="b" * 64, media_type="application/ofd", size_bytes=1, name="原件.ofd")
TYPED, MATERIAL, APPROVAL, LIBRARY = (SourceClass(letter) for letter in "ABCE")

# what is changed in the clean record -> the (rule, pointer) findings, in order
CASES: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    # text
    ({"licence_name": "许可\x00证"}, [("text.forbidden-character", "/licence_name")]),
    (with_holder(name="张\ud800"), [("text.forbidden-character", "/holders/0/name")]),
    (with_items(KZ_PH="\u202eA-1"), [("text.forbidden-character", "/items/KZ_PH")]),
    (with_items(KZ_DD=[{"MC": "甲"}, {"MC": "\x1b"}]), [("text.forbidden-character", "/items/KZ_DD/1/MC")]),
    ({"items": {"KZ_NR": "食品销售", "KZ_\x00": 1}}, [("text.forbidden-character", "/items")]),
    ({"licence_name": "证" * 513}, [("text.too-long", "/licence_name")]),
    (
        {"licence_number": "JY" + "1" * 199},
        [("licence-number.pattern", "/licence_number"), ("text.too-long", "/licence_number")],
    ),
    (with_holder(name="名" * 513), [("text.too-long", "/holders/0/name")]),
    (with_holder(code="1" * 129, code_type="099"), [("text.too-long", "/holders/0/code")]),
    (with_items(KZ_NR="长" * 21), [("text.too-long", "/items/KZ_NR")]),
    (with_items(KZ_DD=[{"MC": "长" * 21}]), [("text.too-long", "/items/KZ_DD")]),
    (with_holder(name="上海?某公司"), [("name.special-character", "/holders/0/name")]),
    (with_holder(name="上海\ue123公司"), [("name.special-character", "/holders/0/name")]),
    ({"issuer_name": "某市\n某局"}, [("name.special-character", "/issuer_name")]),
    ({"verified_by": "核" * 513}, [("text.too-long", "/verified_by")]),
    ({"verified_by": "李\x00"}, [("text.forbidden-character", "/verified_by")]),
    (
        {"scans": (SCAN, msgspec.structs.replace(SCAN, name="a\x1b")), "source_class": TYPED},
        [("text.forbidden-character", "/scans/1/name")],
    ),
    # files
    ({"source_class": TYPED}, [("scan.missing", "/scans")]),
    (
        {"source_class": MATERIAL},
        [("scan.missing", "/scans"), ("verified-by.missing", "/verified_by")],
    ),
    (
        {"source_class": MATERIAL, "scans": (SCAN,), "verified_by": " 无 "},
        [("verified-by.missing", "/verified_by")],
    ),
    ({"source_class": APPROVAL}, [("scan.missing", "/scans")]),
    ({"scans": (SCAN,)}, [("scan.unexpected", "/scans")]),
    ({"original": ORIGINAL}, [("original.unexpected", "/original")]),
    ({"source_class": LIBRARY}, [("original.missing", "/original")]),
    (
        {"source_class": LIBRARY, "scans": (SCAN,)},
        [("scan.unexpected", "/scans"), ("original.missing", "/original")],
    ),
    (
        {"source_class": APPROVAL, "scans": (SCAN,), "original": ORIGINAL},
        [("original.unexpected", "/original")],
    ),
    # required
    ({"licence_name": ""}, [("required.missing", "/licence_name")]),
    ({"licence_number": " / "}, [("required.missing", "/licence_number")]),
    (
        {"issuer_name": "无", "issued_on": None},
        [("required.missing", "/issuer_name"), ("required.missing", "/issued_on")],
    ),
    ({"issuer_code": "－"}, [("required.missing", "/issuer_code")]),
    ({"holders": ()}, [("required.missing", "/holders/0/name")]),
    (
        {"holders": (COMPANY, Holder(code=PERSON.code, code_type="111"))},
        [("required.missing", "/holders/1/name")],
    ),
    ({"items": {}}, [("required.missing", "/items/KZ_NR")]),
    ({"items": {"KZ_NR": "无"}}, [("required.missing", "/items/KZ_NR")]),
    ({"valid_until": None}, [("required.missing", "/valid_until"), ("validity.missing", "/valid_until")]),
    ({"valid_until": None, "long_term": True, "licence_name": ""}, [("required.missing", "/licence_name")]),
    # type and number
    ({"licence_type": "11100000000013338W011"}, [("type.mismatch", "/licence_type")]),
    ({"licence_number": "鄂A-1"}, [("licence-number.pattern", "/licence_number")]),
    # holder
    (with_holder(code="91310000MA7CX0HM9"), [("uscc.length", "/holders/0/code")]),
    (with_holder(code="91310000MA7CX0HM9I"), [("uscc.alphabet", "/holders/0/code")]),
    (with_holder(code="913100A0MA7CX0HM9U"), [("uscc.division", "/holders/0/code")]),
    (with_holder(code="91310000MA7CX0HM9T"), [("uscc.check-digit", "/holders/0/code")]),
    (with_holder(code=PERSON.code), [("uscc.check-digit", "/holders/0/code")]),
    (with_holder(code=PERSON.code[:-1], code_type="111"), [("citizen-id.length", "/holders/0/code")]),
    (with_holder(code="A" * 18, code_type="111"), [("citizen-id.alphabet", "/holders/0/code")]),
    (with_holder(code="110105194902300024", code_type="111"), [("citizen-id.birth-date", "/holders/0/code")]),
    (
        with_holder(code="110105194912310021", code_type="111"),
        [("citizen-id.check-digit", "/holders/0/code")],
    ),
    (with_holder(code="999999200001010011", code_type="111"), [("citizen-id.division", "/holders/0/code")]),
    (
        {"holders": (COMPANY, msgspec.structs.replace(PERSON, code="1"))},
        [("citizen-id.length", "/holders/1/code")],
    ),
    (with_holder(code_type=""), [("holder.code-type-missing", "/holders/0/code_type")]),
    (with_holder(code_type="112"), [("holder.code-type-unknown", "/holders/0/code_type")]),
    ({"holders": (PLACEHOLDER,)}, [("holder.registration-number-missing", "/items/KZ_GSZC")]),
    (
        {"holders": (PLACEHOLDER,), **with_items(KZ_GSZC="110108000000015")},
        [("registration-number.check-digit", "/items/KZ_GSZC")],
    ),
    (
        {"holders": (PLACEHOLDER,), **with_items(KZ_GSZC="1234567890123")},
        [("registration-number.shape", "/items/KZ_GSZC")],
    ),
    (
        {"holders": (PLACEHOLDER,), **with_items(KZ_GSZC=REGISTRATION_NUMBER, KZ_XDRLB="法人及非法人组织")},
        [("uscc.placeholder", "/holders/0/code")],
    ),
    # issuer and region
    ({"issuer_code": "11220000013544541K"}, [("uscc.check-digit", "/issuer_code")]),
    ({"issuer_code": "220100"}, [("uscc.length", "/issuer_code")]),
    ({"issuer_code": "11310000MB2F056267"}, [("issuer.not-entitled", "/issuer_code")]),
    ({"region": "310100"}, [("issuer.region", "/region")]),
    ({"region": "370500"}, [("issuer.region", "/region")]),
    ({"region": "2201"}, [("division.shape", "/region")]),
    ({"region": "990100"}, [("division.province", "/region")]),
    # dates
    ({"issued_on": date(2026, 11, 25), "valid_from": None}, [("issued-on.future", "/issued_on")]),
    ({"valid_until": date(2024, 4, 30)}, [("validity.order", "/valid_until")]),
    ({"long_term": True}, [("validity.contradiction", "/valid_until")]),
    # identifier
    ({"identifier": IDENTIFIER.replace("3005", "3003")}, [("identifier.root", "/identifier")]),
    ({"identifier": IDENTIFIER[:-2]}, [("identifier.parts", "/identifier")]),
    ({"identifier": IDENTIFIER.replace(TYPE_CODE, "W032")}, [("identifier.type", "/identifier")]),
    ({"identifier": IDENTIFIER.replace(ISSUER, "2201")}, [("identifier.issuer", "/identifier")]),
    ({"identifier": IDENTIFIER.replace("2430599", "24-30")}, [("identifier.serial", "/identifier")]),
    ({"identifier": IDENTIFIER.replace("001.F", "1.F")}, [("identifier.version", "/identifier")]),
    ({"identifier": IDENTIFIER[:-1] + "G"}, [("identifier.check", "/identifier")]),
    (
        {"identifier": "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"},
        [("identifier.type-mismatch", "/identifier"), ("identifier.issuer-mismatch", "/identifier")],
    ),
    # items
    (with_items(KZ_XX="1"), [("item.undeclared", "/items/KZ_XX")]),
    (with_items(KZ_PH=7), [("item.kind", "/items/KZ_PH")]),
    (with_items(KZ_SL="many"), [("item.kind", "/items/KZ_SL")]),
    (with_items(KZ_SL=True), [("item.kind", "/items/KZ_SL")]),
    (with_items(KZ_SL=float("nan")), [("item.kind", "/items/KZ_SL")]),
    (with_items(KZ_RQ="2021-02-30"), [("item.kind", "/items/KZ_RQ")]),
    (with_items(KZ_BZ="yes"), [("item.kind", "/items/KZ_BZ")]),
    (with_items(KZ_DD=["甲"]), [("item.kind", "/items/KZ_DD")]),
    (with_items(KZ_DD=[{"MC": "甲", "XX": "乙"}]), [("item.field-undeclared", "/items/KZ_DD")]),
    (with_items(KZ_LB="许愿"), [("item.code-unknown", "/items/KZ_LB")]),
    (with_items(KZ_PH="A1"), [("item.pattern", "/items/KZ_PH")]),
    (with_items(KZ_PH="A-" + "1" * 99), [("item.pattern", "/items/KZ_PH")]),
    (with_items(KZ_SL=101), [("item.range", "/items/KZ_SL")]),
    (with_items(KZ_ZJ="-0.5"), [("item.range", "/items/KZ_ZJ")]),
    # declared
    ({"valid_from": date(2024, 4, 30)}, [("permit.from-issue", "/valid_from")]),
]
# changes of the type -> changes of the record -> findings
TYPE_CASES: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]]] = [
    ({"holder_code_types": ("111",)}, {}, [("holder.code-type-not-allowed", "/holders/0/code_type")]),
    ({"validity": "none", "required": ()}, {}, [("validity.unexpected", "/valid_until")]),
    ({"validity": "required", "required": ()}, {"valid_until": None}, [("validity.missing", "/valid_until")]),
    ({"issuers": ()}, {"issuer_code": "11310000MB2F056267", "region": "650000"}, []),
    ({"issuers": (Issuer(code=ISSUER),)}, {"region": "650000"}, []),
    (
        {"required": ("holder.code", "holder.code_type")},
        {"holders": ()},
        [("required.missing", "/holders/0/code"), ("required.missing", "/holders/0/code_type")],
    ),
]
# changes that leave the record without any finding
GENUINE: list[dict[str, Any]] = [
    {},
    {"holders": (PERSON,)},
    {"holders": (PERSON, COMPANY)},
    {"holders": (PLACEHOLDER,), **with_items(KZ_GSZC=REGISTRATION_NUMBER)},
    {"holders": (PLACEHOLDER,), **with_items(KZ_GSZC=REGISTRATION_NUMBER, KZ_XDRLB="个体工商户")},
    with_holder(code="", code_type=""),
    {"issued_on": date(2026, 11, 24), "valid_from": None},
    {"valid_until": None, "long_term": True},
    {"valid_from": date(2029, 4, 30)},
    {"region": "370402001"},
    {"region": ""},
    {"identifier": IDENTIFIER},
    {"identifier": "1.2.156.3005.2.11100000000013338W032.220100.2430599.001.E"},
    with_items(KZ_SL="12.5", KZ_ZJ=0, KZ_RQ="2021/5/1", KZ_BZ=False, KZ_DD=[{"MC": "甲"}], KZ_LB="特许", KZ_PH="AB-12"),
    with_items(KZ_RQ="长期"),
    {"source_class": TYPED, "scans": (SCAN,)},
    {"source_class": MATERIAL, "scans": (SCAN, SCAN), "verified_by": "李四"},
    {"source_class": APPROVAL, "scans": (SCAN,)},
    {"source_class": LIBRARY, "original": ORIGINAL},
    {"issuer_name": "O'Neill & Sons (Trading) Ltd. #2 @ Pier·A"},
]  # fmt: skip


def findings(licence_type: LicenceType, changes: dict[str, Any]) -> list[tuple[str, str]]:
    verdict = compile_rules(licence_type).clean(LicenceRecord(**(CLEAN | changes)), today=TODAY)
    return [(fault.rule, fault.pointer) for fault in verdict.faults]


@pytest.mark.parametrize(("changes", "expected"), CASES)
def test_a_broken_record_is_told_each_rule_and_place(
    changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert findings(PERMIT, changes) == expected


@pytest.mark.parametrize(("type_changes", "changes", "expected"), TYPE_CASES)
def test_the_type_decides_what_is_asked(
    type_changes: dict[str, Any], changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert findings(msgspec.structs.replace(PERMIT, **type_changes), changes) == expected


@pytest.mark.parametrize("changes", GENUINE)
def test_a_genuine_record_has_no_finding(changes: dict[str, Any]) -> None:
    assert findings(PERMIT, changes) == []


def test_every_rule_of_the_catalogue_is_reached_by_a_case() -> None:
    every = [expected for _, expected in CASES] + [expected for _, _, expected in TYPE_CASES]
    reached = {rule for expected in every for rule, _ in expected}
    assert reached - {"permit.from-issue"} == set(CATALOGUE)


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_rule_speaks_both_languages(code: str) -> None:
    rule = CATALOGUE[code]
    for english, chinese in ((rule.en, rule.zh), (rule.remedy_en, rule.remedy_zh)):
        assert english.replace("长期", "").isascii()
        assert any("\u4e00" <= character <= "\u9fff" for character in chinese)


def test_every_fault_is_complete_and_can_be_stored() -> None:
    for changes, _ in CASES:
        verdict = compile_rules(PERMIT).clean(LicenceRecord(**(CLEAN | changes)), today=TODAY)
        for fault in verdict.faults:
            assert "" not in (fault.message, fault.message_zh, fault.remedy, fault.remedy_zh)
            told = fault.message + fault.message_zh + fault.remedy + fault.remedy_zh
            assert "{" not in told.replace(PERMIT.number_pattern, "")
            msgspec.json.encode(fault.as_dict())


def test_the_disposition_is_the_one_the_rule_declares() -> None:
    for changes, expected in CASES:
        verdict = compile_rules(PERMIT).clean(LicenceRecord(**(CLEAN | changes)), today=TODAY)
        declared = [
            CATALOGUE[rule].disposition if rule in CATALOGUE else Disposition.QUARANTINE
            for rule, _ in expected
        ]
        assert [fault.disposition for fault in verdict.faults] == declared
