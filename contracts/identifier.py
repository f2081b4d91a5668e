"""电子证照标识, the national licence identifier (GB/T 36904).

``1.2.156.3005.2.<type code>.<issuer code>.<serial>.<version>.<check>``; the check character (ISO 7064 MOD 37,36) covers type,
issuer, serial and version without dots and without the root.
"""

import re
from random import Random

import msgspec

from contracts.checks import mod37_36
from contracts.fault import Disposition, Fault, Rule
from contracts.text import fold, normalise_licence_number

ROOT = "1.2.156.3005.2"
SERIAL_LIMIT = 64
"""Longest serial made from a licence number; longer numbers get a random one, so that the text stays below 128 characters."""
RANDOM_SERIAL_LENGTH = 20

ROOT_RULE = Rule(
    code="identifier.root",
    en="a licence identifier begins with 1.2.156.3005.2, this one with {root}",
    zh="电子证照标识应以1.2.156.3005.2开头，实际为{root}",
    remedy_en="send the identifier as GB/T 36904 forms it, or leave it out: the hub then assigns one",
    remedy_zh="请按GB/T 36904提供标识，或留空由系统赋码",
)
PARTS_RULE = Rule(
    code="identifier.parts",
    en="five parts must follow the root (type, issuer, serial, version, check), here there are {count}",
    zh="根标识之后应有5个部分（类型、机构、流水号、版本号、校验位），实际为{count}个",
    remedy_en="send the whole identifier, or leave it out: the hub then assigns one",
    remedy_zh="请提供完整标识，或留空由系统赋码",
)
TYPE_RULE = Rule(
    code="identifier.type",
    en="the type code must have 21 digits and letters",
    zh="证照类型代码应为21位数字和字母",
    remedy_en="use the 21-character code of the licence type",
    remedy_zh="请使用21位证照类型代码",
)
ISSUER_RULE = Rule(
    code="identifier.issuer",
    en="the issuer code must be an 18-character unified social credit code (or, in old data, 6 digits)",
    zh="颁发机构代码应为18位统一社会信用代码（旧数据可为6位区划代码）",
    remedy_en="use the unified social credit code of the issuing authority",
    remedy_zh="请使用颁发机构的统一社会信用代码",
)
SERIAL_RULE = Rule(
    code="identifier.serial",
    en="the serial may hold only digits and the letters A to Z",
    zh="流水号只能包含数字和大写字母A至Z",
    remedy_en="strip Chinese characters and punctuation from the serial",
    remedy_zh="请去掉流水号中的汉字和标点",
)
VERSION_RULE = Rule(
    code="identifier.version",
    en="the version must be three digits from 001 on",
    zh="版本号应为3位数字，从001开始",
    remedy_en="write the version with three digits, 001 for the first issue",
    remedy_zh="请用3位数字书写版本号，首次颁发为001",
)
CHECK_RULE = Rule(
    code="identifier.check",
    en="the check character should be {expected}",
    zh="校验位应为{expected}",
    remedy_en="compare the identifier with the one on the licence file; do not just replace the check character",
    remedy_zh="请与证照文件上的标识核对，不要只改校验位",
    disposition=Disposition.QUARANTINE,
)
RULES = (ROOT_RULE, PARTS_RULE, TYPE_RULE, ISSUER_RULE, SERIAL_RULE, VERSION_RULE, CHECK_RULE)

_TYPE = re.compile(r"[0-9A-Z]{21}").fullmatch
_ISSUER = re.compile(r"[0-9A-Z]{18}|[0-9]{6}").fullmatch
_SERIAL = re.compile(r"[0-9A-Z]+").fullmatch
_VERSION = re.compile(r"[0-9]{3}").fullmatch
_ROOT_ARCS = 5


