"""行政区划: administrative divisions (GB/T 2260), judged by shape and province.

Divisions below the province are founded and withdrawn every year, and old licences keep theirs; so only the province is
looked up. Accepted are 6 digits (to the county), 9 (GB/T 10114: to the town) and 12 (to the village).
"""

import re

from contracts.fault import Disposition, Fault, Rule

PROVINCES: dict[str, str] = {
    "11": "北京市",
    "12": "天津市",
    "13": "河北省",
    "14": "山西省",
    "15": "内蒙古自治区",
    "21": "辽宁省",
    "22": "吉林省",
    "23": "黑龙江省",
    "31": "上海市",
    "32": "江苏省",
    "33": "浙江省",
    "34": "安徽省",
    "35": "福建省",
    "36": "江西省",
    "37": "山东省",
    "41": "河南省",
    "42": "湖北省",
    "43": "湖南省",
    "44": "广东省",
    "45": "广西壮族自治区",
    "46": "海南省",
    "50": "重庆市",
    "51": "四川省",
    "52": "贵州省",
    "53": "云南省",
    "54": "西藏自治区",
    "61": "陕西省",
    "62": "甘肃省",
    "63": "青海省",
    "64": "宁夏回族自治区",
    "65": "新疆维吾尔自治区",
    "71": "台湾省",
    "81": "香港特别行政区",
    "82": "澳门特别行政区",
}
NATION = "100000"
"""The code that nationwide bodies use."""

SHAPE_RULE = Rule(
    code="division.shape",
    en="an administrative division code has 6, 9 or 12 digits",
    zh="行政区划代码应为6位、9位或12位数字",
    remedy_en="send the division code of GB/T 2260, without a name",
    remedy_zh="请提供GB/T 2260规定的行政区划代码，不含名称",
)
PROVINCE_RULE = Rule(
    code="division.province",
    en="no province has a code that begins with {prefix}",
    zh="没有以{prefix}开头的省级行政区划",
    remedy_en="compare the code with GB/T 2260",
    remedy_zh="请与GB/T 2260核对该代码",
    disposition=Disposition.QUARANTINE,
)
RULES = (SHAPE_RULE, PROVINCE_RULE)

_SHAPE = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,2}").fullmatch


def is_valid(code: str) -> bool:
    """Whether ``code`` has an accepted length and begins with a province, or is the nation's."""
    return _SHAPE(code) is not None and (code[:2] in PROVINCES or code[:6] == NATION)


def fault(code: str, pointer: str = "") -> Fault | None:
    """What is wrong with ``code``, or None."""
    if is_valid(code):
        return None
    return PROVINCE_RULE.at(pointer, code, prefix=code[:2]) if _SHAPE(code) else SHAPE_RULE.at(pointer, code)


def prefix(code: str) -> str:
    """The digits that every division within ``code`` begins with: ``37`` for ``370000``, nothing for the nation's."""
    if code == NATION:
        return ""
    if len(code) != 6:
        return code
    return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code
