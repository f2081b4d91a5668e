"""ISO 7064 MOD 37,36: the hybrid check over digits and letters that closes a licence identifier (GB/T 36904)."""

import re

from contracts.fault import Fault, Rule

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

ALPHABET_RULE = Rule(
    code="mod37-36.alphabet",
    en="only digits and the letters A to Z may stand here",
    zh="此处只能使用数字和大写字母A至Z",
    remedy_en="remove every other character and use capital letters",
    remedy_zh="请去掉其他字符并使用大写字母",
)
CHECK_DIGIT_RULE = Rule(
    code="mod37-36.check-digit",
    en="the check character should be {expected}",
    zh="校验位应为{expected}",
    remedy_en="compare the text with the original; do not just replace the check character",
    remedy_zh="请与原件核对，不要只改校验位",
)
RULES = (ALPHABET_RULE, CHECK_DIGIT_RULE)

_TEXT = re.compile(r"[0-9A-Z]+").fullmatch
_VALUES = bytes.maketrans(ALPHABET.encode(), bytes(range(36)))


def check_character(body: str) -> str:
    """The check character of ``body``; raises ValueError on characters outside ``ALPHABET`` or an empty body."""
    if not _TEXT(body):
        raise ValueError("the body must be made of 0-9 and A-Z")
    remainder = 36
    for value in body.encode("ascii").translate(_VALUES):
        remainder = ((remainder + value) % 36 or 36) * 2 % 37
    return ALPHABET[(37 - remainder) % 36]


def is_valid(text: str) -> bool:
    """Whether the last character is the check character of the rest."""
    return len(text) > 1 and _TEXT(text) is not None and check_character(text[:-1]) == text[-1]


def fault(text: str, pointer: str = "") -> Fault | None:
    """What is wrong with ``text``, or None."""
    if len(text) < 2 or not _TEXT(text):
        return ALPHABET_RULE.at(pointer, text)
    expected = check_character(text[:-1])
    return None if expected == text[-1] else CHECK_DIGIT_RULE.at(pointer, text, expected=expected)