class LicenceIdentifier(msgspec.Struct, frozen=True):
    """The parts of one identifier; ``str`` gives its text."""

    type_code: str
    issuer_code: str
    serial: str
    version: int
    """Re-issues counted from 1; 1 to 999."""
    check: str

    @property
    def is_consistent(self) -> bool:
        """Whether the check character fits the other parts."""
        return _check(self.type_code, self.issuer_code, self.serial, self.version) == self.check

    def __str__(self) -> str:
        return f"{ROOT}.{self.type_code}.{self.issuer_code}.{self.serial}.{self.version:03d}.{self.check}"


class Parsed(msgspec.Struct, frozen=True):
    """What ``parse`` found: the identifier when its parts could be told apart, and every fault."""

    identifier: LicenceIdentifier | None
    faults: tuple[Fault, ...] = ()


def build(type_code: str, issuer_code: str, serial: str, version: int = 1) -> LicenceIdentifier:
    """The identifier with its check character; raises ValueError naming the part that breaks GB/T 36904."""
    broken = _shape_faults(type_code, issuer_code, serial, f"{version:03d}", pointer="")
    if broken:
        raise ValueError("; ".join(f"{fault.rule}: {fault.message}" for fault in broken))
    return LicenceIdentifier(
        type_code, issuer_code, serial, version, _check(type_code, issuer_code, serial, version)
    )


def parse(text: str, pointer: str = "") -> Parsed:
    """Read an identifier leniently (full width, spaces, letter case) and list every fault at once.

    A foreign root or a wrong check character is a fault, yet the parts are still given.
    """
    folded = fold(text)
    arcs = folded.split(".")
    root, parts = ".".join(arcs[:_ROOT_ARCS]), arcs[_ROOT_ARCS:]
    root_faults = () if root == ROOT else (ROOT_RULE.at(pointer, text, root=root[:40]),)
    if len(parts) != 5:
        return Parsed(None, (*root_faults, PARTS_RULE.at(pointer, text, count=len(parts))))
    type_code, issuer_code, serial, version, check = parts
    shape_faults = _shape_faults(type_code, issuer_code, serial, version, pointer)
    if shape_faults:
        return Parsed(None, (*root_faults, *shape_faults))
    found = LicenceIdentifier(type_code, issuer_code, serial, int(version), check)
    return Parsed(found, (*root_faults, *_check_faults(found, pointer)))


def serial_from(number: str, random: Random) -> str:
    """The serial of a new identifier: the licence number in 0-9A-Z, else 20 random characters of base 36.

    Random when nothing is left, when something other than separators and brackets would be lost (numbers that differ only in
    Chinese characters must not share a serial), or when the number is too long. ``random`` is a ``SystemRandom`` in production.
    """
    serial = normalise_licence_number(number).translate(_DROPPED)
    if len(serial) <= SERIAL_LIMIT and _SERIAL(serial):
        return serial
    return "".join(random.choices(mod37_36.ALPHABET, k=RANDOM_SERIAL_LENGTH))


_DROPPED: dict[int, None] = dict.fromkeys(map(ord, "-()"))


def type_code_fault(code: str, pointer: str = "") -> Fault | None:
    """What is wrong with 证照类型代码 ``code``, or None."""
    return None if _TYPE(code) else TYPE_RULE.at(pointer, code)


def _check(type_code: str, issuer_code: str, serial: str, version: int) -> str:
    return mod37_36.check_character(f"{type_code}{issuer_code}{serial}{version:03d}")


def _check_faults(found: LicenceIdentifier, pointer: str) -> tuple[Fault, ...]:
    if found.is_consistent:
        return ()
    expected = _check(found.type_code, found.issuer_code, found.serial, found.version)
    return (CHECK_RULE.at(pointer, str(found), expected=expected),)


def _shape_faults(
    type_code: str, issuer_code: str, serial: str, version: str, pointer: str
) -> tuple[Fault, ...]:
    judged = (
        (TYPE_RULE, type_code, _TYPE(type_code)),
        (ISSUER_RULE, issuer_code, _ISSUER(issuer_code)),
        (SERIAL_RULE, serial, _SERIAL(serial)),
        (VERSION_RULE, version, _VERSION(version) and version != "000"),
    )
    return tuple(rule.at(pointer, part) for rule, part, fits in judged if not fits)
