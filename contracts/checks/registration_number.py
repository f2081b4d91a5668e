"""工商注册号, the 15-digit business registration number (GS15-2006), closed by ISO 7064 MOD 11,10."""

import re

from contracts.fault import Fault, Rule

SHAPE_RULE = Rule(
    code="registration-number.shape",
    en="a business registration number has 15 digits",
    zh="工商注册号应为15位数字",
    remedy_en="send the 15 digits of the business licence",
    remedy_zh="请提供营业执照上的15位注册号",
)
CHECK_DIGIT_RULE = Rule(
    code="registration-number.check-digit",
    en="the check digit should be {expected}",
    zh="校验码应为{expected}",
    remedy_en="compare the number with the business licence",
    remedy_zh="请与营业执照核对注册号",
)
RULES = (SHAPE_RULE, CHECK_DIGIT_RULE)

_SHAPE = re.compile(r"[0-9]{15}").fullmatch
_BODY = re.compile(r"[0-9]{14}").fullmatch


def check_character(body: str) -> str:
    """The check digit of the first 14 digits; raises ValueError on anything else."""
    if not _BODY(body):
        raise ValueError("the body must be 14 digits")
    product = 10
    for digit in map(int, body):
        product = ((product + digit) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


def is_valid(text: str) -> bool:
    """Whether ``text`` is 15 digits closed by the right check digit."""
    return _SHAPE(text) is not None and check_character(text[:14]) == text[14]


def fault(text: str, pointer: str = "") -> Fault | None:
    """What is wrong with ``text``, or None."""
    if not _SHAPE(text):
        return SHAPE_RULE.at(pointer, text)
    expected = check_character(text[:14])
    return None if expected == text[14] else CHECK_DIGIT_RULE.at(pointer, text, expected=expected)
